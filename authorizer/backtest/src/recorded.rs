//! One request of a log, and what became of it.

use std::borrow::Cow;
use std::net::IpAddr;

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
        match reason {
            "event_wrong_trigger"
            | "key_missing"
            | "key_escape_malformed"
            | "key_not_utf8"
            | "key_empty_segment"
            | "key_dot_segment"
            | "key_control_character"
            | "key_backslash"
            | "key_raw_plus"
            | "key_raw_delimiter"
            | "key_too_long"
            | "query_malformed"
            | "post_not_an_upload"
            | "credential_scheme" => Self::Always,
            // Of a header that no operation has; once it is one, only the rules have something to say of headers
            // and overrides.
            "header_not_allowed" => {
                if knows_operation {
                    Self::NoRule
                } else {
                    Self::Always
                }
            }
            "query_not_allowed" => {
                if knows_operation {
                    Self::NoRule
                } else {
                    Self::Unknown
                }
            }
            "credential_repeated" | "credential_malformed" | "origin_not_allowed" => Self::Credential,
            "token_too_long"
            | "token_malformed"
            | "token_duplicate_member"
            | "token_encrypted"
            | "token_nested"
            | "token_critical_header" => Self::TokenForm,
            "issuer_unknown"
            | "algorithm_not_allowed"
            | "signing_key_unknown"
            | "signature_invalid"
            | "token_type_mismatch"
            | "token_time_malformed"
            | "token_expired"
            | "token_not_yet_valid"
            | "token_issued_in_future"
            | "audience_mismatch"
            | "client_mismatch"
            | "required_claim_mismatch"
            | "token_lifetime_too_long"
            | "token_revoked" => Self::Trust,
            "keys_unavailable" => Self::Keys,
            "denied_by_rule" => Self::Denied,
            "token_missing"
            | "key_not_allowed"
            | "operation_not_allowed"
            | "issuer_not_allowed"
            | "time_not_allowed"
            | "source_not_allowed"
            | "condition_not_met"
            | "insufficient_scope"
            | "metadata_mismatch"
            | "length_required"
            | "too_large"
            | "content_type_not_allowed" => Self::NoRule,
            // `method_not_allowed` and `event_malformed`, which may be of the address; and words to come.
            _ => Self::Unknown,
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
