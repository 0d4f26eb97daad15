//! The principal of a request.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::claims::{ClaimsSet, VerifiedClaims};
use super::error::TokenError;
use super::issuer::{Issuer, issuer_of};
use super::trust::{Trust, VerifyError, verify_with};
use crate::credential::Credential;
use crate::time::UnixTime;

/// The principal of a request.
#[derive(Clone, Debug)]
pub enum Principal<'p> {
    /// Unknown: the request does not have a token.
    Anonymous,
    /// The subject of a token that verified.
    Verified(VerifiedClaims<'p>),
}

impl<'p> Principal<'p> {
    /// Verifies a credential against the issuers that the policy trusts.
    ///
    /// # Errors
    /// [`VerifyError::Token`] when there is a token and it does not verify. A bad token never counts as an absent
    /// one, so it does not get what is open to everyone. [`VerifyError::KeysUnavailable`] when the keys for the
    /// check are not available.
    pub(crate) fn verify(
        credential: &Credential<'_>,
        issuers: &'p [Issuer],
        trust: &Trust,
        now: UnixTime,
    ) -> Result<Self, VerifyError> {
        match credential {
            Credential::None => Ok(Self::Anonymous),
            Credential::Bearer { token, .. } => verify_with(trust, token, issuers, now).map(Self::Verified),
            // Each of them is verified as a token of its own.
            Credential::Cookies(_) => Err(VerifyError::Token(TokenError::Malformed)),
        }
    }

    /// The principal of a request with this token, if its signature were valid. The claims are checked against the
    /// policy as usual.
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

/// A token that nobody holds, for callers that ask what a policy would decide and do not have an issuer's key.
#[derive(Clone, Debug, PartialEq)]
pub struct Supposed {
    /// `typ` in its header.
    pub token_type: Option<String>,
    /// Its claims set; `iss` selects the issuer.
    pub claims: Map<String, Value>,
}
