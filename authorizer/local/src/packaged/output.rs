//! The output of the function's process: decision lines for the invocation, everything else for the log.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;

use crate::observer::Observer;

/// The number of last lines that are shown when the function ends.
const TAIL: usize = 20;

/// CloudWatch's limit on one log event. A longer line is split.
const MAX_LINE: usize = 256 * 1024;

/// The receiver of the function's log: set when the distribution starts.
pub(crate) type Listener = Arc<OnceLock<Arc<dyn Observer>>>;

/// The destinations of lines.
#[derive(Clone)]
pub(crate) struct Sink {
    listener: Listener,
    records: mpsc::Sender<Value>,
    tail: Arc<Mutex<VecDeque<String>>>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

/// The stream of a line: decisions are written only to stdout.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Sink {
    pub(crate) fn new(listener: Listener, records: mpsc::Sender<Value>) -> Self {
        Self { listener, records, tail: Arc::default() }
    }

    /// Reads lines until the stream ends.
    pub(crate) async fn read(self, stream: Stream, from: impl AsyncRead + Unpin) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while let Ok(chunk) = from.fill_buf().await {
            if chunk.is_empty() {
                break;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let room = MAX_LINE.saturating_sub(line.len());
            let take = end.unwrap_or(chunk.len()).min(room);
            line.extend(chunk.iter().take(take));
            let is_whole = end == Some(take);
            from.consume(if is_whole { take.saturating_add(1) } else { take });
            if is_whole || line.len() >= MAX_LINE {
                self.line(stream, &line);
                line.clear();
            }
        }
        if !line.is_empty() {
            self.line(stream, &line);
        }
    }

    fn line(&self, stream: Stream, line: &[u8]) {
        if stream == Stream::Stdout
            && let Some(record) = decision(line)
        {
            // Full only if the function writes many decisions for one request: one is enough.
            let _ = self.records.try_send(record);
            return;
        }
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        self.say(&line);
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }

    /// Tells the log a line.
    pub(crate) fn say(&self, line: &str) {
        if let Some(observer) = self.listener.get() {
            observer.function_log(line);
        }
    }

    /// The last lines that were not decisions.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Parses a decision line: an object with the id of its request.
fn decision(line: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(line).ok()?;
    value.get("request_id")?.is_string().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(stream: Stream, text: &[u8]) -> (Vec<Value>, Vec<String>) {
        let (sender, mut records) = mpsc::channel(8);
        let sink = Sink::new(Listener::default(), sender);
        sink.clone().read(stream, text).await;
        let tail = sink.tail();
        drop(sink);
        let mut seen = Vec::new();
        while let Some(record) = records.recv().await {
            seen.push(record);
        }
        (seen, tail)
    }

    #[tokio::test]
    async fn decisions_are_told_from_other_lines() {
        let text = b"starting\n{\"request_id\":\"a\"}\n{\"request_id\":1}\n{}\n\xff\nlast";
        let (records, lines) = read(Stream::Stdout, text).await;
        assert_eq!(records, [serde_json::json!({"request_id": "a"})]);
        assert_eq!(lines, ["starting", "{\"request_id\":1}", "{}", "\u{fffd}", "last"]);
        let (records, lines) = read(Stream::Stderr, b"{\"request_id\":\"a\"}\n").await;
        assert_eq!((records.len(), lines.len()), (0, 1));
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_and_only_the_last_lines_are_kept() {
        let (_, lines) = read(Stream::Stdout, &vec![b'a'; MAX_LINE + 3]).await;
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE, 3]);
        let (_, lines) = read(Stream::Stdout, "x\n".repeat(TAIL + 5).as_bytes()).await;
        assert_eq!(lines.len(), TAIL);
    }
}
