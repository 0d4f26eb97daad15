//! What a decision may depend on, and a caller can fetch.

use super::{Authorized, Authorizer, Given, Word};
use crate::fetch_url::FetchUrl;
use crate::refusal::Refusal;
#[cfg(feature = "code-flow")]
use crate::sign_in::code_flow::{AskedTokens, TokenRequest};
use crate::time::UnixTime;
use crate::token::{Issuer, KeysUnavailable, PublishedKeysError, WantedKey};

/// What must be fetched first.
pub(super) enum Wanted {
    /// A key of an issuer.
    Key(WantedKey),
    /// Tokens.
    #[cfg(feature = "code-flow")]
    Tokens(AskedTokens),
}

impl Wanted {
    /// What could change this refusal.
    pub(super) fn of(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::KeysUnavailable(KeysUnavailable::NotAsked(key)) => Some(Self::Key(key.clone())),
            _ => None,
        }
    }
}

/// An issuer whose keys must be fetched.
#[derive(Clone, Debug)]
pub struct KeysNeeded<'p> {
    wanted: WantedKey,
    issuer: &'p Issuer,
    url: &'p FetchUrl,
}

impl<'p> KeysNeeded<'p> {
    /// The name of the issuer in the policy.
    pub fn issuer(&self) -> &'p str {
        self.issuer.name()
    }

    /// The URL to fetch.
    pub fn url(&self) -> &'p FetchUrl {
        self.url
    }
}

/// What a decision may depend on, and the caller can fetch.
#[derive(Clone, Debug)]
pub enum Needed<'p> {
    /// The keys of an issuer.
    Keys(KeysNeeded<'p>),
    /// Tokens for a code, or for a refresh token.
    #[cfg(feature = "code-flow")]
    Tokens(TokenRequest<'p>),
}

impl<'p> Needed<'p> {
    /// The keys, if that is what is needed.
    pub fn keys(self) -> Option<KeysNeeded<'p>> {
        match self {
            Self::Keys(keys) => Some(keys),
            #[cfg(feature = "code-flow")]
            Self::Tokens(_) => None,
        }
    }
}

impl Authorizer {
    /// The same, for a caller that can fetch the keys of an issuer.
    ///
    /// # Errors
    /// [`Needed`] if the decision may depend on keys that were not fetched yet, or on tokens that only the provider can
    /// give. After [`take_keys`](Self::take_keys) with these keys, the event can be decided on at that instant.
    pub fn authorize_or_ask<'p: 'r, 'r>(
        &'p self,
        event: &'r [u8],
        now: UnixTime,
    ) -> Result<Authorized<'r>, Needed<'p>> {
        let (authorized, wanted) = self.authorize_by(event, Given::of(Word::Proven, now));
        let needed = wanted.and_then(|wanted| match wanted {
            Wanted::Key(key) => self.keys_needed(key).map(Needed::Keys),
            #[cfg(feature = "code-flow")]
            Wanted::Tokens(asked) => self.tokens_needed(asked).map(Needed::Tokens),
        });
        needed.map_or(Ok(authorized), Err)
    }

    pub(super) fn keys_needed(&self, wanted: WantedKey) -> Option<KeysNeeded<'_>> {
        let issuer = self.bundle.policy().issuers().get(wanted.issuer)?;
        Some(KeysNeeded { wanted, issuer, url: &issuer.remote_keys()?.url })
    }

    /// Takes the answer of an issuer's URL: the body of a 200, or that there was no such answer. If the answer is not
    /// usable, the last good keys stay.
    ///
    /// # Errors
    /// [`PublishedKeysError`] if the body is not usable. It is for the log.
    pub fn take_keys(
        &self,
        needed: &KeysNeeded<'_>,
        answer: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<(), PublishedKeysError> {
        self.trust.take_keys(&needed.wanted, needed.issuer, answer, now)
    }
}
