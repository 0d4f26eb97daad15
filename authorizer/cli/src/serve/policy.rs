//! A policy file that is read again when it changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use authorizer_core::record::DecisionLine;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_local::Invocation;
use authorizer_policy::{PolicyFile, PolicyFileError};
use bytes::Bytes;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use owo_colors::OwoColorize as _;

use super::ServeError;
use crate::error::CliError;

/// An editor writes a file in several steps; what follows within this time belongs together.
const SETTLE: Duration = Duration::from_millis(100);

/// The policy that decides now.
#[derive(Clone)]
pub(super) struct LivePolicy {
    path: PathBuf,
    current: Arc<RwLock<Loaded>>,
}

/// What was found when the file was last read.
#[derive(Clone, Copy, Eq, PartialEq)]
enum FileState {
    Good,
    Broken,
}

#[derive(Clone)]
struct Loaded {
    authorizer: Arc<Authorizer>,
    /// The policy and its key files.
    files: Vec<PathBuf>,
}

impl Loaded {
    fn read(path: &Path) -> Result<Self, PolicyFileError> {
        let file = PolicyFile::load(path)?;
        let bundle = Bundle::read(file.bundle())
            .map_err(|source| PolicyFileError::Bundle { path: path.to_owned(), source })?;
        Ok(Self { authorizer: Arc::new(Authorizer::new(bundle)), files: file.files().to_vec() })
    }

    fn folders(&self) -> BTreeSet<PathBuf> {
        self.files.iter().map(|file| folder_of(file)).collect()
    }
}

/// Editors replace a file rather than write into it, so it is the folder that is watched.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

impl LivePolicy {
    pub(super) fn load(path: &Path) -> Result<Self, CliError> {
        let loaded = Loaded::read(path)?;
        Ok(Self { path: path.to_owned(), current: Arc::new(RwLock::new(loaded)) })
    }

    /// Decides on an event, as the edge function does.
    pub(super) fn decide(&self, event: &[u8]) -> Invocation {
        let authorizer = self.current().authorizer;
        let started = Instant::now();
        let authorized = authorizer.authorize(event, UnixTime::from_system(SystemTime::now()));
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Invocation {
            // An outcome is strings and maps of strings, which always make JSON; were it not so, what is
            // no JSON makes the distribution answer 502.
            result: serde_json::to_vec(&authorized.outcome).map(Bytes::from).unwrap_or_default(),
            record: serde_json::to_value(DecisionLine::new(&authorized.record, micros)).ok(),
        }
    }

    /// Reads the policy again whenever one of its files changes, for as long as the program runs.
    pub(super) fn watch(&self) -> Result<(), CliError> {
        let failed = |error| ServeError::Watch { path: self.path.clone(), error };
        let (sender, changes) = channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is an event too, on some systems; it changes nothing.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // The receiver is gone only when the program ends.
                let _ = sender.send(());
            }
        })
        .map_err(failed)?;
        for folder in self.current().folders() {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(failed)?;
        }
        let policy = self.clone();
        thread::spawn(move || policy.follow(&changes, watcher));
        Ok(())
    }

    fn follow(&self, changes: &Receiver<()>, mut watcher: RecommendedWatcher) {
        let mut state = FileState::Good;
        while changes.recv().is_ok() {
            while changes.recv_timeout(SETTLE) != Err(RecvTimeoutError::Timeout) {}
            state = self.reload(state);
            for folder in self.current().folders() {
                // A key file in a new folder. One that cannot be watched is read with the policy all the
                // same.
                let _ = watcher.watch(&folder, RecursiveMode::NonRecursive);
            }
        }
    }

    fn reload(&self, before: FileState) -> FileState {
        let decides = self.current().authorizer;
        match Loaded::read(&self.path) {
            Ok(loaded) if loaded.authorizer.bundle().sha256() == decides.bundle().sha256() => {
                // Else something beside the policy changed, which is nobody's news.
                if before == FileState::Broken {
                    anstream::eprintln!("{}", "the policy is whole again, and as it was".green());
                }
                FileState::Good
            }
            Ok(loaded) => {
                let bundle = loaded.authorizer.bundle().sha256().to_owned();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
                anstream::eprintln!("{} bundle sha256 {bundle}", "policy read again:".green());
                FileState::Good
            }
            Err(error) => {
                anstream::eprintln!("{:?}", miette::Report::new(error));
                anstream::eprintln!("{}", "the last good policy still decides".yellow());
                FileState::Broken
            }
        }
    }

    fn current(&self) -> Loaded {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
