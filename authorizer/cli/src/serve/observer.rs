//! One line for each request that was served.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::Duration;

use authorizer_local::{Observer, RequestReport, Usage, Violation};
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::ServedBehavior;
use crate::output::{Format, line, note};

/// A line of `serve --format json`.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "A line of `authorizer serve --format json`")]
#[serde(untagged)]
pub(crate) enum ServeLine<'s> {
    /// The first line: where it serves.
    Started {
        /// The version of this format.
        #[schemars(extend("const" = 1))]
        version: u32,
        /// The address that it listens on.
        #[schemars(with = "String")]
        addr: SocketAddr,
        /// The URL of the distribution.
        url: &'s str,
        /// The certificate to trust, with TLS.
        trust: Option<Cow<'s, str>>,
        /// The address of the bucket.
        #[schemars(with = "String")]
        s3_addr: SocketAddr,
        /// The folder with the objects.
        bucket: Cow<'s, str>,
        /// The behaviors of the distribution, in the order in which they are tried; empty without a distribution.
        behaviors: &'s [ServedBehavior],
        /// What decides: the policy or the function.
        decided_by: &'s str,
        /// The URL of the console, with its secret, if there is one.
        console: Option<&'s str>,
    },
    /// Each further line: a request.
    Request {
        /// The version of this format.
        #[schemars(extend("const" = 1))]
        version: u32,
        /// The method.
        method: &'s str,
        /// The path as the viewer sent it, without the query.
        path: &'s str,
        /// The status of the answer to the viewer.
        status: u16,
        /// Whether the request reached the bucket.
        forwarded: bool,
        /// The age in seconds of the answer, if it came from the cache.
        age: Option<u64>,
        /// Whether the second origin of an origin group was asked.
        second_origin: bool,
        /// The function's line of the decision log, if it wrote one.
        record: Option<&'s Value>,
        /// The part of the function's result that CloudFront would reject.
        violation: Option<String>,
        /// The rule of AWS that the result breaks: the page, and the rule in short.
        rule: Option<&'s str>,
        /// Any other error: with the request, the function or the bucket.
        problem: Option<&'s str>,
        /// The time from the last byte of the viewer's headers to the first byte of the answer, in microseconds.
        micros: u64,
        /// What the function used, if a package ran and answered.
        usage: Option<UsageLine>,
    },
}

/// What an invocation of a package used.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct UsageLine {
    /// The process.
    pid: u32,
    /// The time from the event to the result, in microseconds.
    micros: u64,
    /// The processor time from the event to the result, in microseconds. Only on Linux.
    cpu_micros: Option<u64>,
    /// The most memory that the process has had, in bytes. Only on Linux.
    memory_bytes: Option<u64>,
    /// The time from the start of the process to its request for an event, in microseconds, if this was its first.
    cold_start_micros: Option<u64>,
    /// The processor time of that start, in microseconds. Only on Linux.
    cold_start_cpu_micros: Option<u64>,
}

impl UsageLine {
    pub(super) fn of(usage: &Usage) -> Self {
        Self {
            pid: usage.pid,
            micros: micros(usage.duration),
            cpu_micros: usage.cpu.map(micros),
            memory_bytes: usage.memory,
            cold_start_micros: usage.cold_start.as_ref().map(|start| micros(start.duration)),
            cold_start_cpu_micros: usage.cold_start.as_ref().and_then(|start| start.cpu).map(micros),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// How many lines may wait for a reader before lines are dropped.
const BACKLOG: usize = 4096;

/// The most bytes of one line of the function that are shown.
const LONGEST_LINE: usize = 8 * 1024;

/// How long the last lines may wait for their reader at the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Writes each request to standard output, and the function's own log to standard error, in its own thread: a reader
/// that does not read must not delay the requests.
pub(super) struct RequestLines {
    format: Format,
    lines: SyncSender<Line>,
    dropped: Mutex<u64>,
}

enum Line {
    Result(String),
    Note(String),
}

/// Knows when the last line has been written.
pub(super) struct Written(Receiver<()>);

impl RequestLines {
    pub(super) fn new(format: Format) -> (Self, Written) {
        let (lines, waiting) = sync_channel::<Line>(BACKLOG);
        let (done, written) = channel();
        thread::spawn(move || {
            let _done = done;
            for text in waiting {
                match text {
                    // If the reader stops, the distribution goes on.
                    Line::Result(text) => drop(line(text)),
                    Line::Note(text) => note(text),
                }
            }
        });
        (Self { format, lines, dropped: Mutex::new(0) }, Written(written))
    }

    fn send(&self, line: Line) {
        let mut dropped = self.dropped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *dropped > 0 {
            let text = format!("{} lines were dropped, because nobody read them", *dropped);
            if self.lines.try_send(Line::Note(text)).is_ok() {
                *dropped = 0;
            }
        }
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            *dropped = dropped.saturating_add(1);
        }
    }
}

impl Written {
    /// Waits for the last line, but not longer than a reader normally needs.
    pub(super) fn wait(self) {
        // Nothing is ever sent: the channel closes when the thread ends.
        let _ = self.0.recv_timeout(FAREWELL);
    }
}

impl Observer for RequestLines {
    fn request(&self, report: &RequestReport) {
        self.send(Line::Result(match self.format {
            Format::Text => text(report),
            Format::Json => json!(ServeLine::Request {
                version: 1,
                method: &report.method,
                path: &report.path,
                status: report.status,
                forwarded: report.forwarded,
                age: report.age,
                second_origin: report.second_origin,
                record: report.record.as_ref(),
                violation: report.violation.as_ref().map(ToString::to_string),
                rule: report.violation.as_ref().map(Violation::rule),
                problem: report.problem.as_deref(),
                micros: micros(report.elapsed),
                usage: report.usage.as_ref().map(UsageLine::of),
            })
            .to_string(),
        }));
    }

    fn function_log(&self, text: &str) {
        let (shown, left_out) = cut(text);
        let left_out = if left_out == 0 { String::new() } else { format!("... and {left_out} bytes more") };
        self.send(Line::Note(format!("{} {}{left_out}", "function".dimmed(), harmless(shown))));
    }
}

/// The beginning of a line, and how many bytes follow. A function may write more than anybody reads, and lines wait in
/// memory for the terminal.
fn cut(text: &str) -> (&str, usize) {
    let end = text.floor_char_boundary(LONGEST_LINE);
    let shown = text.get(..end).unwrap_or_default();
    (shown, text.len().saturating_sub(shown.len()))
}

/// A line of the function for a terminal: what moves a cursor is escaped, and JSON stays as it is.
fn harmless(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '"' | '\'' | '\\' => letter.to_string(),
        _ => letter.escape_debug().to_string(),
    };
    text.chars().map(escaped).collect()
}

/// The same for a text of several lines.
fn lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

fn in_millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// What an invocation of a package used, and the start of its process if it was the first.
pub(super) fn used(usage: &Usage) -> String {
    let start = usage.cold_start.as_ref().map(|start| format!("cold start {}", in_millis(start.duration)));
    let cpu = usage.cpu.map(|cpu| format!("CPU {}", in_millis(cpu)));
    #[expect(clippy::cast_precision_loss, reason = "the memory of a process is far below 2^52 bytes")]
    let memory = usage.memory.map(|bytes| format!("{:.1} MB", bytes as f64 / 1_048_576.0));
    let function = Some(format!("function {}", in_millis(usage.duration)));
    [start, function, cpu, memory].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What let a request through to the bucket. An error is then not the rule's.
fn allowed(report: &RequestReport, rule: &str) -> String {
    // S3 does not tell whoever may not list that an object does not exist.
    let may_be_absent = report.status == 403 && matches!(report.method.as_str(), "GET" | "HEAD");
    match report.status {
        ..400 => format!("by rule {rule}"),
        _ if may_be_absent => format!("allowed by rule {rule}; the error is S3's (no such object?)"),
        _ => format!("allowed by rule {rule}; the error is S3's"),
    }
}

/// What is said of a request without a line of the decision log: the behavior has no function, or the package is another
/// function than the authorizer.
fn without_decision(report: &RequestReport) -> String {
    let by = if report.usage.is_some() { "let through by the function" } else { "no function for this path" };
    match report.age {
        Some(age) => format!("{by}, from the cache, {age} s old"),
        None if report.forwarded && report.status >= 400 => format!("{by}; the error is S3's"),
        None if report.forwarded => by.to_owned(),
        None if report.usage.is_some() => "answered by the function".to_owned(),
        None => String::new(),
    }
}

fn text(report: &RequestReport) -> String {
    let word = |name: &str| {
        report.record.as_ref().and_then(|record| record.get(name)).and_then(Value::as_str).unwrap_or_default()
    };
    let status = match report.status {
        200..=399 => report.status.green().to_string(),
        400..=499 => report.status.yellow().to_string(),
        _ => report.status.red().to_string(),
    };
    let why = match (&report.violation, &report.problem) {
        (Some(violation), _) => {
            let rule = violation.rule();
            format!(
                "{} {}",
                format!("CloudFront answers 502: {violation}").red(),
                format!("({rule})").dimmed()
            )
        }
        (None, Some(problem)) => lines(problem).red().to_string(),
        (None, None) if report.record.is_none() => without_decision(report),
        (None, None) if word("rule").is_empty() => word("reason").to_owned(),
        (None, None) if report.forwarded => allowed(report, word("rule")),
        (None, None) if report.age.is_some() => {
            let age = report.age.unwrap_or_default();
            format!("{}, from the cache, {age} s old", allowed(report, word("rule")))
        }
        (None, None) => format!("{} {}", word("reason"), word("rule")),
    };
    let second = if report.second_origin { ", the second origin was asked" } else { "" };
    let key = if word("key").is_empty() { report.path.as_str() } else { word("key") };
    let mut took = in_millis(report.elapsed);
    if let Some(usage) = &report.usage {
        took = format!("{took} ({})", used(usage));
    }
    format!("{status} {:6} {}  {why}{second}  {}", report.method, key.escape_debug(), took.dimmed())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use authorizer_local::RequestReport;
    use serde_json::json;

    use super::{LONGEST_LINE, cut, harmless, text};

    #[test]
    fn an_error_of_the_bucket_does_not_read_as_the_rules() {
        let line_of = |method: &str, status: u16, age: Option<u64>, second_origin: bool| {
            let report = RequestReport {
                request_id: String::new(),
                method: method.to_owned(),
                path: "/a".to_owned(),
                status,
                record: Some(
                    json!({"decision": "allow", "reason": "allowed_by_rule", "rule": "own", "key": "a"}),
                ),
                usage: None,
                violation: None,
                problem: None,
                elapsed: Duration::from_millis(2),
                forwarded: age.is_none(),
                age,
                second_origin,
                details: None,
            };
            anstream::adapter::strip_str(&text(&report)).to_string()
        };
        let line = |method: &str, status: u16, age: Option<u64>| line_of(method, status, age, false);
        assert_eq!(
            line_of("GET", 200, None, true),
            "200 GET    a  by rule own, the second origin was asked  2.0 ms"
        );
        assert_eq!(line("GET", 200, None), "200 GET    a  by rule own  2.0 ms");
        assert_eq!(line("GET", 304, Some(3)), "304 GET    a  by rule own, from the cache, 3 s old  2.0 ms");
        let absent = "allowed by rule own; the error is S3's (no such object?)";
        assert_eq!(line("GET", 403, None), format!("403 GET    a  {absent}  2.0 ms"));
        assert_eq!(
            line("HEAD", 403, Some(3)),
            format!("403 HEAD   a  {absent}, from the cache, 3 s old  2.0 ms")
        );
        assert_eq!(line("PUT", 412, None), "412 PUT    a  allowed by rule own; the error is S3's  2.0 ms");
    }

    #[test]
    fn a_request_without_a_decision_says_who_let_it_through() {
        let line = |status: u16, forwarded: bool, age: Option<u64>, ran: bool| {
            let usage = authorizer_local::Usage {
                pid: 1,
                cold_start: None,
                duration: Duration::from_millis(1),
                cpu: None,
                memory: None,
            };
            let report = RequestReport {
                request_id: String::new(),
                method: "GET".to_owned(),
                path: "/a".to_owned(),
                status,
                record: None,
                usage: ran.then_some(usage),
                violation: None,
                problem: None,
                elapsed: Duration::from_millis(2),
                forwarded,
                age,
                second_origin: false,
                details: None,
            };
            let text = anstream::adapter::strip_str(&text(&report)).to_string();
            let (_, why) = text.split_once("/a  ").unwrap();
            why.split("  ").next().unwrap().to_owned()
        };
        assert_eq!(line(200, true, None, true), "let through by the function");
        assert_eq!(line(403, true, None, true), "let through by the function; the error is S3's");
        assert_eq!(line(200, false, None, true), "answered by the function");
        assert_eq!(line(200, true, None, false), "no function for this path");
        assert_eq!(line(200, false, Some(3), false), "no function for this path, from the cache, 3 s old");
    }

    #[test]
    fn a_line_of_the_function_is_shown_up_to_a_limit() {
        assert_eq!(cut("short"), ("short", 0));
        let long = format!("{}é and more", "x".repeat(LONGEST_LINE - 1));
        let (shown, left_out) = cut(&long);
        assert_eq!((shown.len(), left_out), (LONGEST_LINE - 1, "é and more".len()));
    }

    #[test]
    fn json_stays_as_it_is_and_what_moves_a_cursor_does_not() {
        assert_eq!(harmless(r#"{"a":"\n'"}"#), r#"{"a":"\n'"}"#);
        assert_eq!(harmless("\u{1b}[2J\r\u{202e}"), "\\u{1b}[2J\\r\\u{202e}");
    }
}
