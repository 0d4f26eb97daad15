//! What a log says of one request.

use std::cell::OnceCell;
use std::net::IpAddr;

use authorizer_core::UnixTime;
use authorizer_core::operation::{Method, OperationSet, S3Operation};
use authorizer_core::record::sha256_hex;
use authorizer_core::request::Resource;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::Condition;
use serde_json::{Map, Value};

/// What was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Requested {
    /// The operations that it can have been: one, where the log tells it.
    pub(super) operations: OperationSet,
    /// On what.
    pub(super) resource: Option<Resource>,
    /// The response headers that a download asked for.
    pub(super) overrides: Option<Vec<ResponseOverride>>,
}

impl Requested {
    /// An operation that the log names.
    pub(super) fn operation(operation: S3Operation, resource: Resource) -> Self {
        Self { operations: [operation].into_iter().collect(), resource: Some(resource), overrides: None }
    }

    /// What has a method, and no operation in the log.
    pub(super) fn method(method: Method, resource: Option<Resource>) -> Self {
        let is_of = |operation: &S3Operation| resource.as_ref().is_none_or(|one| one.is_of(*operation));
        let operations = method.operations().iter().filter(is_of).collect();
        Self { operations, resource, overrides: None }
    }

    /// A listing of what is not known.
    pub(super) fn listing() -> Self {
        let operations = OperationSet::of(S3Operation::is_listing);
        Self { operations, resource: None, overrides: None }
    }

    /// The one operation that it was.
    pub(super) fn one(&self) -> Option<S3Operation> {
        let mut operations = self.operations.iter();
        operations.next().filter(|_| operations.next().is_none())
    }
}

/// The instants between which a request was decided on, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) first: UnixTime,
    pub(super) last: UnixTime,
}

impl Span {
    /// The log says nothing of the time.
    pub(super) fn unknown() -> Self {
        // The greatest stands for a clock that says nothing, which no log line comes from.
        let last = UnixTime::from_seconds(u64::MAX.saturating_sub(1));
        Self { first: UnixTime::from_seconds(0), last }
    }

    /// Up to this many seconds before, and after.
    pub(super) fn around(seconds: u64, before: u64, after: u64) -> Self {
        Self {
            first: UnixTime::from_seconds(seconds.saturating_sub(before)),
            last: UnixTime::from_seconds(seconds.saturating_add(after).min(u64::MAX.saturating_sub(1))),
        }
    }
}

/// Who asked.
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
    /// The log does not say.
    Unknown,
}

/// The `sub` of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum TokenSubject<'l> {
    /// The log does not say, or the token had none.
    Unknown,
    /// This.
    Text(&'l str),
    /// What has this digest, as [`SubjectLogging::Hashed`](authorizer_core::record::SubjectLogging) makes it.
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

/// What is known of one request, for the rules of one policy.
#[derive(Debug)]
pub(super) struct Facts<'l> {
    pub(super) asked: &'l Requested,
    pub(super) source: Option<IpAddr>,
    pub(super) at: Span,
    pub(super) who: Caller<'l>,
    /// Conditions that held: those of a rule that is known to have matched.
    pub(super) held: &'l [Condition],
    claims: OnceCell<KeyClaims>,
}

/// Claims to hold key patterns against.
#[derive(Debug)]
pub(super) struct KeyClaims {
    /// No more than the claims are: a pattern that matches with these matches.
    pub(super) least: Map<String, Value>,
    /// No less than the claims can be: a pattern that does not match with these does not match.
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
        Self { asked, source, at, who, held, claims: OnceCell::new() }
    }

    /// The claims, as far as key patterns can tell them apart; `names` are those of all patterns.
    pub(super) fn key_claims<'n>(&self, names: impl Iterator<Item = &'n str>) -> &KeyClaims {
        self.claims.get_or_init(|| {
            let texts = self.segments();
            let mut least = Map::new();
            let mut most = Map::new();
            let any = || Value::Array(texts.iter().map(|text| Value::String(text.clone())).collect());
            for name in names {
                most.insert(name.to_owned(), any());
            }
            if let Caller::Holder { subject, .. } = &self.who {
                self.tell_subject(subject, &texts, &mut least, &mut most);
            }
            KeyClaims { least, most }
        })
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
            // It is none of the whole segments; what it begins with, a digest does not tell.
            (None, Some(Resource::Prefix(prefix))) => {
                most.insert("sub".to_owned(), Value::String(beginning(prefix.parts().1)));
            }
            (None, None) => {}
        }
    }

    /// All values of a claim that a pattern could tell from others.
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
