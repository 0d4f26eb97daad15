//! The words of refusals, each with its HTTP status: the whole list, once.

/// Makes [`Reason`] of one list, so that a word that is added is in all that is made of the list.
macro_rules! reasons {
    ($($name:ident = $word:literal, $status:literal;)*) => {
        /// What a refusal is called in the decision log. Many refusals can have one reason.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Reason {
            $(#[doc = concat!("`", $word, "`, status ", $status, ".")] $name,)*
        }

        impl Reason {
            /// All of them, in the order in which they are named to people.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$name),*];

            /// The words of all of them, in the same order.
            pub const WORDS: [&'static str; Self::ALL.len()] = [$($word),*];

            /// The word in the decision log: stable, so that alarms can stand on it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The reason of this word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }

            /// The HTTP status, 400 to 503.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

reasons! {
    EventMalformed = "event_malformed", 500;
    EventWrongTrigger = "event_wrong_trigger", 500;
    KeyMissing = "key_missing", 400;
    KeyEscapeMalformed = "key_escape_malformed", 400;
    KeyNotUtf8 = "key_not_utf8", 400;
    KeyEmptySegment = "key_empty_segment", 400;
    KeyDotSegment = "key_dot_segment", 400;
    KeyControlCharacter = "key_control_character", 400;
    KeyBackslash = "key_backslash", 400;
    KeyRawPlus = "key_raw_plus", 400;
    KeyRawDelimiter = "key_raw_delimiter", 400;
    KeyTooLong = "key_too_long", 400;
    QueryNotAllowed = "query_not_allowed", 400;
    QueryMalformed = "query_malformed", 400;
    PostNotAnUpload = "post_not_an_upload", 400;
    HeaderNotAllowed = "header_not_allowed", 400;
    MethodNotAllowed = "method_not_allowed", 405;
    CredentialRepeated = "credential_repeated", 400;
    CredentialScheme = "credential_scheme", 401;
    CredentialMalformed = "credential_malformed", 401;
    TokenMissing = "token_missing", 401;
    TokenTooLong = "token_too_long", 401;
    TokenMalformed = "token_malformed", 401;
    TokenDuplicateMember = "token_duplicate_member", 401;
    TokenEncrypted = "token_encrypted", 401;
    TokenNested = "token_nested", 401;
    TokenCriticalHeader = "token_critical_header", 401;
    IssuerUnknown = "issuer_unknown", 401;
    AlgorithmNotAllowed = "algorithm_not_allowed", 401;
    SigningKeyUnknown = "signing_key_unknown", 401;
    SignatureInvalid = "signature_invalid", 401;
    TokenTypeMismatch = "token_type_mismatch", 401;
    TokenTimeMalformed = "token_time_malformed", 401;
    TokenExpired = "token_expired", 401;
    TokenNotYetValid = "token_not_yet_valid", 401;
    TokenIssuedInFuture = "token_issued_in_future", 401;
    AudienceMismatch = "audience_mismatch", 401;
    ClientMismatch = "client_mismatch", 401;
    RequiredClaimMismatch = "required_claim_mismatch", 401;
    TokenLifetimeTooLong = "token_lifetime_too_long", 401;
    TokenRevoked = "token_revoked", 401;
    KeysUnavailable = "keys_unavailable", 503;
    DeniedByRule = "denied_by_rule", 403;
    KeyNotAllowed = "key_not_allowed", 403;
    OperationNotAllowed = "operation_not_allowed", 403;
    IssuerNotAllowed = "issuer_not_allowed", 403;
    TimeNotAllowed = "time_not_allowed", 403;
    SourceNotAllowed = "source_not_allowed", 403;
    ConditionNotMet = "condition_not_met", 403;
    InsufficientScope = "insufficient_scope", 403;
    LengthRequired = "length_required", 411;
    TooLarge = "too_large", 413;
    ContentTypeNotAllowed = "content_type_not_allowed", 415;
    MetadataMismatch = "metadata_mismatch", 403;
    OriginNotAllowed = "origin_not_allowed", 403;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_that_the_core_can_say_is_in_the_list() {
        assert_eq!(Reason::WORDS.into_iter().collect::<BTreeSet<_>>().len(), Reason::ALL.len());
        for (reason, word) in Reason::ALL.into_iter().zip(Reason::WORDS) {
            assert_eq!(reason.word(), word);
            assert_eq!(Reason::parse(word), Some(reason));
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'8'), "{word}");
            assert!((400..=503).contains(&reason.status()), "{word}");
        }
    }
}
