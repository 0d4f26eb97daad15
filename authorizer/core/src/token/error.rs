//! Why a token does not verify.

use thiserror::Error;

/// Why a token does not verify. To the viewer all of these are `invalid_token` (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum TokenError {
    /// Longer than any token that is looked at.
    #[error("longer than any token that is read")]
    TooLong,
    /// Not three parts of the right form (RFC 7515 section 7.1), or `sub` is no string.
    #[error("not a token")]
    Malformed,
    /// The header or the claims hold a member twice (RFC 7515 section 4, RFC 7519 section 4).
    #[error("a member stands twice")]
    DuplicateMember,
    /// Five parts: a JWE (RFC 7516), which this function holds no key to open.
    #[error("an encrypted token")]
    Encrypted,
    /// A token within a token (`cty`, RFC 7519 section 5.2).
    #[error("a token within a token")]
    Nested,
    /// An extension that must be understood and is not (`crit`, RFC 7515 section 4.1.11; `b64`, RFC 7797).
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
    /// The signature is not the issuer's.
    #[error("the signature is not the issuer's")]
    SignatureInvalid,
    /// `typ` is not the one that the policy names (RFC 8725 section 3.11).
    #[error("not a token of the type that is expected")]
    TypeMismatch,
    /// No `exp`, or `exp`, `nbf` or `iat` is no number; or no `iat` where the policy limits the lifetime.
    #[error("a time is missing or is not a number")]
    TimeMalformed,
    /// The present is at or past `exp`.
    #[error("expired")]
    Expired,
    /// The present is before `nbf`.
    #[error("not valid yet")]
    NotYetValid,
    /// `iat` lies in the future.
    #[error("issued in the future")]
    IssuedInFuture,
    /// From `iat` to `exp` is longer than the policy lets a token live.
    #[error("it lives too long")]
    LifetimeTooLong,
    /// `aud` names none of the policy's audiences.
    #[error("meant for another audience")]
    AudienceMismatch,
    /// `client_id` is none of the policy's clients.
    #[error("issued to another client")]
    ClientMismatch,
    /// A claim that the policy requires is absent or has another value.
    #[error("a required claim is missing or different")]
    RequiredClaimMismatch,
    /// The policy's deny list holds it.
    #[error("revoked")]
    Revoked,
}
