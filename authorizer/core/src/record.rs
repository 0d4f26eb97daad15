//! Step 8: one line of the decision log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use crate::digest::sha256_hex;
use crate::token::VerifiedClaims;

/// The longest subject that is logged, in characters. OpenID Connect Core section 2 lets one have 255.
const MAX_SUBJECT: usize = 256;

/// How the decision log writes the subject of a token.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectLogging {
    /// As the token has it.
    Plain,
    /// As the SHA-256 of the issuer and the subject. Whoever knows or guesses the subject can find its lines. The
    /// hash hides the name from a reader, but not from a search, and the key of a request may still contain the
    /// subject.
    #[default]
    Hashed,
    /// Not at all.
    Omitted,
}

/// One line of the decision log. It never contains a token, a claim other than `sub`, a `kid` or a URL.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct DecisionRecord<'r> {
    /// CloudFront's id for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'r, str>>,
    /// The distribution's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_id: Option<Cow<'r, str>>,
    /// The HTTP method, cut to 16 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'r, str>>,
    /// The S3 operation, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Cow<'r, str>>,
    /// The object key, or the prefix of a listing, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'r, str>>,
    /// `allow`, `refuse` or `preflight`.
    pub decision: Verdict,
    /// The status of the function's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `allowed_by_rule`, `preflight_...`, or the word of the [`Refusal`](crate::Refusal).
    pub reason: Cow<'r, str>,
    /// What is wrong with an event that could not be read. It holds nothing that the viewer sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Cow<'r, str>>,
    /// The id of the rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Cow<'r, str>>,
    /// The policy's name for the issuer of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Cow<'r, str>>,
    /// The subject of the token, in the form that the policy sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'r, str>>,
    /// The SHA-256 of the bundle that decided, in hexadecimal.
    pub bundle_sha256: Cow<'r, str>,
}

/// A [`DecisionRecord`] as the line of JSON that the function writes to its standard output, which Lambda
/// sends to CloudWatch Logs.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionLine<'r> {
    /// The version of this format.
    log_version: u32,
    #[serde(flatten)]
    record: &'r DecisionRecord<'r>,
    /// How long the decision took, in microseconds.
    micros: u64,
}

impl<'r> DecisionLine<'r> {
    /// Creates a line for a decision that took this many microseconds.
    pub fn new(record: &'r DecisionRecord<'r>, micros: u64) -> Self {
        Self { log_version: 1, record, micros }
    }
}

/// The kind of decision.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It went on to S3.
    Allow,
    /// It was refused.
    #[default]
    Refuse,
    /// It was a CORS preflight, and the function answered it.
    Preflight,
}

impl Verdict {
    /// Its word in the decision log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
            Self::Preflight => "preflight",
        }
    }
}

impl<'r> DecisionRecord<'r> {
    /// The record as owned data, for a caller that outlives the event.
    pub fn into_owned(self) -> DecisionRecord<'static> {
        let owned = |text: Cow<'r, str>| Cow::Owned(text.into_owned());
        DecisionRecord {
            request_id: self.request_id.map(owned),
            distribution_id: self.distribution_id.map(owned),
            method: self.method.map(owned),
            operation: self.operation.map(owned),
            key: self.key.map(owned),
            decision: self.decision,
            status: self.status,
            reason: owned(self.reason),
            problem: self.problem.map(owned),
            rule: self.rule.map(owned),
            issuer: self.issuer.map(owned),
            subject: self.subject.map(owned),
            bundle_sha256: owned(self.bundle_sha256),
        }
    }

    /// Adds the owner of the token.
    pub(crate) fn note_principal(&mut self, claims: &VerifiedClaims<'r>, logging: SubjectLogging) {
        let issuer = claims.issuer();
        self.issuer = Some(issuer.name().into());
        self.subject = match logging {
            SubjectLogging::Plain => {
                claims.subject().map(|subject| subject.chars().take(MAX_SUBJECT).collect::<String>().into())
            }
            SubjectLogging::Hashed => claims.subject_sha256().map(|sum| sum.to_owned().into()),
            SubjectLogging::Omitted => None,
        };
    }
}
