//! The lines of logs, of all the kinds that are read.
//!
//! What a line is, it says itself: a JSON object by its members, a line of tab-separated values by the `#Fields:`
//! line before it. What is exported from CloudWatch Logs holds such lines in turn.

mod access;
mod cloudwatch;
mod decision;
mod json;
mod layout;
mod time;

use std::str;

use super::facts::Span;
use super::recorded::Recorded;
pub use layout::Layout;

/// The longest line that is read. A subscription's record holds up to 1 MB, compressed and then encoded.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// What a line is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    /// What the `#Fields:` line before it said.
    pub(super) layout: Option<&'c Layout>,
    /// The query parameter that the policy lets a token be in.
    pub(super) token_parameter: Option<&'c str>,
}

/// What was found in a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum LineContent<'l> {
    /// A request that was decided on.
    Request(Box<Recorded<'l>>),
    /// A CORS preflight.
    Preflight,
    /// A request that CloudFront answered itself, or on which the function failed.
    NotDecided,
    /// Something that a log holds beside requests.
    NoRequest,
    /// Nothing that is read.
    Malformed(String),
}

/// What becomes of what is found.
type Sink<'s> = &'s mut dyn FnMut(LineContent<'_>);

/// Reads one line. An empty one is none.
pub(super) fn read(line: &[u8], context: &Context<'_>, found: Sink<'_>) {
    if line.len() > MAX_LINE_BYTES {
        return found(LineContent::Malformed("the line is longer than 4 MiB".to_owned()));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match str::from_utf8(line) {
        Ok(line) => read_text(line, Span::unknown(), context, Depth::Line, found),
        Err(_) => found(LineContent::Malformed("the line is not UTF-8".to_owned())),
    }
}

/// Where a text stands. Nothing is exported twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Depth {
    /// It is a line of a file.
    Line,
    /// It is an event of CloudWatch Logs.
    Event,
}

/// Reads a text that was logged at some time.
fn read_text(text: &str, at: Span, context: &Context<'_>, depth: Depth, found: Sink<'_>) {
    if text.trim().is_empty() {
        return;
    }
    if text.starts_with('{') {
        return json::read(text, at, context, depth, found);
    }
    if text.starts_with('#') {
        return;
    }
    if let (Depth::Line, Some(layout)) = (depth, context.layout) {
        return found(access::read(&layout.values(text), context));
    }
    if cloudwatch::is_platforms_own(text) {
        return found(LineContent::NoRequest);
    }
    if let (Depth::Line, Some((before, event))) = (depth, cloudwatch::prefixed(text)) {
        return read_text(event, time::of_prefix(before), context, Depth::Event, found);
    }
    let problem = match depth {
        Depth::Line => "no `#Fields:` line came before it, and it is no JSON",
        Depth::Event => "the event is no line of a decision log or an access log",
    };
    found(LineContent::Malformed(problem.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let context = Context { layout: None, token_parameter: None };
        let mut all = Vec::new();
        read(line.as_bytes(), &context, &mut |found| {
            all.push(match found {
                LineContent::Request(recorded) => format!("request by {}", recorded.method),
                LineContent::Preflight => "preflight".to_owned(),
                LineContent::NotDecided => "not decided".to_owned(),
                LineContent::NoRequest => "no request".to_owned(),
                LineContent::Malformed(problem) => problem,
            });
        });
        all
    }

    const ALLOW: &str = r#""decision":"allow","reason":"allowed_by_rule","rule":"r""#;

    #[test]
    fn a_line_says_itself_what_it_is() {
        let get = format!(r#"{{"log_version":1,"method":"GET","operation":"GetObject","key":"a",{ALLOW}}}"#);
        let twice = format!("{get}{get}\r\n");
        let event = format!(r#"{{"timestamp":1,"message":{}}}"#, serde_json::Value::from(get.as_str()));
        let tail = format!("2027-01-15T08:00:00Z [1]abc {get}");
        for (line, expected) in [
            ("", vec![]),
            (" \r\n", vec![]),
            ("#Version: 1.0", vec![]),
            (get.as_str(), vec!["request by GET"]),
            (twice.as_str(), vec!["request by GET", "request by GET"]),
            (event.as_str(), vec!["request by GET"]),
            (tail.as_str(), vec!["request by GET"]),
            (r#"{"log_version":1,"reason":"event_malformed","decision":"refuse"}"#, vec!["request by "]),
            (r#"{"log_version":1,"reason":"preflight_answered","decision":"preflight"}"#, vec!["preflight"]),
            (r#"{"cs-method":"GET","cs-uri-stem":"/a"}"#, vec!["request by GET"]),
            (
                r#"{"cs-method":"GET","cs-uri-stem":"/a","sc-status":0,"x-edge-result-type":"Redirect"}"#,
                vec!["not decided"],
            ),
            (r#"{"level":"info","event":"keys_fetched","issuer":"staff","millis":84}"#, vec!["no request"]),
            (r#"{"time":"2027-01-15T08:00:00Z","type":"platform.report","record":{}}"#, vec!["no request"]),
            ("REPORT RequestId: 1\tDuration: 1 ms", vec!["no request"]),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_nothing_says_why() {
        let line = |members: &str| format!(r#"{{"log_version":1,{members}}}"#);
        for (line, problem) in [
            ("a".to_owned(), "no `#Fields:` line came before it, and it is no JSON"),
            (
                "{\"a\":".to_owned(),
                "the line ends within a JSON object: JSON that is spread over lines is not read",
            ),
            ("{]".to_owned(), "this is no JSON: key must be a string at line 1 column 2"),
            ("{}".to_owned(), "this object is no line of a decision log, an access log or CloudWatch Logs"),
            (
                r#"{"log_version":2}"#.to_owned(),
                "it is of version 2 of the decision log, and version 1 is read",
            ),
            (line(r#""key":"a""#), "it has no `reason`"),
            (line(r#""reason":"r","operation":"CopyObject""#), "its `operation` is none that is known here"),
            (line(r#""reason":"r","key":"a//b""#), "its `key` is none that is ever decided on"),
            (line(r#""reason":"r","key":"a""#), "it has a `key` and no `method`"),
            (
                line(r#""reason":"r","key":"a","method":"PUT","operation":"GetObject""#),
                "its `operation` is not asked for with its `method`",
            ),
            (
                line(&format!(r#""key":"a","method":"GET",{ALLOW}"#)),
                "its `decision` is neither `allow` with an `operation`, nor `refuse`, nor `preflight`",
            ),
            (line(ALLOW), "it has no `key`, and is neither `refuse` nor `preflight`"),
            (r#"{"cs-method":"GET"}"#.to_owned(), "it has no `cs-method` or no `cs-uri-stem`"),
            (r#"{"awslogs":{"data":"AAAA"}}"#.to_owned(), "the `data` of `awslogs` is not gzip in base64"),
            (
                r#"{"messageType":"DATA_MESSAGE"}"#.to_owned(),
                "this is no whole record of a CloudWatch Logs subscription",
            ),
            (
                r#"{"timestamp":1,"message":"{\"timestamp\":1,\"message\":\"\"}"}"#.to_owned(),
                "this object is no line of a decision log, an access log or CloudWatch Logs",
            ),
            (
                r#"{"timestamp":1,"message":"hello"}"#.to_owned(),
                "the event is no line of a decision log or an access log",
            ),
        ] {
            assert_eq!(found(&line), [problem], "{line}");
        }
        let context = Context { layout: None, token_parameter: None };
        for line in [b"\xff\n".to_vec(), vec![b'a'; MAX_LINE_BYTES + 1]] {
            read(&line, &context, &mut |found| assert!(matches!(found, LineContent::Malformed(_))));
        }
    }
}
