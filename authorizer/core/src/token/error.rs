//! Why a token does not verify.

use thiserror::Error;

/// Why a token does not verify. The viewer sees `invalid_token` for all of these (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum TokenError {
    /// Longer than the limit for tokens.
    #[error("longer than the limit for tokens")]
    TooLong,
    /// Not three parts of the right form (RFC 7515 section 7.1), or a claim of another JSON type: `sub`, `jti`,
    /// `client_id` and `azp` are strings, and `scope` and `scp` are a string or an array of strings.
    #[error("not a token")]
    Malformed,
    /// The header or the claims contain a member twice (RFC 7515 section 4, RFC 7519 section 4).
    #[error("a member appears twice")]
    DuplicateMember,
    /// Five parts: a JWE (RFC 7516). This function does not have a key to decrypt it.
    #[error("an encrypted token")]
    Encrypted,
    /// A token inside a token (`cty`, RFC 7519 section 5.2).
    #[error("a token within a token")]
    Nested,
    /// An extension that must be understood, but is not (`crit`, RFC 7515 section 4.1.11; `b64`, RFC 7797).
    #[error("an extension that is not understood")]
    CriticalHeader,
    /// No issuer of the policy has the token's `iss`.
    #[error("not from an issuer of the policy")]
    IssuerUnknown,
    /// The issuer does not sign with the token's `alg` (RFC 8725 section 3.1).
    #[error("the issuer does not sign with this algorithm")]
    AlgorithmNotAllowed,
    /// The issuer has no key with the token's `kid` that fits its `alg`.
    #[error("the issuer has no such key")]
    SigningKeyUnknown,
    /// The issuer's key did not make the signature.
    #[error("the signature is not the issuer's")]
    SignatureInvalid,
    /// `typ` is not the one that the policy names (RFC 8725 section 3.11).
    #[error("not a token of the expected type")]
    TypeMismatch,
    /// `exp` is missing; or `exp`, `nbf` or `iat` is not a number; or `iat` is missing and the policy limits the
    /// lifetime.
    #[error("a time is missing or is not a number")]
    TimeMalformed,
    /// The current time is at or after `exp`.
    #[error("expired")]
    Expired,
    /// The current time is before `nbf`.
    #[error("not valid yet")]
    NotYetValid,
    /// `iat` is in the future.
    #[error("issued in the future")]
    IssuedInFuture,
    /// The time from `iat` to `exp` is longer than the policy allows.
    #[error("its lifetime is too long")]
    LifetimeTooLong,
    /// `aud` does not contain any of the policy's audiences.
    #[error("meant for another audience")]
    AudienceMismatch,
    /// `client_id` is not one of the policy's clients.
    #[error("issued to another client")]
    ClientMismatch,
    /// A claim that the policy requires is absent or has another value.
    #[error("a required claim is missing or different")]
    RequiredClaimMismatch,
    /// It is bound to a key of its client (`cnf`, RFC 7800), which nothing here verifies.
    #[error("bound to a key")]
    Bound,
    /// The policy's deny list contains it.
    #[error("revoked")]
    Revoked,
}
