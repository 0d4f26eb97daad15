//! One event that was replayed.

use authorizer_core::Authorized;
use authorizer_core::outcome::Outcome;
use authorizer_core::record::Verdict;
use serde::Serialize;
use serde_json::Value;

use super::source::Event;

/// What came of one event: a line of `--format json`, and of a file for `--expect`.
///
/// The bundle's SHA-256 is not part of it, so that outcomes recorded under one policy can be held against
/// those of another.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Replayed {
    version: u32,
    /// The file, relative to the argument that it was found under.
    pub(super) source: String,
    /// The line, from 1, where a file holds more than one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u64>,
    pub(super) decision: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    outcome: Outcome,
}

impl Replayed {
    pub(super) fn new(event: &Event, authorized: Authorized) -> Self {
        let Authorized { outcome, record } = authorized;
        Self {
            version: 1,
            source: event.source.clone(),
            line: event.line,
            decision: record.decision,
            status: record.status,
            reason: record.reason,
            rule: record.rule,
            method: record.method,
            operation: record.operation,
            key: record.key,
            issuer: record.issuer,
            subject: record.subject,
            outcome,
        }
    }

    /// Where the event came from, in words.
    pub(super) fn place(&self) -> String {
        place(&self.source, self.line)
    }

    /// The line of `--format json`.
    pub(super) fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same, to compare.
    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// A file, and a line of it.
pub(super) fn place(source: &str, line: Option<u64>) -> String {
    match line {
        Some(line) => format!("{source}:{line}"),
        None => source.to_owned(),
    }
}
