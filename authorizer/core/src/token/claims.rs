//! Claims that can be trusted.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::issuer::Issuer;
use crate::digest::sha256_hex;
use crate::logged_claims::{ClaimHasher, LoggedClaims};

/// The claims that are a string, if they are there (RFC 7519 sections 4.1.2 and 4.1.7, RFC 8693 section 4.3, OpenID
/// Connect Core 1.0 section 2). A token in which one has another JSON type is malformed: what compares it with a string,
/// such as a revocation, would pass it by.
pub const TEXT_CLAIMS: [&str; 4] = ["sub", "jti", "client_id", "azp"];

/// The claims with scopes: RFC 8693 section 4.2, and the `scp` of Okta and Entra ID.
pub const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// Whether a value is scopes: one text, or an array of texts.
pub fn is_scope(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(members) => members.iter().all(Value::is_string),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// A claims set, and values that are computed from it once.
#[derive(Debug, Default)]
pub(super) struct ClaimsSet {
    claims: Map<String, Value>,
    subject_sha256: OnceLock<String>,
    digests: OnceLock<LoggedClaims>,
}

impl ClaimsSet {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self { claims, subject_sha256: OnceLock::new(), digests: OnceLock::new() }
    }

    /// All claims.
    pub(super) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

/// The claims of a token whose signature, times, audience and required claims have been verified.
///
/// INVARIANT: only [`verify`](super::verify) builds one; and `Principal::suppose`, which never forwards a request.
#[derive(Clone, Debug)]
pub struct VerifiedClaims<'p> {
    issuer: &'p Issuer,
    set: Arc<ClaimsSet>,
}

impl<'p> VerifiedClaims<'p> {
    pub(super) fn new(issuer: &'p Issuer, set: Arc<ClaimsSet>) -> Self {
        Self { issuer, set }
    }

    /// The issuer of the claims.
    pub fn issuer(&self) -> &'p Issuer {
        self.issuer
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        self.set.claims()
    }

    /// `sub`, if the token has one (RFC 7519 section 4.1.2).
    pub fn subject(&self) -> Option<&str> {
        self.claims().get("sub").and_then(Value::as_str)
    }

    /// The SHA-256 of the issuer and the subject, in hexadecimal. It is computed once per token in the cache.
    pub(crate) fn subject_sha256(&self) -> Option<&str> {
        let subject = self.subject()?;
        let sum = self.set.subject_sha256.get_or_init(|| {
            // The newline separates the issuer from the subject.
            sha256_hex(&[self.issuer.issuer().as_bytes(), b"\n", subject.as_bytes()].concat())
        });
        Some(sum)
    }

    /// The claims for the log. They are computed once per token in the cache, whose policy has one hasher.
    pub(crate) fn digests(&self, hasher: &ClaimHasher) -> LoggedClaims {
        self.set.digests.get_or_init(|| hasher.digests(self.claims())).clone()
    }
}
