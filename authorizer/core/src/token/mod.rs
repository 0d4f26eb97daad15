//! Step 5: from a bearer token to a principal.
//!
//! The order of the checks is that of RFC 8725: the token is taken apart strictly, its issuer and key
//! are picked from what the policy trusts, and no claim is believed before the signature holds.

mod algorithm;
mod cache;
mod claims;
mod issuer;
mod json;
mod jwks;
mod jws;
mod revocation;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use algorithm::SignatureAlgorithm;
use cache::SignedToken;
pub(crate) use cache::TokenCache;
pub use claims::VerifiedClaims;
pub use issuer::{Issuer, MAX_LEEWAY_SECONDS};
pub use jwks::{JwkError, KeySet};
pub use jws::{Jws, MAX_TOKEN_BYTES};
pub use revocation::Revocation;

use crate::authorizer::Supposed;
use crate::credential::Credential;
use crate::refusal::{Refusal, TokenError};
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
    /// [`Refusal::Token`] when there is a token and it does not verify: a bad token is never taken for
    /// none, so it does not get what is open to anyone.
    pub(crate) fn verify(
        credential: &Credential,
        issuers: &'p [Issuer],
        cache: &TokenCache,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        match credential {
            Credential::None => Ok(Self::Anonymous),
            Credential::Bearer { token, .. } => {
                verify_with(cache, token, issuers, now).map(Self::Verified).map_err(Refusal::Token)
            }
        }
    }

    /// Who would ask, if the request had come with this token and its signature held. Its claims are held against
    /// the policy as ever.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify), and two credentials where the request holds one already.
    pub(crate) fn suppose(
        credential: &Credential,
        issuers: &'p [Issuer],
        supposed: &Supposed,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        if let Credential::Bearer { .. } = credential {
            return Err(Refusal::CredentialRepeated);
        }
        let (_, issuer) = issuer_of(&supposed.claims, issuers).map_err(Refusal::Token)?;
        issuer
            .verify_claims(supposed.token_type.as_deref(), &supposed.claims, now)
            .map_err(Refusal::Token)?;
        Ok(Self::Verified(VerifiedClaims::new(issuer, Arc::new(supposed.claims.clone()))))
    }
}

/// Verifies a token: RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725 section 3.
///
/// # Errors
/// [`TokenError`], the first check that failed.
pub fn verify<'p>(
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, TokenError> {
    verify_with(&TokenCache::default(), token, issuers, now)
}

/// The same, without a signature that has been verified before.
fn verify_with<'p>(
    cache: &TokenCache,
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, TokenError> {
    let remembered = cache.get(token);
    let is_new = remembered.is_none();
    let signed = remembered.map_or_else(|| verify_signature(token, issuers), Ok)?;
    // Past this line the header and the claims are the issuer's words.
    let issuer = issuers.get(signed.issuer).ok_or(TokenError::IssuerUnknown)?;
    match issuer.verify_claims(signed.token_type.as_deref(), &signed.claims, now) {
        Ok(()) if is_new => cache.put(token, &signed),
        Ok(()) => {}
        Err(error) => {
            cache.forget(token);
            return Err(error);
        }
    }
    Ok(VerifiedClaims::new(issuer, signed.claims))
}

fn verify_signature(token: &str, issuers: &[Issuer]) -> Result<SignedToken, TokenError> {
    let jws = Jws::parse(token)?;
    let claims = jws.claims()?;
    let (index, issuer) = issuer_of(&claims, issuers)?;
    issuer.verify_signature(&jws)?;
    Ok(SignedToken { issuer: index, token_type: jws.token_type, claims: Arc::new(claims) })
}

/// The issuer that the claims name, and its place in the policy.
fn issuer_of<'p>(
    claims: &Map<String, Value>,
    issuers: &'p [Issuer],
) -> Result<(usize, &'p Issuer), TokenError> {
    let named = claims.get("iss").and_then(Value::as_str);
    issuers
        .iter()
        .enumerate()
        .find(|(_, issuer)| named == Some(issuer.issuer()))
        .ok_or(TokenError::IssuerUnknown)
}
