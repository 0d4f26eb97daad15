//! Step 5: from a bearer token to a principal.
//!
//! The order of the checks is that of RFC 8725: the token is taken apart strictly, its issuer and key
//! are picked from what the policy trusts, and no claim is believed before the signature holds.

mod algorithm;
mod claims;
mod issuer;
mod json;
mod jwks;
mod jws;
mod revocation;

pub use algorithm::SignatureAlgorithm;
pub use claims::VerifiedClaims;
pub use issuer::{Issuer, MAX_LEEWAY_SECONDS};
pub use jwks::{JwkError, KeySet};
pub use jws::MAX_TOKEN_BYTES;
pub(crate) use revocation::Revocation;

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
    pub fn verify(credential: &Credential, issuers: &'p [Issuer], now: UnixTime) -> Result<Self, Refusal> {
        match credential {
            Credential::None => Ok(Self::Anonymous),
            Credential::Bearer { token, .. } => {
                verify(token, issuers, now).map(Self::Verified).map_err(Refusal::Token)
            }
        }
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
    let jws = jws::Jws::parse(token)?;
    let issuer = issuers
        .iter()
        .find(|issuer| jws.payload.get("iss").and_then(|iss| iss.as_str()) == Some(issuer.issuer()))
        .ok_or(TokenError::IssuerUnknown)?;
    issuer.verify(jws, now)
}
