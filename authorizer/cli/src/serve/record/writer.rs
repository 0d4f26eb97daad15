//! Writes the files of a recording.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::{Authorizer, UnixTime};
use bytes::Bytes;
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use serde_json::Value;
use thiserror::Error;

use crate::output::note;
use crate::policy::SAME_EACH_TIME;
use crate::recording::{
    Clean, Cleaner, EVENTS, KEYS, OUTCOMES, RecordingError, Signer, Standing, UnreadableEvent,
    is_same_decision,
};
use crate::replay::Replayed;
use crate::save::{SaveError, replace_with};
use crate::serve::decider::Decider;
use crate::token::write_new;

/// How many requests may wait to be written. Beyond it, requests are counted and not recorded.
pub(super) const BACKLOG: usize = 4096;

/// The most bytes of outcomes: `replay` reads 256 MiB.
const MAX_OUTCOMES: u64 = 255 * 1024 * 1024;

/// Why nothing can be recorded.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum RecordError {
    /// There is something in the folder.
    #[error("`{path}` is not an empty folder")]
    #[diagnostic(help("name another folder: each recording has keys of its own"))]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The bundle of a package, which would not start either.
    #[error("the `bundle.json` of the package cannot be read")]
    #[diagnostic(help("make the package again with `make package`"))]
    NoBundle,
}

/// A request that was decided.
pub(super) struct Decided {
    pub(super) event: Bytes,
    pub(super) record: Value,
}

/// What was written.
pub(super) struct Written {
    pub(super) recorded: u64,
    /// Why requests were left out, and how many.
    pub(super) left_out: BTreeMap<String, u64>,
}

/// Why a request is not recorded.
#[derive(Debug, Error)]
enum LeftOut {
    #[error(transparent)]
    Event(#[from] UnreadableEvent),
    #[error(transparent)]
    Keys(#[from] RecordingError),
    /// Its cookies, its code and its refresh token are good for one use, and secret.
    #[error("a step of a sign-in cannot be taken again")]
    SignIn,
    /// What is secret in it decides in a way that nothing else can stand for.
    #[error("without what may be secret, the decision is another one (`{actual}` became `{replayed}`)")]
    Otherwise { actual: String, replayed: String },
    #[error("the recording has as many bytes as can be replayed")]
    Full,
    #[error("`{file}` cannot be written: {error}")]
    Unwritable { file: &'static str, error: io::Error },
}

/// Writes the files.
pub(super) struct Writer {
    decider: Decider,
    signer: Signer,
    keys: PathBuf,
    events: Lines,
    outcomes: Lines,
    /// The policy that was recorded last, as whoever replays the recording has it.
    replaying: Option<(Arc<PolicyDocument>, Arc<Authorizer>)>,
    /// The number of the last line.
    line: u64,
    written: Written,
}

impl Writer {
    pub(super) fn new(folder: &Path, decider: Decider) -> miette::Result<Self> {
        let unwritable = |source| SaveError::Unwritable { path: folder.to_owned(), source };
        if fs::metadata(folder).is_ok_and(|found| !found.is_dir()) {
            return Err(RecordError::NotEmpty { path: folder.to_owned() }.into());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable)?;
        if fs::read_dir(folder).map_err(unwritable)?.next().is_some() {
            return Err(RecordError::NotEmpty { path: folder.to_owned() }.into());
        }
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(unwritable)?;
        let mut signer = Signer::new();
        signer.prepare(&decider.document()).map_err(RecordingError::from)?;
        let keys = folder.join(KEYS);
        write_new(&keys, &keys_json(&signer), 0o600)?;
        let open = |name: &'static str| -> miette::Result<Lines> {
            let path = folder.join(name);
            write_new(&path, b"", 0o600)?;
            let file = File::options().append(true).open(&path);
            let file = file.map_err(|source| SaveError::Unwritable { path, source })?;
            Ok(Lines { name, file, waiting: Vec::new(), bytes: 0 })
        };
        let written = Written { recorded: 0, left_out: BTreeMap::new() };
        let (events, outcomes) = (open(EVENTS)?, open(OUTCOMES)?);
        Ok(Self { decider, signer, keys, events, outcomes, replaying: None, line: 0, written })
    }

    pub(super) fn write_all(mut self, decided: &Receiver<Decided>) -> Written {
        while let Ok(one) = decided.recv() {
            let mut lines = self.write(&one);
            // Those that came meanwhile are written together.
            while lines < BACKLOG as u64
                && let Ok(one) = decided.try_recv()
            {
                lines = lines.saturating_add(self.write(&one));
            }
            match self.flush() {
                Ok(()) => self.written.recorded = self.written.recorded.saturating_add(lines),
                Err(error) => {
                    self.leave_out(&error);
                    note(format!("{} {error}: the recording ends", "warning:".yellow()));
                    break;
                }
            }
        }
        self.written
    }

    /// How many lines it adds: one or none.
    fn write(&mut self, decided: &Decided) -> u64 {
        match self.try_write(decided) {
            Ok(()) => 1,
            Err(why) => {
                self.leave_out(&why);
                0
            }
        }
    }

    fn leave_out(&mut self, why: &LeftOut) {
        let count = self.written.left_out.entry(why.to_string()).or_default();
        *count = count.saturating_add(1);
    }

    /// Both files or none: a line of one belongs to the same line of the other.
    fn flush(&mut self) -> Result<(), LeftOut> {
        let before = self.events.bytes;
        self.events.flush()?;
        self.outcomes.flush().inspect_err(|_| self.events.cut(before))
    }

    fn try_write(&mut self, decided: &Decided) -> Result<(), LeftOut> {
        if is_step_of_sign_in(&decided.record) {
            return Err(LeftOut::SignIn);
        }
        let now = decided.record.get("time").and_then(Value::as_u64);
        let now = UnixTime::from_seconds(now.ok_or(UnreadableEvent::Form)?);
        let replaying = self.replaying()?;
        let was_believed = decided.record.get("issuer").is_some();
        let (decider, signer) = (&self.decider, &self.signer);
        let standing = |token: &str| decider.with(|live| Standing::of(&live.verify_signature(token, now)));
        let policy = replaying.bundle().policy();
        let cleaner = Cleaner { signer, standing: &standing, was_believed, policy };
        let Clean { event, has_same_path } = cleaner.clean(&decided.event)?;
        let authorized = replaying.authorize(event.as_bytes(), now);
        let replayed = serde_json::to_value(&authorized.record).unwrap_or_default();
        if !is_same_decision(&decided.record, &replayed, has_same_path) {
            let reason = |of: &Value| of.get("reason").and_then(Value::as_str).unwrap_or("-").to_owned();
            return Err(LeftOut::Otherwise { actual: reason(&decided.record), replayed: reason(&replayed) });
        }
        if self.outcomes.bytes.saturating_add(self.outcomes.waiting.len() as u64) > MAX_OUTCOMES {
            return Err(LeftOut::Full);
        }
        self.line = self.line.saturating_add(1);
        let line = self.line;
        let outcome = Replayed::recorded(EVENTS, line, now, authorized).to_line();
        self.events.push(&event);
        self.outcomes.push(&outcome);
        Ok(())
    }

    /// The policy that decides now, with the keys of the recording.
    fn replaying(&mut self) -> Result<Arc<Authorizer>, LeftOut> {
        let document = self.decider.document();
        if let Some((known, authorizer)) = &self.replaying
            && Arc::ptr_eq(known, &document)
        {
            return Ok(Arc::clone(authorizer));
        }
        if self.signer.prepare(&document).map_err(RecordingError::from)? {
            replace_with(&self.keys, &keys_json(&self.signer), 0o600).map_err(|error| {
                LeftOut::Unwritable { file: KEYS, error: io::Error::other(error.to_string()) }
            })?;
        }
        let authorizer = Authorizer::new(self.signer.public().bundle_of(&document)?);
        let authorizer = Arc::new(authorizer.with_random(SAME_EACH_TIME));
        self.replaying = Some((document, Arc::clone(&authorizer)));
        Ok(authorizer)
    }
}

/// Whether what was decided depends on what only the provider and this browser have. The redirect that begins a sign-in
/// does not.
fn is_step_of_sign_in(record: &Value) -> bool {
    let word = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_refused_step = ["sign_in_", "session_"].iter().any(|start| word("reason").starts_with(start));
    word("decision") == "sign_in" || is_refused_step
}

/// A file of lines, of which those that wait are written together or not at all.
struct Lines {
    name: &'static str,
    file: File,
    waiting: Vec<u8>,
    /// What is in the file.
    bytes: u64,
}

impl Lines {
    fn push(&mut self, line: &str) {
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
    }

    fn flush(&mut self) -> Result<(), LeftOut> {
        let written = self.file.write_all(&self.waiting);
        let before = self.bytes;
        self.bytes = before.saturating_add(self.waiting.len() as u64);
        self.waiting.clear();
        written.map_err(|error| {
            self.cut(before);
            LeftOut::Unwritable { file: self.name, error }
        })
    }

    fn cut(&mut self, bytes: u64) {
        // If even this fails, `replay` names the line that is not whole.
        let _ = self.file.set_len(bytes);
        self.bytes = bytes;
    }
}

fn keys_json(signer: &Signer) -> Vec<u8> {
    format!("{:#}\n", serde_json::to_value(signer.public()).unwrap_or_default()).into_bytes()
}
