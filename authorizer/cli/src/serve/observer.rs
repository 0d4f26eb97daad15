//! One line for each request that was served.

use authorizer_local::{Observer, RequestReport};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::output::{Format, line};

/// Writes each request to standard output, and the function's own log to standard error.
pub(super) struct RequestLines {
    format: Format,
}

impl RequestLines {
    pub(super) fn new(format: Format) -> Self {
        Self { format }
    }
}

impl Observer for RequestLines {
    fn request(&self, report: &RequestReport) {
        // A reader that went away ends no distribution.
        let _ = match self.format {
            Format::Text => line(text(report)),
            Format::Json => line(json!({
                "version": 1, "method": report.method, "path": report.path, "status": report.status,
                "forwarded": report.forwarded, "record": report.record,
                "violation": report.violation.as_ref().map(ToString::to_string), "problem": report.problem,
                "micros": u64::try_from(report.elapsed.as_micros()).unwrap_or(u64::MAX),
            })),
        };
    }

    fn function_log(&self, text: &str) {
        anstream::eprintln!("{} {}", "function".dimmed(), text.escape_debug());
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
        (Some(violation), _) => format!("CloudFront would answer 502: {violation}").red().to_string(),
        (None, Some(problem)) => problem.red().to_string(),
        (None, None) if word("rule").is_empty() => word("reason").to_owned(),
        (None, None) if report.forwarded => format!("by rule {}", word("rule")),
        (None, None) => format!("{} {}", word("reason"), word("rule")),
    };
    let key = if word("key").is_empty() { report.path.as_str() } else { word("key") };
    let millis = report.elapsed.as_secs_f64() * 1000.0;
    let took = format!("{millis:.1} ms");
    format!("{status} {:6} {}  {why}  {}", report.method, key.escape_debug(), took.dimmed())
}
