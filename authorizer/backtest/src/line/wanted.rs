//! A line of one request, with all that it has.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::access::{self, Values};
use super::{Context, LineContent};
use crate::facts::Span;
use crate::recorded::Before;

/// A line that is of the request that is searched for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// Of the decision log.
    Decision {
        /// Its members.
        members: Map<String, Value>,
        /// When it was logged, if it comes from CloudWatch Logs.
        at: Span,
    },
    /// Of an access log.
    Access {
        /// Its fields, by the names that they have there. One that is a hyphen is missing, except for the query, which is
        /// empty then.
        fields: Vec<(String, String)>,
        /// When the request came.
        at: Span,
        /// The outcome, as far as the log shows it. `None` if the function did not decide.
        before: Option<Before<'static>>,
    },
}

/// A line of the decision log.
pub(super) fn decision(text: &str, at: Span, id: &str) -> LineContent<'static> {
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(members) if members.get("request_id").and_then(Value::as_str) == Some(id) => {
            LineContent::Found(Box::new(Found::Decision { members, at }))
        }
        Ok(_) | Err(_) => LineContent::NoRequest,
    }
}

/// A line of an access log in JSON.
pub(super) fn access_json(
    text: &str,
    values: &Values<'_>,
    context: &Context<'_>,
    id: &str,
) -> LineContent<'static> {
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(text) else { return LineContent::NoRequest };
    let pairs = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    access_line(pairs.collect(), values, context, id)
}

/// A line of an access log.
pub(super) fn access_line(
    pairs: Vec<(String, String)>,
    values: &Values<'_>,
    context: &Context<'_>,
    id: &str,
) -> LineContent<'static> {
    let known = |(name, value): (String, String)| match (name.as_str(), value.as_str()) {
        ("cs-uri-query", "-") => Some((name, String::new())),
        (_, "-") => None,
        (_, _) => Some((name, value)),
    };
    let fields: Vec<_> = pairs.into_iter().filter_map(known).collect();
    if !fields.iter().any(|(name, value)| name == "x-edge-request-id" && value == id) {
        return LineContent::NoRequest;
    }
    let read = access::read(&Ok(values.clone()), context);
    let (at, before) = match read {
        LineContent::Request(recorded) => (recorded.at, Some(owned(recorded.before))),
        LineContent::Malformed(problem) => return LineContent::Malformed(problem),
        LineContent::Preflight | LineContent::SignIn => (values.at(), Some(Before::Unknown)),
        LineContent::NotDecided | LineContent::NoRequest | LineContent::Found(_) => (values.at(), None),
    };
    LineContent::Found(Box::new(Found::Access { fields, at, before }))
}

fn owned(before: Before<'_>) -> Before<'static> {
    let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match before {
        Before::Allowed { rule } => Before::Allowed { rule: rule.map(text) },
        Before::Refused { stage, rule, reason } => {
            Before::Refused { stage, rule: rule.map(text), reason: reason.map(text) }
        }
        Before::Answered(guesses) => Before::Answered(guesses),
        Before::Unknown => Before::Unknown,
    }
}
