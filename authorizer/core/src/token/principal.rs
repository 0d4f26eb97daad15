//! Who asks.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::claims::{ClaimsSet, VerifiedClaims};
use super::error::TokenError;
use super::issuer::{Issuer, issuer_of};
use super::trust::{Trust, VerifyError, verify_with};
use crate::credential::Credential;
use crate::time::UnixTime;

/// Who asks.
#[derive(Clone, Debug)]
pub enum Principal<'p> {
    /// Nobody known: no token was sent.
    Anonymous,
    /// The subject of a token that verified.
    Verified(VerifiedClaims<'p>),
}

impl<'p> Principal<'p> {
    /// Verifies a credential against the issuers that the policy trusts.
    ///
    /// # Errors
    /// [`VerifyError::Token`] when there is a token and it does not verify: a bad token is never taken for
    /// none, so it does not get what is open to anyone. [`VerifyError::KeysUnavailable`] when it cannot be told
    /// whether it does.
    pub(crate) fn verify(
        credential: &Credential<'_>,
        issuers: &'p [Issuer],
        trust: &Trust,
        now: UnixTime,
    ) -> Result<Self, VerifyError> {
        match credential {
            Credential::None => Ok(Self::Anonymous),
            Credential::Bearer { token, .. } => verify_with(trust, token, issuers, now).map(Self::Verified),
        }
    }

    /// Who would ask, if the request had come with this token and its signature held. Its claims are checked against
    /// the policy as ever.
    ///
    /// # Errors
    /// [`TokenError`] when such a token would not verify.
    pub(crate) fn suppose(
        supposed: &Supposed,
        issuers: &'p [Issuer],
        now: UnixTime,
    ) -> Result<Self, TokenError> {
        let (_, issuer) = issuer_of(&supposed.claims, issuers)?;
        issuer.verify_claims(supposed.token_type.as_deref(), &supposed.claims, now)?;
        Ok(Self::Verified(VerifiedClaims::new(issuer, Arc::new(ClaimsSet::new(supposed.claims.clone())))))
    }
}

/// A token that nobody holds: for those who ask what a policy would decide, and have no issuer's key.
#[derive(Clone, Debug, PartialEq)]
pub struct Supposed {
    /// `typ` of its header.
    pub token_type: Option<String>,
    /// Its claims set; `iss` picks the issuer.
    pub claims: Map<String, Value>,
}
