//! Step 8: one line of the decision log.

use std::borrow::Cow;
use std::iter;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::cors::PreflightVerdict;
pub use crate::digest::sha256_hex;
use crate::logged_claims::{ClaimHasher, LoggedClaims};
use crate::refusal::Refusal;
#[cfg(feature = "code-flow")]
use crate::sign_in::code_flow::SignInWord;
use crate::time::UnixTime;
use crate::token::VerifiedClaims;

/// The longest subject that is logged, in characters. OpenID Connect Core section 2 lets one have 255.
const MAX_SUBJECT: usize = 256;

/// The version of a line. Version 1 had no time, no query and no claims.
pub const LOG_VERSION: u32 = 2;

/// The most names of query parameters in a line.
const MAX_NAMES: usize = 20;

/// The longest name of a query parameter in a line, in bytes. S3's own are shorter; a token is longer.
const MAX_NAME: usize = 40;

/// The reason of every request that goes on.
pub(crate) const ALLOWED_BY_RULE: &str = "allowed_by_rule";

/// Every word that `reason` of the decision log can be: of a request that goes on, of an answered preflight, of a step of a
/// sign-in, and of each
/// [`Refusal`].
pub fn reasons() -> impl Iterator<Item = &'static str> {
    let preflights = PreflightVerdict::ALL.into_iter().map(PreflightVerdict::reason);
    let words = iter::once(ALLOWED_BY_RULE).chain(preflights);
    #[cfg(feature = "code-flow")]
    let words = words.chain(SignInWord::ALL.into_iter().map(SignInWord::reason));
    words.chain(Refusal::REASONS)
}

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

/// One line of the decision log. It never contains the token, the value of a claim other than `sub`, a `kid` or a URL of
/// the viewer.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct DecisionRecord<'r> {
    /// The instant of the decision, as the caller gave it. `None` if its clock was not usable. [`DecisionLine`] has it.
    #[serde(skip)]
    pub time: Option<UnixTime>,
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
    /// The host name of the request, in lower case, if a rule of the policy has `hosts` and the request has exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'r, str>>,
    /// The query of a request that is forwarded, as S3 gets it; `None` if it is empty. The value of a parameter that looks
    /// like a token is left out, with its `=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Cow<'r, str>>,
    /// The names of the query parameters of any other request, in the form that docs/decision-log.md describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_names: Option<Cow<'r, str>>,
    /// `allow`, `refuse`, `preflight` or `sign_in`.
    pub decision: Verdict,
    /// The status of the function's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `allowed_by_rule`, `preflight_...`, what a sign-in did, or why it was refused.
    pub reason: Cow<'r, str>,
    /// What is wrong with an event that could not be read, or with a token of the provider that signs people in. It holds
    /// nothing that the viewer or the provider sent.
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
    /// The digests of the claims that rules read, if the policy has a salt for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<LoggedClaims>,
    /// Which salt they have, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims_salt_id: Option<Cow<'r, str>>,
    /// The SHA-256 of the bundle that decided, in hexadecimal.
    pub bundle_sha256: Cow<'r, str>,
}

/// A [`DecisionRecord`] as the line of JSON that the function writes to its standard output, which Lambda
/// sends to CloudWatch Logs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "tools", schemars(title = "A line of the decision log"))]
pub struct DecisionLine<'r> {
    /// The version of this format.
    #[cfg_attr(feature = "tools", schemars(extend("const" = LOG_VERSION)))]
    log_version: u32,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(flatten)]
    record: &'r DecisionRecord<'r>,
    /// How long the decision took, in microseconds.
    micros: u64,
}

impl<'r> DecisionLine<'r> {
    /// Creates a line for a decision that took this many microseconds.
    pub fn new(record: &'r DecisionRecord<'r>, micros: u64) -> Self {
        Self { log_version: LOG_VERSION, time: record.time.map(UnixTime::as_seconds), record, micros }
    }
}

/// The kind of decision.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub enum Verdict {
    /// It went on to S3.
    Allow,
    /// It was refused.
    #[default]
    Refuse,
    /// It was a CORS preflight, and the function answered it.
    Preflight,
    /// It was a step of a sign-in, and the function did it.
    #[cfg(feature = "code-flow")]
    #[serde(rename = "sign_in")]
    SignIn,
}

impl Verdict {
    /// Its word in the decision log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
            Self::Preflight => "preflight",
            #[cfg(feature = "code-flow")]
            Self::SignIn => "sign_in",
        }
    }
}

impl<'r> DecisionRecord<'r> {
    /// The record as owned data, for a caller that outlives the event.
    pub fn into_owned(self) -> DecisionRecord<'static> {
        let owned = |text: Cow<'r, str>| Cow::Owned(text.into_owned());
        DecisionRecord {
            time: self.time,
            request_id: self.request_id.map(owned),
            distribution_id: self.distribution_id.map(owned),
            method: self.method.map(owned),
            operation: self.operation.map(owned),
            key: self.key.map(owned),
            host: self.host.map(owned),
            query: self.query.map(owned),
            query_names: self.query_names.map(owned),
            decision: self.decision,
            status: self.status,
            reason: owned(self.reason),
            problem: self.problem.map(owned),
            rule: self.rule.map(owned),
            issuer: self.issuer.map(owned),
            subject: self.subject.map(owned),
            claims: self.claims,
            claims_salt_id: self.claims_salt_id.map(owned),
            bundle_sha256: owned(self.bundle_sha256),
        }
    }

    /// Adds the owner of the token.
    pub(crate) fn note_principal(
        &mut self,
        claims: &VerifiedClaims<'r>,
        logging: SubjectLogging,
        hasher: Option<&'r ClaimHasher>,
    ) {
        let issuer = claims.issuer();
        self.issuer = Some(issuer.name().into());
        self.subject = match logging {
            SubjectLogging::Plain => {
                claims.subject().map(|subject| subject.chars().take(MAX_SUBJECT).collect::<String>().into())
            }
            SubjectLogging::Hashed => claims.subject_sha256().map(|sum| sum.to_owned().into()),
            SubjectLogging::Omitted => None,
        };
        self.claims = hasher.map(|hasher| claims.digests(hasher));
        self.claims_salt_id = hasher.map(|hasher| hasher.salt_id().into());
    }
}

/// Names of query parameters for the log, with `&` between them; `None` if there are none. A name that no parameter of
/// S3 or of a policy has, or that could be a secret by its length, is written as `?`; what is over 20 names, as `...`.
pub(crate) fn query_names<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut text = String::new();
    for (count, name) in names.enumerate() {
        if count > 0 {
            text.push('&');
        }
        if count >= MAX_NAMES {
            text.push_str("...");
            break;
        }
        text.push_str(logged_name(name));
    }
    (!text.is_empty()).then_some(text)
}

/// The name of a query parameter for the log.
pub(crate) fn logged_name(name: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_shown = !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_plain);
    if is_shown { name } else { "?" }
}

/// Whether a text contains what looks like a token: parts of base64url with dots between them, of which one has the
/// beginning of a JSON object and two dots after it. This finds each token that is accepted, wherever the text has it: the
/// parts after its header may be empty (RFC 7515 section 6 and appendix F, RFC 7516 section 7.1), and its header may have
/// white space.
pub(crate) fn has_a_token(text: &str) -> bool {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c| !is_of_token(c)).any(|run| {
        let mut rest = run;
        while let Some((part, after)) = rest.split_once('.') {
            if !after.contains('.') {
                return false;
            }
            if has_an_object(part) {
                return true;
            }
            rest = after;
        }
        false
    })
}

/// Whether base64url has the beginning of a JSON object with a member: `{`, white space and `"`. Other characters may be
/// before the header of a token, so each of the four ways to cut the text into groups is looked at, once.
fn has_an_object(part: &str) -> bool {
    (0..4).any(|skipped| {
        let mut is_open = false;
        part.as_bytes().get(skipped..).unwrap_or_default().chunks(4).any(|group| {
            let mut bytes = [0; 3];
            // The last group may not be whole.
            let count = URL_SAFE_NO_PAD.decode_slice(group, &mut bytes).unwrap_or_default();
            bytes.iter().take(count).any(|byte| {
                let is_begun = is_open && *byte == b'"';
                is_open = *byte == b'{' || (is_open && matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
                is_begun
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_anything_are_not_written() {
        let names = |names: &[&str]| query_names(names.iter().copied());
        let long = "a".repeat(41);
        for (given, expected) in [
            (&[][..], None),
            (&["acl"], Some("acl")),
            (&["versionId", "X-Amz-Signature"], Some("versionId&X-Amz-Signature")),
            (&["", "a b", "a%2F", "\u{e9}", "a\"b", "a\nb", &long], Some("?&?&?&?&?&?&?")),
            (&["eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"], Some("?")),
        ] {
            assert_eq!(names(given).as_deref(), expected, "{given:?}");
        }
        let many = names(&["n"; 100]).unwrap();
        assert_eq!(many, format!("{}...", "n&".repeat(20)));
    }

    #[test]
    fn what_looks_like_a_token_is_told_from_other_text() {
        let spaced = |header: &str| format!("{}.eyJz.c2ln", URL_SAFE_NO_PAD.encode(header));
        for token in [
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
            "Bearer eyJh.eyJz.c2lnAA",
            "a=eyJh.eyJz.c2ln;x",
            "xeyJh.eyJz.abc.d.e",
            // `alg` `none`, a detached payload, and a JWE with `alg` `dir`.
            "eyJh.eyJz.",
            "eyJh..abc",
            "eyJh..aXY.Y2lwaGVy.dGFn",
            // Beside something else.
            "eyJ-eyJh.eyJz.abc",
            "eyJ.eyJh.eyJz.abc",
            "report-2027.eyJh.eyJz.abc",
            &spaced("{ \"alg\": \"EdDSA\"}"),
            &spaced("{\n  \"alg\": \"EdDSA\"\n}"),
            &spaced("{\n\t\"alg\":\"EdDSA\"}"),
            &spaced("{\r\n\"alg\":\"EdDSA\"}"),
            &spaced(&format!(" {{{}\"alg\":\"EdDSA\"}}", " ".repeat(1000))),
        ] {
            assert!(has_a_token(token), "{token}");
            for before in ["a", "ab", "a-b", "abcd."] {
                assert!(has_a_token(&format!("{before}{token}")), "{before}{token}");
            }
        }
        for text in [
            "",
            "eyJ",
            "eyJhbGc",
            "eyJh.eyJz",
            "eyJ..abc",
            "a.b.eyJh",
            "a.eyJh.b",
            "example.com.au",
            "attachment; filename=a.b.c",
            "a.b.c",
        ] {
            assert!(!has_a_token(text), "{text}");
        }
        // The work grows with the length and not faster.
        assert!(!has_a_token(&"ICAg".repeat(50_000)) && !has_a_token(&"ewog.".repeat(50_000)));
    }
}
