//! Step 5: from a bearer token to a principal.
//!
//! The order of the checks is that of RFC 8725: the token is taken apart strictly, its issuer and key
//! are picked from what the policy trusts, and no claim is believed before the signature holds.

mod algorithm;
mod cache;
mod claims;
mod digest;
mod issuer;
mod json;
mod jwks;
mod jws;
mod keys_url;
mod prepared_key;
mod revocation;
mod ring;
mod secret;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use algorithm::{JwsAlgorithm, SignatureAlgorithm};
use cache::{SignedToken, TokenCache, TokenKey};
use claims::ClaimsSet;
pub use claims::VerifiedClaims;
pub(crate) use issuer::KeySource;
use issuer::Verifier;
pub use issuer::{Issuer, MAX_LEEWAY_SECONDS};
pub use jwks::{JwkError, KeySet, PublishedKeysError};
pub use jws::{Jws, MAX_TOKEN_BYTES};
pub use keys_url::{KeysUrl, KeysUrlError};
pub use revocation::Revocation;
use ring::{Beyond, KeyRing, NoKeys};
pub use ring::{COOL_DOWN_SECONDS, RETRY_SECONDS, RemoteKeys, WantedKey};
pub(crate) use secret::SharedSecret;
pub use secret::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};

use crate::authorizer::Supposed;
use crate::credential::Credential;
use crate::refusal::{KeysUnavailable, Refusal, TokenError};
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
    /// none, so it does not get what is open to anyone. [`Refusal::KeysUnavailable`] when it cannot be told
    /// whether it does.
    pub(crate) fn verify(
        credential: &Credential<'_>,
        issuers: &'p [Issuer],
        trust: &Trust,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        match credential {
            Credential::None => Ok(Self::Anonymous),
            Credential::Bearer { token, .. } => verify_with(trust, token, issuers, now).map(Self::Verified),
        }
    }

    /// Who would ask, if the request had come with this token and its signature held. Its claims are held against
    /// the policy as ever.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify), and two credentials where the request holds one already.
    pub(crate) fn suppose(
        credential: &Credential<'_>,
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
        Ok(Self::Verified(VerifiedClaims::new(issuer, Arc::new(ClaimsSet::new(supposed.claims.clone())))))
    }
}

/// Reads a claims set as strictly as that of a token.
///
/// # Errors
/// [`TokenError::DuplicateMember`] or [`TokenError::Malformed`].
pub fn parse_claims(json: &[u8]) -> Result<Map<String, Value>, TokenError> {
    json::parse_object(json)
}

/// What is known of the issuers of one policy beyond the policy itself. It changes as time goes on, and no decision
/// but that of a token whose keys did.
#[derive(Debug)]
pub(crate) struct Trust {
    cache: TokenCache,
    ring: KeyRing,
}

impl Trust {
    /// What the bundle brought.
    pub(crate) fn new(issuers: &[Issuer]) -> Self {
        Self { cache: TokenCache::default(), ring: KeyRing::new(issuers) }
    }

    /// Takes what the URL of the issuer answered when it was asked for this key, or that it answered nothing.
    pub(crate) fn take_keys(
        &self,
        wanted: &WantedKey,
        issuer: &Issuer,
        answer: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<(), PublishedKeysError> {
        self.ring.take(wanted, issuer, answer, now)
    }
}

/// Verifies a token by the keys that the bundle brought: RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725
/// section 3.
///
/// # Errors
/// [`Refusal::Token`], the first check that failed; [`Refusal::KeysUnavailable`] where other keys would have to be
/// asked for.
pub fn verify<'p>(token: &str, issuers: &'p [Issuer], now: UnixTime) -> Result<VerifiedClaims<'p>, Refusal> {
    verify_with(&Trust::new(issuers), token, issuers, now)
}

/// The same, by the keys of now, and without a signature that they have verified before.
fn verify_with<'p>(
    trust: &Trust,
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, Refusal> {
    // Of keys that have to be asked for first, a token is taken for a new one.
    let key = TokenKey::of(token);
    let remembered = trust.cache.get(&key).filter(|signed| trust.is_by_current_keys(signed, issuers, now));
    let is_new = remembered.is_none();
    let signed = remembered.map_or_else(|| trust.verify_signature(token, issuers, now), Ok)?;
    // Past this line the header and the claims are the issuer's words.
    let issuer = issuers.get(signed.issuer).ok_or(Refusal::Token(TokenError::IssuerUnknown))?;
    match issuer.verify_claims(signed.token_type.as_deref(), signed.claims.claims(), now) {
        Ok(()) if is_new => trust.cache.put(&key, &signed),
        Ok(()) => {}
        Err(error) => {
            trust.cache.forget(&key);
            return Err(Refusal::Token(error));
        }
    }
    Ok(VerifiedClaims::new(issuer, signed.claims))
}

impl Trust {
    fn verify_signature(
        &self,
        token: &str,
        issuers: &[Issuer],
        now: UnixTime,
    ) -> Result<SignedToken, Refusal> {
        let jws = Jws::parse(token).map_err(Refusal::Token)?;
        let claims = jws.claims().map_err(Refusal::Token)?;
        let (place, issuer) = issuer_of(&claims, issuers).map_err(Refusal::Token)?;
        // Asked before anybody is asked for keys: what this issuer cannot have signed costs no fetch.
        let generation = match issuer.verifier(&jws).map_err(Refusal::Token)? {
            Verifier::Secret(secret) => jws.verify_by_secret(secret).map(|()| 0).map_err(Refusal::Token)?,
            Verifier::Keys { algorithm, remote } => {
                let wanted = WantedKey { issuer: place, key_id: jws.key_id.clone(), algorithm };
                // Nobody is asked for the keys of a token that would be refused whoever signed it: of one that has
                // expired by a key that is long gone, say. That is all that such claims are believed for.
                let would_do = || {
                    let token_type = jws.token_type.as_deref();
                    issuer.verify_claims(token_type, &claims, now).map_err(Refusal::Token)
                };
                let current = match self.ring.current(place, remote, now) {
                    Ok(current) => current,
                    Err(none) => {
                        would_do()?;
                        return Err(Refusal::KeysUnavailable(match none {
                            NoKeys::NotAsked => KeysUnavailable::NotAsked(wanted),
                            NoKeys::NoAnswer => KeysUnavailable::NoAnswer,
                        }));
                    }
                };
                match (jws.verify_by_keys(algorithm, &current.keys), current.beyond) {
                    (Ok(()), _) => {
                        self.ring.verified(&wanted);
                        current.generation
                    }
                    // It may be good by keys that are newer: where it names one that is not known, and where it
                    // names none.
                    (Err(error), beyond)
                        if error == TokenError::SigningKeyUnknown || jws.key_id.is_none() =>
                    {
                        return Err(match (would_do(), beyond) {
                            // Of a session that has ended the key may have gone too.
                            (Err(expired @ Refusal::Token(TokenError::Expired)), _) => expired,
                            (_, Beyond::Nothing) => Refusal::Token(error),
                            (Err(refusal), Beyond::MayAsk | Beyond::Unknown) => refusal,
                            (Ok(()), Beyond::MayAsk) => {
                                Refusal::KeysUnavailable(KeysUnavailable::NotAsked(wanted))
                            }
                            (Ok(()), Beyond::Unknown) => Refusal::KeysUnavailable(KeysUnavailable::NoAnswer),
                        });
                    }
                    (Err(error), _) => return Err(Refusal::Token(error)),
                }
            }
        };
        Ok(SignedToken {
            issuer: place,
            generation,
            token_type: jws.token_type,
            claims: Arc::new(ClaimsSet::new(claims)),
        })
    }

    /// Whether it was verified with what its issuer's tokens are verified with now.
    fn is_by_current_keys(&self, signed: &SignedToken, issuers: &[Issuer], now: UnixTime) -> bool {
        let Some(issuer) = issuers.get(signed.issuer) else { return false };
        match &issuer.keys {
            KeySource::Secret(_) => true,
            KeySource::Published { remote, .. } => self
                .ring
                .current(signed.issuer, remote.as_ref(), now)
                .is_ok_and(|current| current.generation == signed.generation),
        }
    }
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
