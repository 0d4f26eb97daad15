//! A policy file that is read again when it changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use authorizer_core::code_flow::Grant;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::record::DecisionLine;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_jwks::{Asked, Fetcher, LiveAuthorizer, What};
use authorizer_local::Invocation;
use authorizer_policy::{PolicyFile, files_of};
use bytes::Bytes;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use owo_colors::OwoColorize as _;

use super::dev_issuer::DevIssuer;
use super::error::ServeError;
use super::sign_in::{self, SignInOriginError};
use crate::failure::Shown;
use crate::output::note;
use crate::policy::warn;

/// An editor writes a file in several steps. Changes within this time belong together, up to this many times.
const SETTLE: Duration = Duration::from_millis(100);
const SETTLE_ROUNDS: usize = 10;

/// The time limit of Lambda for a viewer-request function.
const TIME: Duration = Duration::from_secs(5);

/// The policy that decides now.
#[derive(Clone)]
pub(super) struct LivePolicy {
    path: PathBuf,
    fetcher: Fetcher,
    dev_issuer: Option<Arc<DevIssuer>>,
    /// What `[sign_in] origin` is instead of the policy's.
    sign_in_origin: Option<String>,
    current: Arc<RwLock<Current>>,
}

/// What was last read.
#[derive(Clone)]
struct Current {
    authorizer: Arc<LiveAuthorizer>,
    document: Arc<PolicyDocument>,
}

/// The bytes of the policy and its key files when they were last read. Only a change of these matters: their folders
/// may contain other files, even the file that our own output goes to.
#[derive(Eq, PartialEq)]
struct Seen(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Seen {
    fn look(policy: &Path) -> Self {
        Self(files_of(policy).into_iter().map(|file| (file.clone(), fs::read(file).ok())).collect())
    }

    /// The folders to watch. Editors replace a file instead of writing into it, so this is the folder of each file. If
    /// the folder does not exist yet, it is the one above it. If the file is a link, it is also the folder of its
    /// target.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for (file, _) in &self.0 {
            let target = fs::canonicalize(file).ok();
            for path in [Some(file.clone()), target].into_iter().flatten() {
                let absolute = std::path::absolute(&path).unwrap_or(path);
                folders
                    .extend(absolute.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned));
            }
        }
        folders
    }
}

/// The state of the file when it was last read.
#[derive(Clone, Copy, Eq, PartialEq)]
enum FileState {
    Good,
    Broken,
}

impl LivePolicy {
    /// Reads the policy, and reads it again whenever one of its files changes, for as long as the program runs.
    pub(super) fn load(
        path: &Path,
        dev_issuer: Option<Arc<DevIssuer>>,
        sign_in_origin: Option<String>,
    ) -> miette::Result<Self> {
        let failed = |error| ServeError::Watch { path: path.to_owned(), error };
        let (sender, changes) = channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // On some systems, reading a file is an event too. It changes nothing.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // The receiver is gone only when the program ends.
                let _ = sender.send(());
            }
        })
        .map_err(failed)?;
        // The files are looked at before the policy is read: a change in between is found at the first event.
        let seen = Seen::look(path);
        let file = PolicyFile::load(path)?;
        warn(&file);
        let fetcher = Fetcher::new().map_err(ServeError::Tls)?;
        for folder in seen.folders() {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(failed)?;
        }
        if sign_in_origin.is_some() && file.document().sign_in.is_none() {
            return Err(SignInOriginError::NoSignIn.into());
        }
        let (bundle, document) = decides(file, dev_issuer.as_deref(), sign_in_origin.as_deref())?;
        let authorizer = LiveAuthorizer::new(Authorizer::new(bundle), fetcher.clone());
        let current = Arc::new(RwLock::new(Current { authorizer: Arc::new(authorizer), document }));
        let policy = Self { path: path.to_owned(), fetcher, dev_issuer, sign_in_origin, current };
        let follower = policy.clone();
        thread::spawn(move || follower.follow(&changes, watcher, seen));
        Ok(policy)
    }

    /// Decides on an event, as the edge function does.
    pub(super) async fn decide(&self, event: &[u8]) -> Invocation {
        let authorizer = self.current();
        let started = Instant::now();
        let clock = || UnixTime::from_system(SystemTime::now());
        let (authorized, reports) = authorizer.authorize(event, clock, TIME).await;
        for asked in &reports {
            note(in_words(asked));
        }
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Invocation {
            // An outcome has strings and maps of strings, which always make JSON. If it did not make JSON, the
            // distribution would answer 502.
            result: serde_json::to_vec(&authorized.outcome).map(Bytes::from).unwrap_or_default(),
            record: serde_json::to_value(DecisionLine::new(&authorized.record, micros)).ok(),
            usage: None,
        }
    }

    /// The CORS headers that the distribution's response headers policy would add, by this policy.
    pub(super) fn response_headers(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        let authorizer = self.current();
        authorizer
            .authorizer()
            .bundle()
            .policy()
            .cors()
            .map(|cors| cors.response_headers(origin))
            .unwrap_or_default()
    }

    fn follow(&self, changes: &Receiver<()>, mut watcher: RecommendedWatcher, mut seen: Seen) {
        let mut state = FileState::Good;
        loop {
            let now = Seen::look(&self.path);
            for folder in now.folders() {
                // A key file may be in a new folder. If that cannot be watched, the file is still read with the policy.
                let _ = watcher.watch(&folder, RecursiveMode::NonRecursive);
            }
            if now != seen {
                seen = now;
                state = self.reload(state);
            }
            if changes.recv().is_err() {
                return;
            }
            for _ in 0..SETTLE_ROUNDS {
                if changes.recv_timeout(SETTLE).is_err() {
                    break;
                }
            }
        }
    }

    fn reload(&self, before: FileState) -> FileState {
        let read = PolicyFile::load(&self.path).map_err(miette::Report::new).and_then(|file| {
            warn(&file);
            decides(file, self.dev_issuer.as_deref(), self.sign_in_origin.as_deref())
        });
        match read {
            Ok((bundle, _)) if bundle.sha256() == self.current().authorizer().bundle().sha256() => {
                // Otherwise only a comment changed.
                if before == FileState::Broken {
                    note("the policy is valid again, and did not change".green());
                }
                FileState::Good
            }
            Ok((bundle, document)) => {
                let words = format!("{} bundle sha256 {}", "policy read again:".green(), bundle.sha256());
                let authorizer = LiveAuthorizer::new(Authorizer::new(bundle), self.fetcher.clone());
                *self.current.write().unwrap_or_else(PoisonError::into_inner) =
                    Current { authorizer: Arc::new(authorizer), document };
                note(words);
                FileState::Good
            }
            Err(error) => {
                note(Shown(error.as_ref()));
                note("the last good policy still decides".yellow());
                FileState::Broken
            }
        }
    }

    /// The policy that decides now.
    pub(super) fn current(&self) -> Arc<LiveAuthorizer> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).authorizer)
    }

    /// Its text, without the keys of a development issuer.
    pub(super) fn document(&self) -> Arc<PolicyDocument> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).document)
    }
}

/// The bundle that decides: the policy's, with development keys and another origin if there are some; and its text without
/// these, which is what a recording is replayed with.
fn decides(
    file: PolicyFile,
    dev_issuer: Option<&DevIssuer>,
    sign_in_origin: Option<&str>,
) -> miette::Result<(Bundle, Arc<PolicyDocument>)> {
    let document = Arc::new(file.document().clone());
    let bundle = match (sign_in_origin, dev_issuer) {
        (None, None) => file.into_bundle(),
        (None, Some(keys)) => keys.bundle_of(&document)?,
        (Some(origin), dev_issuer) => {
            let mut here = PolicyDocument::clone(&document);
            sign_in::set_origin(&mut here, origin);
            // Said before anything about the development keys.
            let bundle = sign_in::bundle_at(&here, origin)?;
            match dev_issuer {
                Some(keys) => keys.bundle_of(&here)?,
                None => bundle,
            }
        }
    };
    Ok((bundle, document))
}

fn in_words(asked: &Asked) -> String {
    let (issuer, took) = (&asked.issuer, asked.took.as_millis());
    let what = match asked.what {
        What::Keys => format!("the keys of {issuer}"),
        What::Tokens(Grant::AuthorizationCode) => format!("the tokens of {issuer} for a code"),
        What::Tokens(Grant::RefreshToken) => format!("the tokens of {issuer} for a refresh token"),
    };
    match &asked.result {
        Ok(()) => format!("{what} were fetched, in {took} ms"),
        // Text from the provider must not control the terminal.
        Err(error) => {
            let error = error.to_string();
            format!(
                "{} {}, in {took} ms",
                format!("{what} cannot be fetched:").yellow(),
                error.escape_debug()
            )
        }
    }
}
