//! From a token to claims that can be trusted: its signature with the current keys, then its claims.

use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use super::cache::{Last, SignedToken, TokenCache};
use super::claims::{ClaimsSet, VerifiedClaims};
use super::error::TokenError;
use super::issuer::{Issuer, KeySource, Verifier, issuer_of};
use super::judged::Judged;
use super::jwks::PublishedKeysError;
use super::jws::Jws;
use super::ring::{Beyond, KeyRing, NoKeys, WantedKey};
use crate::time::UnixTime;

/// Why the signer of a token is not verified.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum VerifyError {
    /// It does not verify.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The keys for the check are not available.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
}

/// Why the keys that may have signed a token are not available.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum KeysUnavailable {
    /// The keys were not fetched yet.
    #[error("keys must be fetched first")]
    NotAsked(WantedKey),
    /// They were fetched, but the answer did not contain usable keys.
    #[error("the issuer gave no usable keys")]
    NoAnswer,
}

/// What is known about the issuers of one policy in addition to the policy. It changes over time, and changes only
/// decisions on tokens whose keys changed.
#[derive(Debug)]
pub(crate) struct Trust {
    cache: TokenCache,
    ring: KeyRing,
}

impl Trust {
    /// Starts with the keys of the bundle.
    pub(crate) fn new(issuers: &[Issuer]) -> Self {
        Self { cache: TokenCache::default(), ring: KeyRing::new(issuers) }
    }

    /// Takes the answer of an issuer's URL to the request for this key, or that there was no answer.
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

/// Verifies a token with the keys of the bundle: RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725
/// section 3.
///
/// # Errors
/// [`VerifyError::Token`], the first check that failed; [`VerifyError::KeysUnavailable`] if other keys must be
/// fetched first.
pub fn verify<'p>(
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, VerifyError> {
    verify_with(&Trust::new(issuers), token, issuers, now)
}

/// What the issuer's block of the policy says of a token.
fn by_policy(issuer: &Issuer, jws: &Jws<'_>, claims: &Map<String, Value>) -> Judged {
    issuer.judge(jws.token_type.as_deref(), claims)
}

/// The same, with the current keys, and with the cache of verified signatures.
pub(super) fn verify_with<'p>(
    trust: &Trust,
    token: &str,
    issuers: &'p [Issuer],
    now: UnixTime,
) -> Result<VerifiedClaims<'p>, VerifyError> {
    // If keys must be fetched first, the token counts as new.
    let key = trust.cache.key(token);
    let remembered =
        trust.cache.get(&key).filter(|(signed, _)| trust.is_by_current_keys(signed, issuers, now));
    let (signed, before) = match remembered {
        Some((signed, last)) => (signed, Some(last)),
        None => (trust.verify_signature(token, issuers, now, &by_policy)?, None),
    };
    // Past this line the header and the claims are the issuer's words.
    let issuer = issuers.get(signed.issuer).ok_or(TokenError::IssuerUnknown)?;
    let verdict = signed.judged.at(now);
    let last = if verdict.is_ok() { Last::Accepted } else { Last::Refused };
    let claims = Arc::clone(&signed.claims);
    if before != Some(last) {
        trust.cache.put(&key, signed, last);
    }
    verdict?;
    Ok(VerifiedClaims::new(issuer, claims))
}

impl Trust {
    /// Verifies a token as that of a request is verified.
    #[cfg(feature = "code-flow")]
    pub(crate) fn verify<'p>(
        &self,
        token: &str,
        issuers: &'p [Issuer],
        now: UnixTime,
    ) -> Result<VerifiedClaims<'p>, VerifyError> {
        verify_with(self, token, issuers, now)
    }

    /// Checks only whether a key that is present made the signature. The claims are not looked at, and nothing is asked
    /// for.
    pub(crate) fn check_signature(
        &self,
        token: &str,
        issuers: &[Issuer],
        now: UnixTime,
    ) -> Result<(), VerifyError> {
        let jws = Jws::parse(token)?;
        let claims = jws.claims()?;
        let (place, issuer) = issuer_of(&claims, issuers)?;
        match issuer.verifier(&jws)? {
            Verifier::Secret(secret) => jws.verify_by_secret(secret)?,
            Verifier::Keys { algorithm, remote } => {
                let current = self.ring.current(place, remote, now).map_err(|_| KeysUnavailable::NoAnswer)?;
                jws.verify_by_keys(algorithm, &current.keys)?;
            }
        }
        Ok(())
    }

    /// Checks who signed a token, and judges its claims with `judge`.
    pub(super) fn verify_signature(
        &self,
        token: &str,
        issuers: &[Issuer],
        now: UnixTime,
        judge: &impl Fn(&Issuer, &Jws<'_>, &Map<String, Value>) -> Judged,
    ) -> Result<SignedToken, VerifyError> {
        let jws = Jws::parse(token)?;
        let claims = jws.claims()?;
        let (place, issuer) = issuer_of(&claims, issuers)?;
        // Checked before keys are fetched: a token that this issuer cannot have signed does not cause a fetch.
        let generation = match issuer.verifier(&jws)? {
            Verifier::Secret(secret) => jws.verify_by_secret(secret).map(|()| 0)?,
            Verifier::Keys { algorithm, remote } => {
                let wanted = WantedKey { issuer: place, key_id: jws.key_id.clone(), algorithm };
                // Keys are not fetched for a token that is refused with any signature: for example, one that has
                // expired and was signed with a removed key. The unverified claims are used for nothing else.
                let judge_unverified = || judge(issuer, &jws, &claims).at(now).map_err(VerifyError::Token);
                let current = match self.ring.current(place, remote, now) {
                    Ok(current) => current,
                    Err(none) => {
                        judge_unverified()?;
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
                    // Newer keys may verify it, if it names a key that is not known, or if it does not name a key.
                    (Err(error), beyond)
                        if error == TokenError::SigningKeyUnknown || jws.key_id.is_none() =>
                    {
                        return Err(match (judge_unverified(), beyond) {
                            // The key of an expired session may be removed too.
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
            judged: judge(issuer, &jws, &claims),
            claims: Arc::new(ClaimsSet::new(claims)),
        })
    }

    /// Whether it was verified with the current keys or secret of its issuer.
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
