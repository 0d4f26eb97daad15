//! All that logs have of one request.

use std::sync::Arc;

use authorizer_core::request::OwnParameters;
use serde_json::{Map, Value};

use super::Lines;
use super::facts::Span;
use super::line::{self, Context, Found, LineContent};
use super::recorded::Before;

/// What logs have of one request.
#[derive(Clone, Debug)]
pub struct Trace {
    id: String,
    /// The lines of the request, in the order in which they were found.
    pub lines: Vec<TracedLine>,
    pub(super) decision: Option<DecisionTrace>,
    pub(super) access: Option<AccessTrace>,
}

/// A line of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TracedLine {
    /// The name of its file.
    pub source: Arc<str>,
    /// Its number, from 1.
    pub line: u64,
    /// `decision log` or `access log`.
    pub kind: &'static str,
    /// Whether it is used. Only the first line of each kind is.
    pub is_used: bool,
}

/// A line of the decision log.
#[derive(Clone, Debug)]
pub(super) struct DecisionTrace {
    pub(super) members: Map<String, Value>,
    pub(super) at: Span,
}

/// A line of an access log.
#[derive(Clone, Debug)]
pub(super) struct AccessTrace {
    fields: Vec<(String, String)>,
    pub(super) at: Span,
    pub(super) before: Option<Before<'static>>,
}

impl DecisionTrace {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }
}

impl AccessTrace {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Trace {
    /// Of the request with this id: CloudFront's `x-edge-request-id`.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: id.into(), lines: Vec::new(), decision: None, access: None }
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The policy's name for the issuer of its token, if the decision log has it.
    pub fn issuer(&self) -> Option<&str> {
        self.decision.as_ref()?.text("issuer")
    }

    /// The distribution's id, if the decision log has it.
    pub fn distribution_id(&self) -> Option<&str> {
        self.decision.as_ref()?.text("distribution_id")
    }

    /// Takes what some lines have of the request.
    pub fn read(&mut self, lines: &Lines) {
        for (number, bytes) in (lines.first..).zip(lines.bytes.split_inclusive(|byte| *byte == b'\n')) {
            if !may_have(bytes, &self.id) {
                continue;
            }
            let mut all = Vec::new();
            let context = Context {
                layout: lines.layout.as_deref(),
                own: OwnParameters::default(),
                own_paths: &[],
                wanted: Some(&self.id),
            };
            line::read(bytes, &context, &mut |content| {
                if let LineContent::Found(found) = content {
                    all.push(*found);
                }
            });
            for found in all {
                self.take(found, lines.source.clone(), number);
            }
        }
    }

    fn take(&mut self, found: Found, source: Arc<str>, line: u64) {
        let (kind, is_used) = match found {
            Found::Decision { members, at } => {
                let is_first = self.decision.is_none();
                self.decision.get_or_insert(DecisionTrace { members, at });
                ("decision log", is_first)
            }
            Found::Access { fields, at, before } => {
                let is_first = self.access.is_none();
                self.access.get_or_insert(AccessTrace { fields, at, before });
                ("access log", is_first)
            }
        };
        self.lines.push(TracedLine { source, line, kind, is_used });
    }
}

/// Whether a line can be of the request. What is packed does not show it.
fn may_have(line: &[u8], id: &str) -> bool {
    let text = String::from_utf8_lossy(line);
    text.contains(id) || text.contains("\"awslogs\"")
}
