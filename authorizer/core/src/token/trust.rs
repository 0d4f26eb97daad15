//! From a token to claims that can be believed: its signature by the keys of now, then its claims.

use std::sync::Arc;

use thiserror::Error;

use super::cache::{SignedToken, TokenCache, TokenKey};
use super::claims::{ClaimsSet, VerifiedClaims};
use super::error::TokenError;
use super::issuer::{Issuer, KeySource, Verifier, issuer_of};
use super::jwks::PublishedKeysError;
use super::jws::Jws;
use super::ring::{Beyond, KeyRing, NoKeys, WantedKey};
use crate::time::UnixTime;

/// Why nobody can be said to have signed a token.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum VerifyError {
    /// It does not verify.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It cannot be told whether it verifies.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
}

/// Why the keys that a token may have been signed with cannot be had.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum KeysUnavailable {
    /// Nobody has been asked for this one.
    #[error("keys must be fetched first")]
    NotAsked(WantedKey),
    /// The issuer was asked, and gave none of use.
    #[error("the issuer gave no usable keys")]
    NoAnswer,
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
/// [`VerifyError::Token`], the first check that failed; [`VerifyError::KeysUnavailable`] where other keys would have to be
/// asked for.
pub fn verify<'p>(
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, VerifyError> {
    verify_with(&Trust::new(issuers), token, issuers, now)
}

/// The same, by the keys of now, and without a signature that they have verified before.
pub(super) fn verify_with<'p>(
    trust: &Trust,
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, VerifyError> {
    // Of keys that have to be asked for first, a token is taken for a new one.
    let key = TokenKey::of(token);
    let remembered = trust.cache.get(&key).filter(|signed| trust.is_by_current_keys(signed, issuers, now));
    let is_new = remembered.is_none();
    let signed = remembered.map_or_else(|| trust.verify_signature(token, issuers, now), Ok)?;
    // Past this line the header and the claims are the issuer's words.
    let issuer = issuers.get(signed.issuer).ok_or(TokenError::IssuerUnknown)?;
    match issuer.verify_claims(signed.token_type.as_deref(), signed.claims.claims(), now) {
        Ok(()) if is_new => trust.cache.put(&key, &signed),
        Ok(()) => {}
        Err(error) => {
            trust.cache.forget(&key);
            return Err(error.into());
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
    ) -> Result<SignedToken, VerifyError> {
        let jws = Jws::parse(token)?;
        let claims = jws.claims()?;
        let (place, issuer) = issuer_of(&claims, issuers)?;
        // Asked before anybody is asked for keys: what this issuer cannot have signed costs no fetch.
        let generation = match issuer.verifier(&jws)? {
            Verifier::Secret(secret) => jws.verify_by_secret(secret).map(|()| 0)?,
            Verifier::Keys { algorithm, remote } => {
                let wanted = WantedKey { issuer: place, key_id: jws.key_id.clone(), algorithm };
                // Nobody is asked for the keys of a token that would be refused whoever signed it: of one that has
                // expired by a key that is long gone, say. That is all that such claims are believed for.
                let would_do = || {
                    let token_type = jws.token_type.as_deref();
                    issuer.verify_claims(token_type, &claims, now).map_err(VerifyError::Token)
                };
                let current = match self.ring.current(place, remote, now) {
                    Ok(current) => current,
                    Err(none) => {
                        would_do()?;
                        return Err(VerifyError::KeysUnavailable(match none {
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
                            (Err(expired @ VerifyError::Token(TokenError::Expired)), _) => expired,
                            (_, Beyond::Nothing) => VerifyError::Token(error),
                            (Err(error), Beyond::MayAsk | Beyond::Unknown) => error,
                            (Ok(()), Beyond::MayAsk) => {
                                VerifyError::KeysUnavailable(KeysUnavailable::NotAsked(wanted))
                            }
                            (Ok(()), Beyond::Unknown) => {
                                VerifyError::KeysUnavailable(KeysUnavailable::NoAnswer)
                            }
                        });
                    }
                    (Err(error), _) => return Err(VerifyError::Token(error)),
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
