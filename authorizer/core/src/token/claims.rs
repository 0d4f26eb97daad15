//! Claims that can be believed.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::issuer::Issuer;

/// The claims of a token whose signature, times, audience and required claims have been verified.
///
/// INVARIANT: only [`verify`](super::verify) builds one; and `Principal::suppose`, where nothing is let through.
#[derive(Clone, Debug)]
pub struct VerifiedClaims<'p> {
    issuer: &'p Issuer,
    claims: Arc<Map<String, Value>>,
}

impl<'p> VerifiedClaims<'p> {
    pub(super) fn new(issuer: &'p Issuer, claims: Arc<Map<String, Value>>) -> Self {
        Self { issuer, claims }
    }

    /// The issuer whose words these are.
    pub fn issuer(&self) -> &'p Issuer {
        self.issuer
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `sub`, where the token has one (RFC 7519 section 4.1.2).
    pub fn subject(&self) -> Option<&str> {
        self.claims.get("sub").and_then(Value::as_str)
    }
}
