//! The last requests, in bounded memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use authorizer_core::UnixTime;
use authorizer_local::{BucketReport, Observer, RequestReport};
use serde_json::Value;
use tokio::sync::watch;

use crate::serve::observer::RequestLines;

/// The most requests that are kept.
const MAX_REQUESTS: usize = 1_000;

/// The most bytes that they may have together. A usual request has 2,000.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The most bytes of one event or one result. A longer one is not kept; the request is.
const MAX_ONE: usize = 256 * 1024;

/// What a request has beside its texts.
const OVERHEAD: usize = 2_048;

/// A request that was answered. It may contain tokens of the viewer, so it is never shown as it is.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its number, from 1.
    pub(super) seq: u64,
    /// The instant of the decision.
    pub(super) at: UnixTime,
    /// The report.
    pub(super) report: RequestReport,
    bytes: usize,
}

/// The last requests.
#[derive(Debug)]
pub(super) struct Recorder {
    kept: Mutex<Kept>,
    /// Nobody will look at what is recorded.
    is_stopped: AtomicBool,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    newest: u64,
    bytes: usize,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { kept: Mutex::default(), is_stopped: AtomicBool::new(false), newest: watch::Sender::new(0) }
    }

    /// Keeps nothing from now on, and forgets what it has.
    pub(super) fn stop(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_stopped.store(true, Ordering::Relaxed);
        *kept = Kept::default();
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    fn record(&self, report: &RequestReport) {
        if self.is_stopped() {
            return;
        }
        let mut report = report.clone();
        if let Some(details) = &report.details
            && (details.event.len() > MAX_ONE || details.result.len() > MAX_ONE)
        {
            report.details = None;
        }
        let decided = report.record.as_ref().and_then(|record| record.get("time")).and_then(Value::as_u64);
        let at = decided.map_or_else(|| UnixTime::from_system(SystemTime::now()), UnixTime::from_seconds);
        let bytes = bytes_of(&report);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopped() {
            return;
        }
        kept.newest = kept.newest.saturating_add(1);
        kept.bytes = kept.bytes.saturating_add(bytes);
        let seq = kept.newest;
        kept.entries.push_back(Arc::new(Entry { seq, at, report, bytes }));
        while kept.entries.len() > MAX_REQUESTS || kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes = kept.bytes.saturating_sub(oldest.bytes);
        }
        drop(kept);
        self.newest.send_replace(seq);
    }

    /// Knows of each new request.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The newest requests after this number, at most so many, in their order; and how many others there were.
    pub(super) fn after(&self, seq: u64, most: usize) -> (Vec<Arc<Entry>>, u64) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> =
            kept.entries.iter().rev().take_while(|entry| entry.seq > seq).take(most).cloned().collect();
        found.reverse();
        let all = kept.newest.saturating_sub(seq);
        let left_out = all.saturating_sub(u64::try_from(found.len()).unwrap_or(u64::MAX));
        (found, left_out)
    }

    /// The request with this number, if it is still kept.
    pub(super) fn get(&self, seq: u64) -> Option<Arc<Entry>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.iter().rev().find(|entry| entry.seq == seq).cloned()
    }
}

/// About how many bytes a report keeps.
fn bytes_of(report: &RequestReport) -> usize {
    let details = report.details.as_ref().map_or(0, |details| {
        let headers =
            details.bucket_headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        [details.event.len(), details.result.len()].into_iter().chain(headers).fold(0, usize::saturating_add)
    });
    // The record has the key, which may be as long as the path, and the query.
    let record = report.path.len().saturating_mul(4);
    let problem = report.problem.as_ref().map_or(0, String::len);
    let violation = report.violation.as_ref().map_or(0, |violation| violation.to_string().len());
    let texts = [report.method.len(), report.request_id.len(), violation, problem];
    [OVERHEAD, details, record].into_iter().chain(texts).fold(0, usize::saturating_add)
}

/// Writes each request as a line, and records it.
pub(in crate::serve) struct Watched {
    pub(super) lines: Arc<RequestLines>,
    pub(super) recorder: Arc<Recorder>,
}

impl Observer for Watched {
    fn request(&self, report: &RequestReport) {
        self.lines.request(report);
        self.recorder.record(report);
    }

    fn function_log(&self, line: &str) {
        self.lines.function_log(line);
    }

    fn bucket_request(&self, report: &BucketReport) {
        self.lines.bucket_request(report);
    }

    fn wants_details(&self) -> bool {
        !self.recorder.is_stopped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_local::RequestDetails;
    use std::time::Duration;

    fn report(path: &str, event: usize) -> RequestReport {
        let details = RequestDetails { event: vec![b'x'; event].into(), ..RequestDetails::default() };
        RequestReport {
            request_id: "r".into(),
            method: "GET".into(),
            path: path.into(),
            status: 200,
            record: None,
            usage: None,
            violation: None,
            problem: None,
            elapsed: Duration::ZERO,
            forwarded: true,
            age: None,
            second_origin: false,
            details: Some(Box::new(details)),
        }
    }

    #[test]
    fn the_last_thousand_are_kept() {
        let recorder = Recorder::new();
        for _ in 0..1_500 {
            recorder.record(&report("/a", 10));
        }
        let (all, left_out) = recorder.after(0, usize::MAX);
        assert_eq!((all.len(), all[0].seq, all[999].seq, left_out), (1_000, 501, 1_500, 500));
        assert!(recorder.get(500).is_none());
        assert_eq!(recorder.get(501).unwrap().seq, 501);
        let (newest, left_out) = recorder.after(1_400, 10);
        assert_eq!((newest.len(), newest[0].seq, left_out), (10, 1_491, 90));
        assert_eq!(*recorder.subscribe().borrow(), 1_500);
    }

    #[test]
    fn large_requests_are_kept_within_the_same_memory() {
        let recorder = Recorder::new();
        for _ in 0..300 {
            recorder.record(&report(&"/a".repeat(4_000), 200_000));
        }
        let (all, _) = recorder.after(0, usize::MAX);
        let bytes: usize = all.iter().map(|entry| entry.report.details.as_ref().unwrap().event.len()).sum();
        assert!(all.len() > 60 && bytes <= MAX_BYTES, "{} {bytes}", all.len());
        recorder.record(&report("/a", MAX_ONE + 1));
        let (last, _) = recorder.after(300, 1);
        assert!(last[0].report.details.is_none());
    }

    #[test]
    fn a_long_method_counts_too() {
        let recorder = Recorder::new();
        for _ in 0..200 {
            recorder.record(&RequestReport { method: "A".repeat(400_000), ..report("/a", 10) });
        }
        let (all, _) = recorder.after(0, usize::MAX);
        let bytes: usize = all.iter().map(|entry| entry.report.method.len()).sum();
        assert!(bytes <= MAX_BYTES, "{} {bytes}", all.len());
    }

    #[test]
    fn without_a_console_nothing_is_kept() {
        let recorder = Recorder::new();
        recorder.record(&report("/a", 10));
        recorder.stop();
        recorder.record(&report("/b", 10));
        assert_eq!(recorder.after(0, usize::MAX).0.len(), 0);
        let (lines, _written) = RequestLines::new(crate::output::Format::Text);
        let watched = Watched { lines: Arc::new(lines), recorder: Arc::new(recorder) };
        assert!(!watched.wants_details());
    }
}
