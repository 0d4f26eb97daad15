//! One event that was replayed.

use std::borrow::Cow;

use authorizer_core::outcome::Outcome;
use authorizer_core::record::Verdict;
use authorizer_core::{Authorized, UnixTime};
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Where an event was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'e> {
    /// The file, relative to the argument that it was found under.
    pub(super) source: &'e str,
    /// The line, from 1, where a file holds more than one event.
    pub(super) line: Option<u64>,
    /// The number of the event, from 1, where it is in an array or one of several on its line.
    pub(super) item: Option<u64>,
}

impl<'e> Origin<'e> {
    /// A file of one event.
    pub(super) fn file(source: &'e str) -> Self {
        Self { source, line: None, item: None }
    }

    /// A line of a file, from 1.
    pub(super) fn line(source: &'e str, line: u64) -> Self {
        Self { source, line: Some(line), item: None }
    }
}

/// The result of one event: a line of `--format json`, and of a file for `--expect`.
///
/// The bundle's SHA-256 is not part of it, so that outcomes recorded under one policy can be compared with those of
/// another.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Replayed<'e> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The file of the event, relative to the argument that it was found under; `-` is standard input.
    source: &'e str,
    /// The line of the event, from 1, if its file has more than one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The number of the event, from 1, if it is in an array or one of several on its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<u64>,
    /// The time of the decision, in seconds since 1970, in a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<u64>,
    /// The decision.
    pub(super) decision: Verdict,
    /// The status of the function's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// `allowed_by_rule`, `preflight_...`, or why it was refused.
    reason: Cow<'e, str>,
    /// What is wrong with an event that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Cow<'e, str>>,
    /// The id of the rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Cow<'e, str>>,
    /// The HTTP method, cut to 16 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'e, str>>,
    /// The S3 operation, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Cow<'e, str>>,
    /// The object key, or the prefix of a listing, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'e, str>>,
    /// The policy's name for the issuer of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<Cow<'e, str>>,
    /// The subject of the token, in the form that the policy sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'e, str>>,
    /// What CloudFront gets.
    outcome: Outcome<'e>,
    /// Where an event that is not JSON is broken.
    #[serde(skip)]
    pub(super) broken: Option<String>,
}

impl<'e> Replayed<'e> {
    pub(super) fn new(origin: Origin<'e>, authorized: Authorized<'e>) -> Self {
        let Authorized { outcome, record } = authorized;
        Self {
            version: 1,
            source: origin.source,
            line: origin.line,
            item: origin.item,
            now: None,
            decision: record.decision,
            status: record.status,
            reason: record.reason,
            problem: record.problem,
            rule: record.rule,
            method: record.method,
            operation: record.operation,
            key: record.key,
            issuer: record.issuer,
            subject: record.subject,
            outcome,
            broken: None,
        }
    }

    /// The outcome of a request as it is recorded, at a line of a file.
    pub(crate) fn recorded(source: &'e str, line: u64, now: UnixTime, authorized: Authorized<'e>) -> Self {
        Self::new(Origin::line(source, line), authorized).at(now)
    }

    /// The same, of a recording.
    pub(super) fn at(self, now: UnixTime) -> Self {
        Self { now: Some(now.as_seconds()), ..self }
    }

    /// The line of its event, if its file has several.
    pub(super) fn line(&self) -> Option<u64> {
        self.line
    }

    /// Where the event came from, in words.
    pub(super) fn place(&self) -> String {
        place(self.source, self.line, self.item)
    }

    /// The line of `--format json`.
    pub(crate) fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same, to compare.
    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The line of `--format text`.
    pub(super) fn to_text(&self) -> String {
        let place = self.place();
        let asked = format!(
            "{} {}",
            self.method.as_deref().unwrap_or("-"),
            self.key.as_deref().unwrap_or("-").escape_debug()
        );
        match self.decision {
            Verdict::Allow => {
                let rule = self.rule.as_deref().unwrap_or("-");
                format!("{}      {asked}  by rule {rule}  {}", "allow".green(), place.dimmed())
            }
            Verdict::Refuse => {
                let status = self.status.unwrap_or_default();
                let rule = self.rule.as_deref().map(|rule| format!(" {rule}")).unwrap_or_default();
                let problem =
                    self.problem.as_deref().map(|problem| format!(": {problem}")).unwrap_or_default();
                let broken = self.broken.as_deref().map(|broken| format!(" ({broken})")).unwrap_or_default();
                format!(
                    "{} {status} {asked}  {}{problem}{broken}{rule}  {}",
                    "refuse".red(),
                    self.reason,
                    place.dimmed()
                )
            }
            Verdict::Preflight | Verdict::SignIn => {
                let status = self.status.unwrap_or_default();
                format!("{} {status} {asked}  {}  {}", "answer".green(), self.reason, place.dimmed())
            }
        }
    }
}

/// A file, a line of it, and the number of the event there.
pub(super) fn place(source: &str, line: Option<u64>, item: Option<u64>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    let item = item.map(|item| format!("#{item}")).unwrap_or_default();
    format!("{source}{line}{item}")
}
