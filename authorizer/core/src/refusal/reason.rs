//! The words of refusals, each with its HTTP status and its meaning. This is the complete list.

/// Creates [`Reason`] from one list, and [`SignInReason`] from the rest of it, so that a new word is in everything that is
/// made from the list. Only steps of a sign-in are refused with the words of the second, and no request for an object.
macro_rules! reasons {
    (
        requests { $($name:ident = $word:literal, $status:literal, $meaning:literal;)* }
        sign_in { $($step:ident = $step_word:literal, $step_status:literal, $step_meaning:literal;)* }
    ) => {
        /// The name of a refusal in the decision log. Many refusals can have the same reason.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Reason {
            $(#[doc = concat!("`", $word, "`, status ", $status, ": the request ", $meaning, ".")] $name,)*
            /// A step of a sign-in is refused, and no request for an object.
            #[cfg(feature = "code-flow")]
            SignIn(SignInReason),
        }

        /// The name of a refusal of a step of a sign-in, in the decision log.
        #[cfg(feature = "code-flow")]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum SignInReason {
            $(#[doc = concat!("`", $step_word, "`, status ", $step_status, ": the request ", $step_meaning, ".")] $step,)*
        }

        impl Reason {
            /// All of them, in the order in which messages name them.
            pub const ALL: [Self; [$($word,)* $(#[cfg(feature = "code-flow")] $step_word,)*].len()] = [
                $(Self::$name,)*
                $(#[cfg(feature = "code-flow")] Self::SignIn(SignInReason::$step),)*
            ];

            /// The words of all of them, in the same order.
            pub const WORDS: [&'static str; Self::ALL.len()] =
                [$($word,)* $(#[cfg(feature = "code-flow")] $step_word,)*];

            /// The word in the decision log. It is stable, so that alarms can depend on it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                    #[cfg(feature = "code-flow")]
                    Self::SignIn(step) => match step { $(SignInReason::$step => $step_word,)* },
                }
            }

            /// The reason with this word.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    $(#[cfg(feature = "code-flow")] $step_word => Some(Self::SignIn(SignInReason::$step)),)*
                    _ => None,
                }
            }

            /// The HTTP status, 400 to 503.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                    #[cfg(feature = "code-flow")]
                    Self::SignIn(step) => match step { $(SignInReason::$step => $step_status,)* },
                }
            }

            /// The meaning: the rest of a sentence that begins with "the request".
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                    #[cfg(feature = "code-flow")]
                    Self::SignIn(step) => match step { $(SignInReason::$step => $step_meaning,)* },
                }
            }
        }
    };
}

reasons! {
    requests {
        EventMalformed = "event_malformed", 500,
            "is not the event of one CloudFront request";
        EventWrongTrigger = "event_wrong_trigger", 500,
            "comes from another trigger than viewer-request";
        KeyMissing = "key_missing", 400,
            "has no object key in its path";
        KeyEscapeMalformed = "key_escape_malformed", 400,
            "has a `%` in its path that two hexadecimal digits do not follow";
        KeyNotUtf8 = "key_not_utf8", 400,
            "has a path that is not UTF-8 after it is decoded";
        KeyEmptySegment = "key_empty_segment", 400,
            "has a path with an empty segment, such as `a//b`";
        KeyDotSegment = "key_dot_segment", 400,
            "has a path with a segment `.` or `..`";
        KeyControlCharacter = "key_control_character", 400,
            "has a path with a control character";
        KeyBackslash = "key_backslash", 400,
            "has a path with a backslash";
        KeyRawPlus = "key_raw_plus", 400,
            "has a path with a `+` that is not percent-encoded: S3 reads it as a space";
        KeyRawDelimiter = "key_raw_delimiter", 400,
            "has a path with a space, `#` or `?` that is not percent-encoded";
        KeySoap = "key_soap", 400,
            "is for the key `soap`, which S3 does not serve where the bucket is in the host name";
        KeyTooLong = "key_too_long", 400,
            "has a key longer than the 1,024 bytes that S3 allows";
        QueryNotAllowed = "query_not_allowed", 400,
            "has a query parameter that does not belong to any operation that some rule allows, or a response header override or another parameter that no matching rule allows";
        QueryMalformed = "query_malformed", 400,
            "has a query string that can be read in more than one way, a parameter twice, or a value with the wrong form";
        PostNotAnUpload = "post_not_an_upload", 400,
            "is a POST, but not a step of a multipart upload";
        HeaderNotAllowed = "header_not_allowed", 400,
            "has a header that would change the operation, or metadata or a checksum that no matching rule allows";
        HeaderMalformed = "header_malformed", 400,
            "has a header of its operation with a value that is not allowed, or twice";
        MethodNotAllowed = "method_not_allowed", 405,
            "has a method that no rule allows on any key";
        CredentialRepeated = "credential_repeated", 400,
            "has more than one credential; several cookies of the policy's name are refused unless it is a read and the policy has `[sign_in]`";
        CredentialScheme = "credential_scheme", 401,
            "has an Authorization header that is not a bearer token";
        CredentialMalformed = "credential_malformed", 401,
            "has a cookie, header or query parameter for the token that does not contain a token";
        TokenMissing = "token_missing", 401,
            "has no token, and no rule allows it without one; the status is 302 where the viewer is sent to sign in, which also holds for a token in a cookie that is refused with 401";
        TokenTooLong = "token_too_long", 401,
            "has a token longer than any that is read";
        TokenMalformed = "token_malformed", 401,
            "has a token that does not have three parts of the right form, or a claim of the wrong JSON type (`sub`, `jti`, `client_id`, `azp`, `scope`, `scp`)";
        TokenDuplicateMember = "token_duplicate_member", 401,
            "has a token whose header or claims have a member twice";
        TokenEncrypted = "token_encrypted", 401,
            "has an encrypted token (JWE)";
        TokenNested = "token_nested", 401,
            "has a token that contains another token";
        TokenCriticalHeader = "token_critical_header", 401,
            "has a token with a header that must be understood and is not (`crit`, `b64`)";
        IssuerUnknown = "issuer_unknown", 401,
            "has a token of an issuer that the policy does not name";
        AlgorithmNotAllowed = "algorithm_not_allowed", 401,
            "has a token with an algorithm (`alg`) that the policy does not list for its issuer";
        SigningKeyUnknown = "signing_key_unknown", 401,
            "has a token whose key id (`kid`) fits no key of its issuer";
        SignatureInvalid = "signature_invalid", 401,
            "has a token that its issuer's key did not sign";
        TokenTypeMismatch = "token_type_mismatch", 401,
            "has a token of another type (`typ`)";
        TokenTimeMalformed = "token_time_malformed", 401,
            "has a token without `exp`, without `iat` where the policy limits lifetimes, or with a time that is not a number";
        TokenExpired = "token_expired", 401,
            "has a token that has expired";
        TokenNotYetValid = "token_not_yet_valid", 401,
            "has a token that is not valid yet (`nbf`)";
        TokenIssuedInFuture = "token_issued_in_future", 401,
            "has a token issued in the future (`iat`)";
        AudienceMismatch = "audience_mismatch", 401,
            "has a token for another audience (`aud`)";
        ClientMismatch = "client_mismatch", 401,
            "has a token for another client (`client_id`)";
        RequiredClaimMismatch = "required_claim_mismatch", 401,
            "has a token without the value of a claim that its issuer requires in the policy";
        TokenLifetimeTooLong = "token_lifetime_too_long", 401,
            "has a token that is valid for longer than the policy accepts";
        TokenBound = "token_bound", 401,
            "has a token that is bound to a key of its client (`cnf`), where the policy does not accept such a token as a bearer token";
        TokenRevoked = "token_revoked", 401,
            "has a token that the policy revokes";
        KeysUnavailable = "keys_unavailable", 503,
            "has a token that may be valid, but its keys cannot be fetched at the moment";
        DeniedByRule = "denied_by_rule", 403,
            "is denied by the rule in the field `rule`";
        KeyNotAllowed = "key_not_allowed", 403,
            "is for a key that matches no allow rule, for this token";
        OperationNotAllowed = "operation_not_allowed", 403,
            "is for a key that matches, but with an operation that no allow rule has there";
        IssuerNotAllowed = "issuer_not_allowed", 403,
            "matches a rule except for the issuer of its token";
        TimeNotAllowed = "time_not_allowed", 403,
            "matches a rule except for the time: the rule does not hold yet, or no longer";
        SourceNotAllowed = "source_not_allowed", 403,
            "matches a rule except for the viewer's address";
        HostNotAllowed = "host_not_allowed", 403,
            "is for a key and an operation that match, but for another host than those of the rule";
        ConditionNotMet = "condition_not_met", 403,
            "matches a rule except for a condition on the claims";
        InsufficientScope = "insufficient_scope", 403,
            "lacks only a scope";
        LengthRequired = "length_required", 411,
            "matches a rule except that it does not say how long the upload is";
        TooLarge = "too_large", 413,
            "matches a rule except that the upload is too large";
        ContentTypeNotAllowed = "content_type_not_allowed", 415,
            "matches a rule except for the upload's content type";
        MetadataMismatch = "metadata_mismatch", 403,
            "matches a rule except for metadata: it has the wrong value, or the claim that it must equal does not have a usable value";
        OriginNotAllowed = "origin_not_allowed", 403,
            "is a preflight from an origin whose pages may not use the distribution, or a request from such a page with the token's cookie, or with the header that a proxy adds, and a method other than GET and HEAD";
    }
    sign_in {
        Malformed = "sign_in_malformed", 400,
            "comes back from the provider with a query that has neither a `code` and a `state` nor an `error` and a `state`, or one of them twice";
        StateUnknown = "sign_in_state_unknown", 400,
            "comes back from the provider with a `state` that this browser did not get here in the last 10 minutes, or has used";
        IssuerMismatch = "sign_in_issuer_mismatch", 400,
            "comes back with another issuer's `iss`, or without one where the policy requires it";
        Denied = "sign_in_denied", 403,
            "comes back with the provider's word that the person may not sign in, or did not";
        ProviderError = "sign_in_provider_error", 502,
            "comes back with an error of the provider, or the token endpoint does not accept the client";
        CodeRefused = "sign_in_code_refused", 400,
            "has a code that the token endpoint does not accept";
        ProviderUnavailable = "sign_in_provider_unavailable", 503,
            "needs the token endpoint, which does not answer in time, or answers with 429 or 5xx";
        AnswerMalformed = "sign_in_answer_malformed", 502,
            "needs the token endpoint, whose answer is not that of one";
        IdTokenRefused = "sign_in_id_token_refused", 403,
            "led to an ID token that does not verify, or is not for this client, this sign-in or this person";
        TokenRefused = "sign_in_token_refused", 403,
            "led to a token that a request would be refused with, that is another person's, or that is too long for cookies";
        NotKept = "session_not_kept", 401,
            "is for a page that the browser was sent back to in the last 15 seconds, and does not have the session that it got";
        SessionMissing = "session_missing", 401,
            "asks for a new token and has no session";
        SessionEnded = "session_ended", 401,
            "asks for a new token in a session that is over";
        RefreshRefused = "session_refresh_refused", 401,
            "asks for a new token, and there is no refresh token or the provider does not accept it";
        CrossSite = "sign_in_cross_site", 403,
            "asks for a new token or a sign-out, and may come from another site";
    }
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
