//! The facts that a log states about one request.

use std::cell::OnceCell;
use std::net::IpAddr;

use authorizer_core::UnixTime;
use authorizer_core::claim_name;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::{Method, OperationSet, S3Operation};
use authorizer_core::record::sha256_hex;
use authorizer_core::request::Resource;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::Condition;
use serde_json::{Map, Value};

use super::hashed::{Among, HashedClaims};

/// The requested operation and resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Requested {
    /// The operations that it can have been: one, where the log tells it.
    pub(super) operations: OperationSet,
    /// The resource.
    pub(super) resource: Option<Resource>,
    /// The response headers that a download requested.
    pub(super) overrides: Option<Vec<ResponseOverride>>,
    /// The parameters that it had and that a rule must allow.
    pub(super) extras: Option<Vec<ExtraParameter>>,
    /// Whether the log has the whole query, as the viewer sent it: also what the policy that decided dropped from it.
    pub(super) has_whole_query: bool,
}

impl Requested {
    /// An operation that the log names.
    pub(super) fn operation(operation: S3Operation, resource: Resource) -> Self {
        Self {
            operations: [operation].into_iter().collect(),
            resource: Some(resource),
            overrides: None,
            extras: None,
            has_whole_query: false,
        }
    }

    /// A request whose method is in the log, but not its operation.
    pub(super) fn method(method: Method, resource: Option<Resource>) -> Self {
        let is_of = |operation: &S3Operation| resource.as_ref().is_none_or(|one| one.is_of(*operation));
        let operations = method.operations().iter().filter(is_of).collect();
        Self { operations, resource, overrides: None, extras: None, has_whole_query: false }
    }

    /// A listing with an unknown prefix.
    pub(super) fn listing() -> Self {
        let operations = OperationSet::of(S3Operation::is_listing);
        Self { operations, resource: None, overrides: None, extras: None, has_whole_query: false }
    }

    /// The operation, if only one is possible.
    pub(super) fn one(&self) -> Option<S3Operation> {
        let mut operations = self.operations.iter();
        operations.next().filter(|_| operations.next().is_none())
    }
}

/// The earliest and the latest instant at which a request can have been decided, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) first: UnixTime,
    pub(super) last: UnixTime,
}

impl Span {
    /// The log does not say when.
    pub(super) fn unknown() -> Self {
        // The greatest value stands for an unknown time; no log line has it.
        let last = UnixTime::from_seconds(u64::MAX.saturating_sub(1));
        Self { first: UnixTime::from_seconds(0), last }
    }

    /// The span extended by this many seconds before and after.
    pub(super) fn around(seconds: u64, before: u64, after: u64) -> Self {
        Self {
            first: UnixTime::from_seconds(seconds.saturating_sub(before)),
            last: UnixTime::from_seconds(seconds.saturating_add(after).min(u64::MAX.saturating_sub(1))),
        }
    }
}

/// The identity of the viewer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Caller<'l> {
    /// Nobody known: no token came.
    Anonymous,
    /// The subject of a token that verified.
    Holder {
        /// The policy's name for its issuer.
        issuer: &'l str,
        /// Its subject.
        subject: TokenSubject<'l>,
    },
    /// The subject of a token that verified, of one of these issuers of the policy.
    OneOf(&'l [String]),
    /// The log does not say.
    Unknown,
}

/// The `sub` of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum TokenSubject<'l> {
    /// The log does not say, or the token had none.
    Unknown,
    /// This text.
    Text(&'l str),
    /// The subject with this digest, as [`SubjectLogging::Hashed`](authorizer_core::record::SubjectLogging) makes it.
    Digest {
        /// In hexadecimal.
        digest: &'l str,
        /// The `iss` that is part of it.
        iss: &'l str,
    },
}

impl TokenSubject<'_> {
    /// Whether the subject is this text; none where that cannot be told.
    pub(super) fn is(&self, text: &str) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Text(subject) => Some(*subject == text),
            Self::Digest { digest, iss } => {
                Some(sha256_hex(&[iss.as_bytes(), b"\n", text.as_bytes()].concat()) == *digest)
            }
        }
    }
}

/// The known facts about one request, for the rules of one policy.
#[derive(Debug)]
pub(super) struct Facts<'l> {
    pub(super) asked: &'l Requested,
    pub(super) source: Option<IpAddr>,
    /// The request's host, if the log has it.
    pub(super) host: Option<&'l str>,
    pub(super) at: Span,
    pub(super) who: Caller<'l>,
    /// Conditions that held: those of a rule that is known to have matched.
    pub(super) held: &'l [Condition],
    /// The claims, if the log has them.
    pub(super) hashed: Option<HashedClaims<'l>>,
    claims: OnceCell<KeyClaims>,
}

/// The claims to match key patterns with.
#[derive(Debug)]
pub(super) struct KeyClaims {
    /// A subset of the real claims: a pattern that matches with these also matches with the real ones.
    pub(super) least: Map<String, Value>,
    /// A superset of the possible claims: a pattern that does not match with these does not match with the real ones.
    /// Unless a pattern has a claim that another one is in: no value is a text and an object.
    pub(super) most: Map<String, Value>,
}

impl<'l> Facts<'l> {
    pub(super) fn new(
        asked: &'l Requested,
        source: Option<IpAddr>,
        at: Span,
        who: Caller<'l>,
        held: &'l [Condition],
    ) -> Self {
        Self { asked, source, host: None, at, who, held, hashed: None, claims: OnceCell::new() }
    }

    /// With the host that the log has of the request.
    pub(super) fn with_host(self, host: Option<&'l str>) -> Self {
        Self { host, ..self }
    }

    /// With the claims that the log has of the token.
    pub(super) fn with_claims(self, hashed: Option<HashedClaims<'l>>) -> Self {
        Self { hashed, ..self }
    }

    /// The claims, as far as key patterns can distinguish them; `names` are the claim names of all patterns.
    pub(super) fn key_claims<'n>(&self, names: impl Iterator<Item = &'n str>) -> &KeyClaims {
        self.claims.get_or_init(|| {
            let texts = self.segments();
            let mut least = Map::new();
            let mut most = Map::new();
            let any = || Value::Array(texts.iter().map(|text| Value::String(text.clone())).collect());
            for name in names {
                claim_name::put(&mut most, name, any());
                if let Some(among) = self.hashed.and_then(|hashed| hashed.among(name, &texts)) {
                    self.tell_claim(name, among, &mut least, &mut most);
                }
            }
            if let Caller::Holder { subject, .. } = &self.who {
                self.tell_subject(subject, &texts, &mut least, &mut most);
            }
            KeyClaims { least, most }
        })
    }

    /// What a line with the digests of a claim tells.
    fn tell_claim(
        &self,
        name: &str,
        among: Among,
        least: &mut Map<String, Value>,
        most: &mut Map<String, Value>,
    ) {
        // A text that is no whole segment may still be one that a prefix begins.
        let begun = match &self.asked.resource {
            Some(Resource::Prefix(prefix)) => Some(beginning(prefix.parts().1)),
            Some(Resource::Object(_)) => None,
            None => return,
        };
        let array = |texts: Vec<String>| Value::Array(texts.into_iter().map(Value::String).collect());
        match among {
            Among::One(Some(text)) => {
                claim_name::put(least, name, Value::String(text.clone()));
                claim_name::put(most, name, Value::String(text));
            }
            Among::One(None) => match begun {
                Some(text) => {
                    claim_name::put(most, name, Value::String(text));
                }
                None => {
                    claim_name::remove(most, name);
                }
            },
            Among::Some(texts) => {
                claim_name::put(most, name, array(texts.iter().cloned().chain(begun).collect()));
                claim_name::put(least, name, array(texts));
            }
            Among::AtLeast(texts) => {
                claim_name::put(least, name, array(texts));
            }
            Among::NoText => {
                claim_name::remove(most, name);
            }
        }
    }

    fn tell_subject(
        &self,
        subject: &TokenSubject<'_>,
        texts: &[String],
        least: &mut Map<String, Value>,
        most: &mut Map<String, Value>,
    ) {
        let known = match subject {
            TokenSubject::Unknown => return,
            TokenSubject::Text(text) => Some((*text).to_owned()),
            TokenSubject::Digest { .. } => texts.iter().find(|text| subject.is(text) == Some(true)).cloned(),
        };
        match (known, &self.asked.resource) {
            (Some(text), _) => {
                least.insert("sub".to_owned(), Value::String(text.clone()));
                most.insert("sub".to_owned(), Value::String(text));
            }
            (None, Some(Resource::Object(_))) => {
                most.remove("sub");
            }
            // It does not equal a whole segment; a digest does not show what it begins with.
            (None, Some(Resource::Prefix(prefix))) => {
                most.insert("sub".to_owned(), Value::String(beginning(prefix.parts().1)));
            }
            (None, None) => {}
        }
    }

    /// All values of a claim that a pattern could distinguish from others.
    fn segments(&self) -> Vec<String> {
        match &self.asked.resource {
            Some(Resource::Object(key)) => key.segments().map(str::to_owned).collect(),
            Some(Resource::Prefix(prefix)) => {
                let (whole, rest) = prefix.parts();
                whole.into_iter().map(str::to_owned).chain([beginning(rest)]).collect()
            }
            None => Vec::new(),
        }
    }
}

/// A segment that begins with this text.
fn beginning(rest: &str) -> String {
    format!("{rest}a")
}
