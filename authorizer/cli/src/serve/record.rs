//! Records what is served as fixtures for `replay`: `serve --record DIR`. The observer hands each request to `writer`,
//! which has a thread of its own.

mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use authorizer_local::{BucketReport, Observer, RequestReport};
use owo_colors::OwoColorize as _;

pub(super) use self::writer::RecordError;
use self::writer::{BACKLOG, Decided, Writer, Written};
use super::decider::Decider;
use crate::output::note;
use crate::recording::{EVENTS, KEYS, OUTCOMES};

/// What is counted while requests come.
#[derive(Default)]
struct Missed {
    /// There was no room.
    dropped: u64,
    /// The function did not decide.
    undecided: u64,
}

/// A recording that goes on.
pub(super) struct Recording {
    sender: Mutex<Option<SyncSender<Decided>>>,
    missed: Mutex<Missed>,
    writer: Mutex<Option<JoinHandle<Written>>>,
    folder: PathBuf,
    /// Whether the folder was made for it.
    made_folder: bool,
}

impl Recording {
    /// Makes the folder and the keys, and starts to write.
    pub(super) fn start(folder: &Path, decider: Decider) -> miette::Result<Arc<Self>> {
        let made_folder = !folder.exists();
        let writer = Writer::new(folder, decider)?;
        let (sender, decided) = sync_channel(BACKLOG);
        let writer = thread::spawn(move || writer.write_all(&decided));
        Ok(Arc::new(Self {
            sender: Mutex::new(Some(sender)),
            missed: Mutex::default(),
            writer: Mutex::new(Some(writer)),
            folder: folder.to_owned(),
            made_folder,
        }))
    }

    /// An observer that records, and tells another one.
    pub(super) fn observer(self: &Arc<Self>, inner: Arc<dyn Observer>) -> Arc<dyn Observer> {
        Arc::new(Recorded { inner, recording: Arc::clone(self) })
    }

    fn record(&self, report: &RequestReport) {
        let decided = report.details.as_ref().zip(report.record.clone());
        let Some((details, record)) = decided else {
            self.count(|missed| missed.undecided = missed.undecided.saturating_add(1));
            return;
        };
        let decided = Decided { event: details.event.clone(), record };
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = sender.as_ref().map(|sender| sender.try_send(decided));
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
            self.count(|missed| missed.dropped = missed.dropped.saturating_add(1));
        }
    }

    fn count(&self, add: impl FnOnce(&mut Missed)) {
        add(&mut self.missed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Removes it: nothing was served.
    pub(super) fn discard(&self) {
        self.end();
        for name in [KEYS, EVENTS, OUTCOMES] {
            let _ = fs::remove_file(self.folder.join(name));
        }
        if self.made_folder {
            let _ = fs::remove_dir(&self.folder);
        }
    }

    fn end(&self) -> Option<thread::Result<Written>> {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        Some(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()?.join())
    }

    /// Waits until everything is written, and says what is in the folder.
    pub(super) fn finish(&self) {
        let Some(ended) = self.end() else { return };
        let Ok(written) = ended else {
            note(format!("{} the recording ended early", "warning:".yellow()));
            return;
        };
        let s = if written.recorded == 1 { "" } else { "s" };
        note(format!("recorded {} request{s} in {}", written.recorded, self.folder.display()));
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        let left_out = [
            (missed.undecided, "the function did not decide"),
            (missed.dropped, "too many came at once, or the files could not be written"),
        ];
        let not_written = written.left_out.iter().map(|(why, count)| (*count, why.as_str()));
        for (count, why) in left_out.into_iter().chain(not_written).filter(|(count, _)| *count > 0) {
            let s = if count == 1 { "" } else { "s" };
            note(format!("{} {count} request{s} not recorded: {why}", "warning:".yellow()));
        }
    }
}

/// Records each request that another observer is told of.
struct Recorded {
    inner: Arc<dyn Observer>,
    recording: Arc<Recording>,
}

impl Observer for Recorded {
    fn request(&self, report: &RequestReport) {
        self.recording.record(report);
        self.inner.request(report);
    }

    fn function_log(&self, line: &str) {
        self.inner.function_log(line);
    }

    fn bucket_request(&self, report: &BucketReport) {
        self.inner.bucket_request(report);
    }

    fn wants_details(&self) -> bool {
        true
    }
}
