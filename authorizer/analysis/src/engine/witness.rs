//! A request that proves an answer. It is concrete enough for the core to decide on it.

use std::borrow::Cow;
use std::net::IpAddr;

use authorizer_core::operation::{LengthHeader, Method, Parameter, ParameterForm, S3Operation};
use authorizer_core::record::{DecisionRecord, Verdict};
use authorizer_core::rules::{Access, KeyPattern};
use authorizer_core::{Authorizer, Refusal, Supposed, UnixTime};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::atom::Reading;
use super::question::is_within;
use super::space::Model;
use crate::posed::EventParts;

/// RFC 3986 section 2.3's unreserved characters are not escaped.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same, and the slashes of a path.
const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

/// A request, with the claims of the token that it comes with.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Witness {
    /// Its operation.
    pub operation: S3Operation,
    /// The method.
    #[serde(skip)]
    pub method: &'static str,
    /// The object key, or the prefix of a listing.
    pub key: String,
    /// The path, percent-encoded.
    #[serde(skip)]
    pub uri: String,
    /// The query string, without its `?`.
    #[serde(skip)]
    pub querystring: String,
    /// The headers beside the credential. `Host` is among them if a rule of a policy has `hosts`, or if the question has
    /// a host.
    #[serde(skip)]
    pub headers: Vec<(String, String)>,
    /// Whether nothing was asked of the host: the one in the headers, if there is one, is of no rule.
    #[serde(skip)]
    pub(crate) is_any_host: bool,
    /// The viewer's address.
    #[serde(skip)]
    pub source: IpAddr,
    /// The instant, in seconds since 1970; `None` for a clock that is not usable.
    #[serde(serialize_with = "instant")]
    #[schemars(with = "Option<u64>")]
    pub at: UnixTime,
    /// `typ` of the token's header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// The claims of the token; `None` without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Map<String, Value>>,
    /// The viewer-request event, as CloudFront would write it. The token is not in it, because nobody can sign one.
    pub event: Value,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn instant<S: Serializer>(at: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    match at.as_seconds() {
        u64::MAX => serializer.serialize_none(),
        seconds => serializer.serialize_u64(seconds),
    }
}

/// The path of a key with every byte escaped: the same key to S3 and to the rules.
fn spelled_otherwise(key: &str) -> String {
    let bytes = key.bytes().map(|byte| match byte {
        b'/' => "/".to_owned(),
        byte => format!("%{byte:02X}"),
    });
    std::iter::once("/".to_owned()).chain(bytes).collect()
}

impl Witness {
    /// The request that a model describes. `other` is a host that no rule has, for a model that says nothing of the
    /// host, if there are rules that have one. `is_own` says which paths a policy's function answers itself: the object
    /// with such a key is asked for in another spelling.
    pub(crate) fn of(model: Model, other: Option<String>, is_own: impl Fn(&str) -> bool) -> Self {
        let operation = model.operation;
        let mut headers = Vec::new();
        let is_any_host = model.host.is_none();
        headers.extend(model.host.or(other).map(|host| ("host".to_owned(), host)));
        let length = model.length.map(|length| length.to_string());
        let length_header = operation.length().unwrap_or(LengthHeader::ContentLength).name();
        headers.extend(length.map(|length| (length_header.to_owned(), length)));
        headers.extend(model.media_type.map(|media_type| ("content-type".to_owned(), media_type)));
        headers.extend(model.checksums.iter().map(|one| {
            let (name, value) = one.example();
            (name.to_owned(), value.to_owned())
        }));
        headers.extend(model.metadata.into_iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value)));
        let encoded = |text: &str| utf8_percent_encode(text, IN_QUERY).to_string();
        let parameters = operation.parameters().iter();
        let mut query: Vec<String> = parameters
            .filter_map(|Parameter { name, form, is_required }| match form {
                ParameterForm::Prefix => Some(format!("{name}={}", encoded(&model.resource))),
                _ if !is_required => None,
                ParameterForm::Empty => Some((*name).to_owned()),
                ParameterForm::Exactly(text) => Some(format!("{name}={text}")),
                ParameterForm::Number(..) | ParameterForm::Opaque | ParameterForm::Text => {
                    Some(format!("{name}=1"))
                }
            })
            .collect();
        query.extend(model.parameters.iter().map(|one| format!("{}={}", one.name(), one.example())));
        query.extend(model.overrides.iter().map(|one| format!("{}=x", one.name())));
        let uri = match operation.is_listing() {
            true => "/".to_owned(),
            false => Some(format!("/{}", utf8_percent_encode(&model.resource, IN_PATH)))
                .filter(|uri| !is_own(uri))
                .unwrap_or_else(|| spelled_otherwise(&model.resource)),
        };
        let querystring = query.join("&");
        let method = Method::as_str(operation.method());
        let event = EventParts {
            request_id: "audit",
            method,
            uri: &uri,
            querystring: &querystring,
            headers: &headers,
            source: model.source,
        };
        // Maps with text for keys can always be written; the core confirms what is.
        let event = serde_json::to_value(event.event()).unwrap_or_default();
        Self {
            operation,
            method,
            key: model.resource,
            uri,
            querystring,
            headers,
            is_any_host,
            source: model.source,
            at: model.at,
            token_type: model.token_type.filter(|_| model.claims.is_some()),
            claims: model.claims,
            event,
        }
    }

    fn supposed(&self) -> Option<Supposed> {
        let claims = self.claims.clone()?;
        Some(Supposed { token_type: self.token_type.clone(), claims })
    }

    /// The input of the rules that the core reads from it.
    pub(crate) fn access<'p>(&self, authorizer: &'p Authorizer) -> Result<Access<'p>, Refusal> {
        let event = self.event.to_string();
        match self.supposed() {
            Some(supposed) => authorizer.access_supposing(event.as_bytes(), &supposed, self.at),
            None => authorizer.access(event.as_bytes(), self.at),
        }
    }

    /// Whether the object, or every object of the listing, is of this pattern, as the core decides.
    pub fn is_of(&self, pattern: &KeyPattern, authorizer: &Authorizer) -> bool {
        let reading = if self.operation.is_listing() { Reading::Whole } else { Reading::Exactly };
        self.access(authorizer).is_ok_and(|access| is_within(pattern, reading, &access))
    }

    /// The decision of the core, by a policy.
    pub fn replay(&self, authorizer: &Authorizer) -> Replayed {
        let event = self.event.to_string();
        let authorized = match self.supposed() {
            Some(supposed) => authorizer.authorize_supposing(event.as_bytes(), &supposed, self.at),
            None => authorizer.authorize(event.as_bytes(), self.at),
        };
        Replayed::of(authorized.record)
    }
}

/// The decision of the core on a witness.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Replayed {
    /// Whether the request goes on.
    pub allowed: bool,
    /// The rule that decided; `None` if no rule did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The word in the decision log.
    pub reason: String,
}

impl Replayed {
    fn of(record: DecisionRecord<'_>) -> Self {
        Self {
            allowed: record.decision == Verdict::Allow,
            rule: record.rule.map(Cow::into_owned),
            reason: record.reason.into_owned(),
        }
    }
}
