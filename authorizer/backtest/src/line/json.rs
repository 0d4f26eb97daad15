//! A line that is a JSON object. Its members show which log it is from.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::access::{self, Values};
use super::decision::{self, Decision, Second};
use super::{Context, Depth, LineContent, Sink, cloudwatch, wanted};
use crate::facts::Span;

/// The newest version of the decision log that is read.
const LOG_VERSION: u64 = 2;

/// A text, or a number as text: the logs have both for the same field.
#[derive(Clone, Debug)]
pub(super) struct Text<'l>(pub(super) Cow<'l, str>);

impl<'de: 'l, 'l> Deserialize<'de> for Text<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

/// The members of all kinds of lines. Other members are ignored.
#[derive(Deserialize)]
struct Object<'l> {
    // The decision log.
    log_version: Option<u64>,
    #[serde(borrow)]
    method: Option<Cow<'l, str>>,
    #[serde(borrow)]
    operation: Option<Cow<'l, str>>,
    #[serde(borrow)]
    key: Option<Cow<'l, str>>,
    #[serde(borrow)]
    query: Option<Cow<'l, str>>,
    #[serde(borrow)]
    host: Option<Cow<'l, str>>,
    #[serde(borrow)]
    query_names: Option<Cow<'l, str>>,
    #[serde(borrow)]
    claims: Option<&'l RawValue>,
    #[serde(borrow)]
    claims_salt_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    decision: Option<Cow<'l, str>>,
    #[serde(borrow)]
    reason: Option<Cow<'l, str>>,
    #[serde(borrow)]
    rule: Option<Cow<'l, str>>,
    #[serde(borrow)]
    issuer: Option<Cow<'l, str>>,
    #[serde(borrow)]
    subject: Option<Cow<'l, str>>,
    #[serde(borrow)]
    bundle_sha256: Option<Cow<'l, str>>,
    // The function's other events, and Lambda's own, in the JSON format.
    #[serde(borrow)]
    event: Option<Cow<'l, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'l, str>>,
    // A handler's error, as AWS's client for Python writes it.
    #[serde(borrow, rename = "errorType")]
    error_type: Option<&'l RawValue>,
    // An access log.
    #[serde(borrow, rename = "cs-method")]
    cs_method: Option<Text<'l>>,
    #[serde(borrow, rename = "cs-uri-stem")]
    cs_uri_stem: Option<Text<'l>>,
    #[serde(borrow, rename = "cs-uri-query")]
    cs_uri_query: Option<Text<'l>>,
    #[serde(borrow, rename = "sc-status")]
    sc_status: Option<Text<'l>>,
    #[serde(borrow, rename = "c-ip")]
    c_ip: Option<Text<'l>>,
    #[serde(borrow)]
    date: Option<Text<'l>>,
    #[serde(borrow)]
    time: Option<Text<'l>>,
    #[serde(borrow, rename = "timestamp(ms)")]
    timestamp_ms: Option<Text<'l>>,
    #[serde(borrow, rename = "time-taken")]
    time_taken: Option<Text<'l>>,
    #[serde(borrow, rename = "x-edge-result-type")]
    result_type: Option<Text<'l>>,
    #[serde(borrow, rename = "x-edge-response-result-type")]
    response_result_type: Option<Text<'l>>,
    #[serde(borrow, rename = "x-edge-detailed-result-type")]
    detailed_result_type: Option<Text<'l>>,
    #[serde(borrow, rename = "x-edge-request-id")]
    edge_request_id: Option<Text<'l>>,
    #[serde(borrow, rename = "sc-content-type")]
    content_type: Option<Text<'l>>,
    #[serde(borrow, rename = "sc-content-len")]
    content_length: Option<Text<'l>>,
    // Exports from CloudWatch Logs.
    #[serde(borrow)]
    awslogs: Option<&'l RawValue>,
    #[serde(borrow, rename = "messageType")]
    message_type: Option<&'l RawValue>,
    // Lambda's JSON format puts a line that is JSON in as an object.
    #[serde(borrow)]
    message: Option<&'l RawValue>,
    #[serde(borrow)]
    timestamp: Option<Text<'l>>,
}

/// Reads the objects of a line. Firehose writes records one after the other, without a separator.
pub(super) fn read(text: &str, at: Span, context: &Context<'_>, depth: Depth, found: Sink<'_>) {
    for object in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        match object {
            Ok(object) => read_one(object.get(), at, context, depth, found),
            Err(error) if error.is_eof() => {
                let problem = "the line ends within a JSON object: each object must be on one line";
                return found(LineContent::Malformed(problem.to_owned()));
            }
            Err(error) => {
                return found(LineContent::Malformed(format!("the line is not valid JSON: {error}")));
            }
        }
    }
}

fn read_one(text: &str, at: Span, context: &Context<'_>, depth: Depth, found: Sink<'_>) {
    let object: Object<'_> = match serde_json::from_str(text) {
        Ok(object) => object,
        Err(error) => return found(LineContent::Malformed(format!("a member has the wrong type: {error}"))),
    };
    match object {
        Object { log_version: Some(1 | LOG_VERSION), .. } => found(match context.wanted {
            Some(id) => wanted::decision(text, at, id),
            None => decision::read(decision_of(object), at),
        }),
        Object { log_version: Some(version), .. } => {
            let problem = format!(
                "the line has version {version} of the decision log; this command reads versions 1 and 2"
            );
            found(LineContent::Malformed(problem));
        }
        Object { cs_method: Some(_), .. } | Object { cs_uri_stem: Some(_), .. } => {
            let values = values_of(object);
            found(match context.wanted {
                Some(id) => wanted::access_json(text, &values, context, id),
                None => access::read(&Ok(values), context),
            });
        }
        Object { awslogs: Some(awslogs), .. } if depth == Depth::Line => {
            cloudwatch::read_packed(awslogs.get(), context, found);
        }
        Object { message_type: Some(_), .. } if depth == Depth::Line => {
            cloudwatch::read_record(text, context, found);
        }
        Object { error_type: Some(_), .. } => found(LineContent::NoRequest),
        Object { message: Some(message), timestamp: Some(timestamp), .. } if depth == Depth::Line => {
            let message = serde_json::from_str(message.get()).unwrap_or_else(|_| message.get().to_owned());
            cloudwatch::read_event(&message, timestamp.0.parse().ok(), context, found);
        }
        Object { event: Some(event), .. } if is_functions_own(&event) => found(LineContent::NoRequest),
        Object { kind: Some(kind), .. } if kind.starts_with("platform.") => found(LineContent::NoRequest),
        _ => {
            let problem = "this object is not a line of a decision log, an access log or CloudWatch Logs";
            found(LineContent::Malformed(problem.to_owned()));
        }
    }
}

/// Whether the function logs this event, beside decisions.
fn is_functions_own(event: &str) -> bool {
    ["start", "keys_fetched", "keys_not_fetched", "tokens_fetched", "tokens_not_fetched", "start_failed"]
        .contains(&event)
}

fn decision_of(object: Object<'_>) -> Decision<'_> {
    let Object { method, operation, key, decision, reason, rule, issuer, subject, bundle_sha256, .. } =
        object;
    let second = (object.log_version == Some(LOG_VERSION)).then_some(Second {
        time: object.time,
        query: object.query,
        host: object.host,
        query_names: object.query_names,
        claims: object.claims,
        claims_salt_id: object.claims_salt_id,
    });
    Decision { method, operation, key, decision, reason, rule, issuer, subject, bundle_sha256, second }
}

fn values_of(object: Object<'_>) -> Values<'_> {
    let mut values = Values::default();
    for (name, text) in [
        ("cs-method", object.cs_method),
        ("cs-uri-stem", object.cs_uri_stem),
        ("cs-uri-query", object.cs_uri_query),
        ("sc-status", object.sc_status),
        ("c-ip", object.c_ip),
        ("date", object.date),
        ("time", object.time),
        ("timestamp(ms)", object.timestamp_ms),
        ("time-taken", object.time_taken),
        ("x-edge-result-type", object.result_type),
        ("x-edge-response-result-type", object.response_result_type),
        ("x-edge-detailed-result-type", object.detailed_result_type),
        ("x-edge-request-id", object.edge_request_id),
        ("sc-content-type", object.content_type),
        ("sc-content-len", object.content_length),
    ] {
        if let Some(Text(text)) = text {
            values.set(name, text);
        }
    }
    values
}
