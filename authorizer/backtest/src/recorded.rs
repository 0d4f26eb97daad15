//! One request of a log, and what became of it.

use std::borrow::Cow;
use std::net::IpAddr;

use authorizer_core::Reason;

use super::facts::{Requested, Span};

/// A request as a log has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded<'l> {
    /// What was asked for; or why no policy lets it through, in a word of the decision log.
    pub(super) asked: Result<Requested, Cow<'l, str>>,
    pub(super) source: Option<IpAddr>,
    pub(super) at: Span,
    pub(super) before: Before<'l>,
    /// Who came, as far as the log says.
    pub(super) came: Came<'l>,
    /// The SHA-256 of the bundle that decided, where the log says.
    pub(super) bundle: Option<Cow<'l, str>>,
    /// The method, to show.
    pub(super) method: Cow<'l, str>,
    /// The path or key, to show where it is none that is decided on.
    pub(super) path: Cow<'l, str>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Before<'l> {
    /// It went on.
    Allowed {
        /// The rule that allowed it.
        rule: Option<Cow<'l, str>>,
    },
    /// It was refused.
    Refused {
        /// How far it came.
        stage: Stage,
        /// The rule that denied it.
        rule: Option<Cow<'l, str>>,
        /// The word of the decision log.
        reason: Option<Cow<'l, str>>,
    },
    /// The log does not tell.
    Unknown,
}

/// Who came.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Came<'l> {
    /// Nobody known: there was no token.
    Nobody,
    /// The holder of a token that verified.
    Holder {
        /// The policy's name for its issuer.
        issuer: Cow<'l, str>,
        /// The subject, as it is logged.
        subject: Option<Cow<'l, str>>,
    },
    /// The log does not say.
    Unknown,
}

/// How far a request came that was refused: what would have to be another, for it to come further.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// Nothing that a policy says: the path, the event, a header.
    Always,
    /// Something that is not told here.
    Unknown,
    /// Where a token is looked for, and whose pages may use a cookie.
    Credential,
    /// Where the token was found: wherever that is, it is none.
    TokenForm,
    /// Whose tokens are trusted.
    Trust,
    /// The keys that could be had.
    Keys,
    /// The rules: this one denied it.
    Denied,
    /// The rules: none allowed it.
    NoRule,
}

impl Stage {
    /// Of a word of the decision log. `knows_operation` is whether the line names the operation, as it does once
    /// the request was recognised.
    pub(super) fn of(reason: &str, knows_operation: bool) -> Self {
        // Words to come.
        let Some(reason) = Reason::parse(reason) else { return Self::Unknown };
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
            | Reason::KeyTooLong
            | Reason::QueryMalformed
            | Reason::PostNotAnUpload
            | Reason::CredentialScheme => Self::Always,
            // Of a header that no operation has; once it is one, only the rules have something to say of headers
            // and overrides.
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
            | Reason::TokenRevoked => Self::Trust,
            Reason::KeysUnavailable => Self::Keys,
            Reason::DeniedByRule => Self::Denied,
            Reason::TokenMissing
            | Reason::KeyNotAllowed
            | Reason::OperationNotAllowed
            | Reason::IssuerNotAllowed
            | Reason::TimeNotAllowed
            | Reason::SourceNotAllowed
            | Reason::ConditionNotMet
            | Reason::InsufficientScope
            | Reason::MetadataMismatch
            | Reason::LengthRequired
            | Reason::TooLarge
            | Reason::ContentTypeNotAllowed => Self::NoRule,
            // The event may be malformed for its address alone.
            Reason::MethodNotAllowed | Reason::EventMalformed => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recognised_and_has_a_header_too_many_came_to_the_rules() {
        assert_eq!(Stage::of("header_not_allowed", true), Stage::NoRule);
        assert_eq!(Stage::of("header_not_allowed", false), Stage::Always);
        assert_eq!(Stage::of("query_not_allowed", true), Stage::NoRule);
        assert_eq!(Stage::of("query_not_allowed", false), Stage::Unknown);
        assert_eq!(Stage::of("a_word_to_come", true), Stage::Unknown);
    }
}
