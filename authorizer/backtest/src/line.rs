//! The lines of logs, of all supported kinds.
//!
//! The kind is detected per line: for a JSON object by its members, for tab-separated values by the `#Fields:` line
//! before it. An export from CloudWatch Logs contains such lines in turn.

mod access;
mod answer;
mod cloudwatch;
mod decision;
mod json;
mod layout;
mod time;
mod wanted;

use std::str;

use authorizer_core::request::OwnParameters;

use super::facts::Span;
use super::recorded::Recorded;
pub(super) use access::as_sent;
pub use layout::Layout;
pub(super) use wanted::Found;

/// The longest line that is read. A subscription's record contains up to 1 MB, compressed and then encoded.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// The context that a line is read in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    /// The columns of the `#Fields:` line before it.
    pub(super) layout: Option<&'c Layout>,
    /// The query parameters of this policy, which do not belong to S3.
    pub(super) own: OwnParameters<'c>,
    /// The paths that the function answers itself, by this policy or the one before it.
    pub(super) own_paths: &'c [&'c str],
    /// The id of the only request that is searched for, with all that its lines have.
    pub(super) wanted: Option<&'c str>,
}

/// The content of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum LineContent<'l> {
    /// A request that the function decided.
    Request(Box<Recorded<'l>>),
    /// A CORS preflight.
    Preflight,
    /// A step of a sign-in, which the function did itself.
    SignIn,
    /// A request that CloudFront answered itself, or for which the function failed.
    NotDecided,
    /// A line that is not about a request, or not about the one that is searched for.
    NoRequest,
    /// A line of the request that is searched for.
    Found(Box<Found>),
    /// A line that cannot be read.
    Malformed(String),
}

/// The receiver of what is found.
type Sink<'s> = &'s mut dyn FnMut(LineContent<'_>);

/// Reads one line. An empty line is skipped.
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

/// The place of a text. An event of CloudWatch Logs does not contain another export.
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
        let values = layout.values(text);
        return found(match (context.wanted, &values) {
            (Some(id), Ok(values)) => wanted::access_line(layout.pairs(text), values, context, id),
            (Some(_), Err(_)) | (None, _) => access::read(&values, context),
        });
    }
    if cloudwatch::is_platforms_own(text) {
        return found(LineContent::NoRequest);
    }
    if let (Depth::Line, Some((before, event))) = (depth, cloudwatch::prefixed(text)) {
        return read_text(event, time::of_prefix(before), context, Depth::Event, found);
    }
    let problem = match depth {
        Depth::Line => "the line is not JSON, and no `#Fields:` line comes before it",
        Depth::Event => "the event is not a line of a decision log or an access log",
    };
    found(LineContent::Malformed(problem.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let context = Context {
            layout: None,
            own: OwnParameters::default(),
            own_paths: &["/.auth/session"],
            wanted: None,
        };
        let mut all = Vec::new();
        read(line.as_bytes(), &context, &mut |found| {
            all.push(match found {
                LineContent::Request(recorded) => format!("request by {}", recorded.method),
                LineContent::Preflight => "preflight".to_owned(),
                LineContent::SignIn => "sign-in".to_owned(),
                LineContent::NotDecided => "not decided".to_owned(),
                LineContent::NoRequest => "no request".to_owned(),
                LineContent::Found(found) => format!("{found:?}"),
                LineContent::Malformed(problem) => problem,
            });
        });
        all
    }

    const ALLOW: &str = r#""decision":"allow","reason":"allowed_by_rule","rule":"r""#;

    #[test]
    fn a_line_says_itself_what_it_is() {
        let get = format!(r#"{{"log_version":1,"method":"GET","operation":"GetObject","key":"a",{ALLOW}}}"#);
        let second = get.replace(
            r#""log_version":1"#,
            r#""log_version":2,"time":1800000000,"query":"a=b","claims":{"role":null}"#,
        );
        let twice = format!("{get}{get}\r\n");
        let event = format!(r#"{{"timestamp":1,"message":{}}}"#, serde_json::Value::from(get.as_str()));
        let as_object = format!(r#"{{"timestamp":1,"message":{get}}}"#);
        let tail = format!("2027-01-15T08:00:00Z [1]abc {get}");
        for (line, expected) in [
            ("", vec![]),
            (" \r\n", vec![]),
            ("#Version: 1.0", vec![]),
            (get.as_str(), vec!["request by GET"]),
            (second.as_str(), vec!["request by GET"]),
            (twice.as_str(), vec!["request by GET", "request by GET"]),
            (event.as_str(), vec!["request by GET"]),
            (as_object.as_str(), vec!["request by GET"]),
            (tail.as_str(), vec!["request by GET"]),
            (r#"{"log_version":1,"reason":"event_malformed","decision":"refuse"}"#, vec!["request by "]),
            (r#"{"log_version":1,"reason":"preflight_answered","decision":"preflight"}"#, vec!["preflight"]),
            (
                r#"{"log_version":2,"reason":"session_told","decision":"sign_in","status":200}"#,
                vec!["sign-in"],
            ),
            (
                r#"{"log_version":2,"method":"GET","operation":"GetObject","key":"a","reason":"session_renewed","decision":"sign_in","status":302}"#,
                vec!["sign-in"],
            ),
            (
                r#"{"log_version":2,"method":"GET","reason":"sign_in_state_unknown","decision":"refuse","status":400}"#,
                vec!["sign-in"],
            ),
            (
                r#"{"log_version":2,"method":"GET","operation":"GetObject","key":"a","reason":"token_missing","decision":"refuse","status":302}"#,
                vec!["request by GET"],
            ),
            (
                r#"{"log_version":2,"method":"GET","operation":"GetObject","key":"a","reason":"token_missing","decision":"refuse","status":302,"problem":"other_host"}"#,
                vec!["request by GET"],
            ),
            (r#"{"cs-method":"GET","cs-uri-stem":"/.auth/session"}"#, vec!["sign-in"]),
            (r#"{"cs-method":"GET","cs-uri-stem":"/.auth/sessions"}"#, vec!["request by GET"]),
            (r#"{"cs-method":"GET","cs-uri-stem":"/a"}"#, vec!["request by GET"]),
            (
                r#"{"cs-method":"GET","cs-uri-stem":"/a","sc-status":0,"x-edge-result-type":"Redirect"}"#,
                vec!["not decided"],
            ),
            (r#"{"level":"info","event":"keys_fetched","issuer":"staff","millis":84}"#, vec!["no request"]),
            (
                r#"{"event":"tokens_fetched","grant":"refresh_token","issuer":"staff","level":"info","millis":84}"#,
                vec!["no request"],
            ),
            (
                r#"{"event":"tokens_not_fetched","grant":"authorization_code","issuer":"staff","level":"error","millis":84,"reason":"invalid_client"}"#,
                vec!["no request"],
            ),
            (r#"{"timestamp":1,"message":{"level":"info","event":"start","pid":8}}"#, vec!["no request"]),
            (
                r#"{"timestamp":"2027-01-15T08:00:00Z","log_level":"ERROR","errorMessage":"a","errorType":"RuntimeError"}"#,
                vec!["no request"],
            ),
            (
                r#"{"level":"info","event":"start","pid":8,"hand_over":"exec","bundle_sha256":"9b0d"}"#,
                vec!["no request"],
            ),
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
            ("a".to_owned(), "the line is not JSON, and no `#Fields:` line comes before it"),
            ("{\"a\":".to_owned(), "the line ends within a JSON object: each object must be on one line"),
            ("{]".to_owned(), "the line is not valid JSON: key must be a string at line 1 column 2"),
            (
                "{}".to_owned(),
                "this object is not a line of a decision log, an access log or CloudWatch Logs",
            ),
            (
                r#"{"log_version":3}"#.to_owned(),
                "the line has version 3 of the decision log; this command reads versions 1 and 2",
            ),
            (r#"{"log_version":2}"#.to_owned(), "the line does not have `reason`"),
            (
                format!(r#"{{"log_version":2,"time":"08:00:00","method":"GET","key":"a",{ALLOW}}}"#),
                "its `time` is not a number of seconds",
            ),
            (
                format!(
                    r#"{{"log_version":2,"time":1,"method":"GET","operation":"GetObject","key":"a","claims":{{"a":7}},{ALLOW}}}"#
                ),
                "its `claims` are not digests of claims",
            ),
            (line(r#""key":"a""#), "the line does not have `reason`"),
            (
                line(r#""reason":"r","operation":"CopyObject""#),
                "its `operation` is not known to this version",
            ),
            (
                line(r#""reason":"r","key":"a//b""#),
                "its `key` is not an object key that the function accepts",
            ),
            (line(r#""reason":"r","key":"a""#), "the line has `key` but not `method`"),
            (
                line(r#""reason":"r","key":"a","method":"PUT","operation":"GetObject""#),
                "its `method` does not fit its `operation`",
            ),
            (
                line(&format!(r#""key":"a","method":"GET",{ALLOW}"#)),
                "its `decision` must be `allow` (with an `operation`), `refuse`, `preflight` or `sign_in`",
            ),
            (line(ALLOW), "a line without `key` must have the `decision` `refuse`, `preflight` or `sign_in`"),
            (r#"{"cs-method":"GET"}"#.to_owned(), "the line must have `cs-method` and `cs-uri-stem`"),
            (r#"{"awslogs":{"data":"AAAA"}}"#.to_owned(), "the `data` of `awslogs` is not gzip in base64"),
            (
                r#"{"messageType":"DATA_MESSAGE"}"#.to_owned(),
                "the record of a CloudWatch Logs subscription is not complete",
            ),
            (
                r#"{"timestamp":1,"message":"{\"timestamp\":1,\"message\":\"\"}"}"#.to_owned(),
                "this object is not a line of a decision log, an access log or CloudWatch Logs",
            ),
            (
                r#"{"timestamp":1,"message":"hello"}"#.to_owned(),
                "the event is not a line of a decision log or an access log",
            ),
        ] {
            assert_eq!(found(&line), [problem], "{line}");
        }
        let context = Context {
            layout: None,
            own: OwnParameters::default(),
            own_paths: &["/.auth/session"],
            wanted: None,
        };
        for line in [b"\xff\n".to_vec(), vec![b'a'; MAX_LINE_BYTES + 1]] {
            read(&line, &context, &mut |found| assert!(matches!(found, LineContent::Malformed(_))));
        }
    }
}
