//! One request of a log, and its outcome.

use std::borrow::Cow;
use std::net::IpAddr;

use authorizer_core::Reason;
use authorizer_core::logged_claims::LoggedClaims;

use super::facts::{Requested, Span};
use super::guesses::Guesses;
use super::rule::Assumptions;

/// A request as a log describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded<'l> {
    /// What was asked for; or why no policy lets it through, in a word of the decision log.
    pub(super) asked: Result<Requested, Cow<'l, str>>,
    pub(super) source: Option<IpAddr>,
    /// The host name of the request, in lower case, if the log has it.
    pub(super) host: Option<Cow<'l, str>>,
    pub(super) at: Span,
    pub(super) before: Before<'l>,
    /// The identity, as far as the log says.
    pub(super) came: Came<'l>,
    /// The digests of its claims, if the log has them.
    pub(super) claims: Option<SaltedClaims<'l>>,
    /// The assumptions that the line itself shows to be wrong.
    pub(super) contradicted: Assumptions,
    /// Whether only the status of an answer shows that it is the function's own.
    pub(super) is_answer_assumed: bool,
    /// The SHA-256 of the bundle that decided, if the log contains it.
    pub(super) bundle: Option<Cow<'l, str>>,
    /// The method, for display.
    pub(super) method: Cow<'l, str>,
    /// The path or key, for display if the request does not have a valid key.
    pub(super) path: Cow<'l, str>,
}

/// The digests of the claims of a token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SaltedClaims<'l> {
    pub(super) digests: LoggedClaims,
    /// Which salt they have. A line that does not say this has no claims for us.
    pub(super) salt_id: Cow<'l, str>,
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Before<'l> {
    /// It was allowed.
    Allowed {
        /// The rule that allowed it.
        rule: Option<Cow<'l, str>>,
    },
    /// It was refused.
    Refused {
        /// The stage that refused it.
        stage: Stage,
        /// The rule that denied it.
        rule: Option<Cow<'l, str>>,
        /// The reason word of the decision log.
        reason: Option<Cow<'l, str>>,
    },
    /// It was refused, in one of the ways that have the logged answer.
    Answered(Guesses),
    /// The log does not say.
    Unknown,
}

/// The identity.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Came<'l> {
    /// Anonymous: the request did not have a token.
    Nobody,
    /// The holder of a valid token.
    Holder {
        /// The policy's name for its issuer.
        issuer: Cow<'l, str>,
        /// The subject, as logged.
        subject: Option<Cow<'l, str>>,
    },
    /// The holder of a valid token of some issuer.
    SomeHolder,
    /// The log does not say.
    Unknown,
}

/// The stage that refused a request: what must differ for the request to pass it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// Nothing in a policy: the path, the event, a header.
    Always,
    /// A stage that is not known here.
    Unknown,
    /// The places of a token, and the pages that may use a cookie.
    Credential,
    /// The places of a token: the value that was found is not a token.
    TokenForm,
    /// The trusted issuers.
    Trust,
    /// The available keys.
    Keys,
    /// The rules: a rule denied it.
    Denied,
    /// The rules: no rule allowed it.
    NoRule,
}

impl Stage {
    /// The stage of a reason word of the decision log.
    pub(super) fn of_word(word: &str, knows_operation: bool) -> Self {
        // Later versions have other words.
        Reason::parse(word).map_or(Self::Unknown, |reason| Self::of(reason, knows_operation))
    }

    /// The stage of a reason. `knows_operation` is whether the line names the operation, as it does after the request
    /// was recognised.
    pub(super) fn of(reason: Reason, knows_operation: bool) -> Self {
        match reason {
            Reason::EventWrongTrigger
            | Reason::KeyMissing
            | Reason::KeyEscapeMalformed
            | Reason::KeyNotUtf8
            | Reason::KeyEmptySegment
            | Reason::KeyDotSegment
            | Reason::KeyControlCharacter
            | Reason::KeyBackslash
            | Reason::KeyRawPlus
            | Reason::KeyRawDelimiter
            | Reason::KeySoap
            | Reason::KeyTooLong
            | Reason::QueryMalformed
            | Reason::PostNotAnUpload
            | Reason::HeaderMalformed
            | Reason::CredentialScheme => Self::Always,
            // Without an operation, the reason is a header that no operation has. With one, only the rules decide on
            // headers and overrides.
            Reason::HeaderNotAllowed => {
                if knows_operation {
                    Self::NoRule
                } else {
                    Self::Always
                }
            }
            Reason::QueryNotAllowed => {
                if knows_operation {
                    Self::NoRule
                } else {
                    Self::Unknown
                }
            }
            Reason::CredentialRepeated | Reason::CredentialMalformed | Reason::OriginNotAllowed => {
                Self::Credential
            }
            Reason::TokenTooLong
            | Reason::TokenMalformed
            | Reason::TokenDuplicateMember
            | Reason::TokenEncrypted
            | Reason::TokenNested
            | Reason::TokenCriticalHeader => Self::TokenForm,
            Reason::IssuerUnknown
            | Reason::AlgorithmNotAllowed
            | Reason::SigningKeyUnknown
            | Reason::SignatureInvalid
            | Reason::TokenTypeMismatch
            | Reason::TokenTimeMalformed
            | Reason::TokenExpired
            | Reason::TokenNotYetValid
            | Reason::TokenIssuedInFuture
            | Reason::AudienceMismatch
            | Reason::ClientMismatch
            | Reason::RequiredClaimMismatch
            | Reason::TokenLifetimeTooLong
            | Reason::TokenBound
            | Reason::TokenRevoked => Self::Trust,
            Reason::KeysUnavailable => Self::Keys,
            Reason::DeniedByRule => Self::Denied,
            Reason::TokenMissing
            | Reason::KeyNotAllowed
            | Reason::OperationNotAllowed
            | Reason::IssuerNotAllowed
            | Reason::TimeNotAllowed
            | Reason::SourceNotAllowed
            | Reason::HostNotAllowed
            | Reason::ConditionNotMet
            | Reason::InsufficientScope
            | Reason::MetadataMismatch
            | Reason::LengthRequired
            | Reason::TooLarge
            | Reason::ContentTypeNotAllowed => Self::NoRule,
            // The event may be malformed only because of its address.
            Reason::MethodNotAllowed | Reason::EventMalformed => Self::Unknown,
            // A step of a sign-in is not a request for an object.
            Reason::SignIn(_) => Self::Unknown,
        }
    }
}

/// The assumptions that a refusal with this reason shows to be wrong. `knows_operation` is the same as for
/// [`Stage::of`]: with it, the rules refused the header or the parameter.
pub(super) fn contradicted_by(reason: Reason, knows_operation: bool) -> Assumptions {
    let is_of_upload = matches!(
        reason,
        Reason::LengthRequired | Reason::TooLarge | Reason::ContentTypeNotAllowed | Reason::MetadataMismatch
    ) || (knows_operation && reason == Reason::HeaderNotAllowed);
    let is_of_read = knows_operation && reason == Reason::QueryNotAllowed;
    Assumptions { tokens: false, reads: is_of_read, uploads: is_of_upload }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recognised_and_has_a_header_too_many_came_to_the_rules() {
        assert_eq!(Stage::of_word("header_not_allowed", true), Stage::NoRule);
        assert_eq!(Stage::of_word("header_not_allowed", false), Stage::Always);
        assert_eq!(Stage::of_word("query_not_allowed", true), Stage::NoRule);
        assert_eq!(Stage::of_word("query_not_allowed", false), Stage::Unknown);
        assert_eq!(Stage::of_word("a_word_to_come", true), Stage::Unknown);
    }
}
