//! The current keys of each issuer: those of the bundle, until the URL of the issuer gives others.
//!
//! Nothing is fetched here. The ring says when keys must be fetched, takes the answer, and knows the age of the keys.
//! In all cases the last good keys stay, until they are too old to use.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::algorithm::SignatureAlgorithm;
use super::issuer::{Issuer, KeySource};
use super::jwks::{KeySet, PublishedKeysError};
use super::remote_keys::RemoteKeys;
use crate::digest::sha256;
use crate::time::UnixTime;

/// How long an issuer is not asked again after an answer without the wanted key, in seconds. It limits how often an
/// invented `kid` makes this function send a request to the provider.
pub const COOL_DOWN_SECONDS: u64 = 30;

/// How long an issuer is not asked again after an unusable answer, in seconds. It is also the `Retry-After` for the
/// viewer.
pub const RETRY_SECONDS: u64 = 10;

impl WantedKey {
    /// The index of the issuer in the policy.
    #[cfg(feature = "tools")]
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    fn is_among(&self, keys: &KeySet) -> bool {
        self.key_id.is_some() && keys.candidates(self.key_id.as_deref(), self.algorithm).next().is_some()
    }
}

/// The keys of the issuers of one policy.
#[derive(Default)]
pub(crate) struct KeyRing(Mutex<Vec<Held>>);

/// The keys of one issuer.
#[derive(Clone, Debug, Default)]
struct Held {
    keys: Option<Arc<KeySet>>,
    /// The hash of the bytes that they were read from; `None` for keys of the bundle.
    digest: Option<[u8; 32]>,
    /// A number that changes with the keys.
    generation: u64,
    /// When they were last known to be the issuer's. For keys of the bundle: when they were first used.
    good_at: Option<UnixTime>,
    /// The last time that keys were fetched.
    last_fetch: Option<Fetch>,
}

#[derive(Clone, Debug)]
struct Fetch {
    at: UnixTime,
    wanted: WantedKey,
    answer: Answer,
}

/// The result of a fetch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    /// Keys, and the token that caused the fetch is signed with one of them; or the same keys, which were too old.
    Found,
    /// Keys, but no token with the wanted key has verified so far.
    NotFound,
    /// Nothing usable.
    None,
}

/// The key that signed a token, as far as the token says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WantedKey {
    /// The index of the issuer in the policy.
    pub(crate) issuer: usize,
    pub(super) key_id: Option<String>,
    pub(super) algorithm: SignatureAlgorithm,
}

/// The keys to verify with at the moment.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) keys: Arc<KeySet>,
    pub(super) generation: u64,
    pub(super) beyond: Beyond,
}

/// What is known about keys that are not among the current ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beyond {
    /// There are no others.
    Nothing,
    /// They can be fetched.
    MayAsk,
    /// They were requested, and the answer is not there yet.
    Unknown,
}

/// Why there are no keys to verify with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoKeys {
    /// They must be fetched first.
    NotAsked,
    /// They were requested, and the answer was not usable.
    NoAnswer,
}

impl KeyRing {
    /// Starts with the keys of the bundle.
    pub(crate) fn new(issuers: &[Issuer]) -> Self {
        let held = |issuer: &Issuer| match &issuer.keys {
            KeySource::Published { bundled, .. } => Held { keys: bundled.clone(), ..Held::default() },
            KeySource::Secret(_) => Held::default(),
        };
        Self(Mutex::new(issuers.iter().map(held).collect()))
    }

    /// The keys of the issuer with this index in the policy.
    pub(super) fn current(
        &self,
        place: usize,
        remote: Option<&RemoteKeys>,
        now: UnixTime,
    ) -> Result<Current, NoKeys> {
        let mut ring = self.held();
        let held = ring.get_mut(place).ok_or(NoKeys::NoAnswer)?;
        let Some(remote) = remote else {
            let keys = held.keys.clone().ok_or(NoKeys::NoAnswer)?;
            return Ok(Current { keys, generation: held.generation, beyond: Beyond::Nothing });
        };
        let may_ask = !held.is_cooling_down(now);
        let missing = if may_ask { NoKeys::NotAsked } else { NoKeys::NoAnswer };
        let keys = held.keys.clone().ok_or(missing)?;
        let age = held.age(now);
        let is_older_than = |most: u32| age.is_none_or(|age| age >= u64::from(most));
        if is_older_than(remote.max_age_seconds) && (may_ask || is_older_than(remote.max_stale_seconds)) {
            return Err(missing);
        }
        let beyond = match (may_ask, held.last_fetch.as_ref().map(|asked| asked.answer)) {
            (true, _) => Beyond::MayAsk,
            (false, Some(Answer::Found | Answer::NotFound) | None) => Beyond::Nothing,
            (false, Some(Answer::None)) => Beyond::Unknown,
        };
        Ok(Current { keys, generation: held.generation, beyond })
    }

    /// Takes the answer of an issuer's URL, or that there was no answer.
    pub(super) fn take(
        &self,
        wanted: &WantedKey,
        issuer: &Issuer,
        answer: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<(), PublishedKeysError> {
        let read = match answer {
            None => Ok(None),
            Some(body) => KeySet::from_published(body, issuer.signature_algorithms())
                .map(|keys| Some((Arc::new(keys), sha256(body)))),
        };
        let mut ring = self.held();
        let Some(held) = ring.get_mut(wanted.issuer) else { return Ok(()) };
        match read {
            Ok(Some((keys, digest))) => {
                // The same bytes are the same keys: tokens that were verified with them stay verified, and a fetch
                // for one of these keys only confirmed it.
                let is_news = held.digest != Some(digest);
                let answer =
                    if is_news || !wanted.is_among(&keys) { Answer::NotFound } else { Answer::Found };
                if is_news {
                    held.keys = Some(keys);
                    held.digest = Some(digest);
                    held.generation = held.generation.saturating_add(1);
                }
                held.good_at = Some(now);
                held.last_fetch = Some(Fetch { at: now, wanted: wanted.clone(), answer });
                Ok(())
            }
            Ok(None) => {
                held.last_fetch = Some(Fetch { at: now, wanted: wanted.clone(), answer: Answer::None });
                Ok(())
            }
            Err(error) => {
                held.last_fetch = Some(Fetch { at: now, wanted: wanted.clone(), answer: Answer::None });
                Err(error)
            }
        }
    }

    /// Notes that a token with this key verified. If the key was the one that was wanted, the fetch was useful. A
    /// key id alone does not show this, because anybody can write one into a token.
    pub(super) fn verified(&self, wanted: &WantedKey) {
        if let Some(asked) = self.held().get_mut(wanted.issuer).and_then(|held| held.last_fetch.as_mut())
            && asked.answer == Answer::NotFound
            && asked.wanted == *wanted
        {
            asked.answer = Answer::Found;
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// If a clock went back, the time since then is not known, and the keys are fetched.
    fn is_cooling_down(&self, now: UnixTime) -> bool {
        self.last_fetch.as_ref().is_some_and(|asked| {
            let wait = match asked.answer {
                Answer::Found => 0,
                Answer::NotFound => COOL_DOWN_SECONDS,
                Answer::None => RETRY_SECONDS,
            };
            now.as_seconds().checked_sub(asked.at.as_seconds()).is_some_and(|since| since < wait)
        })
    }

    /// The age of the keys, in seconds; `None` if the clock is not usable or was ahead. Keys of the bundle are as
    /// old as their first use, because nothing better is known.
    fn age(&mut self, now: UnixTime) -> Option<u64> {
        if now.is_unknown() {
            return None;
        }
        let is_of_bundle = self.digest.is_none();
        let good_at = *self.good_at.get_or_insert(now);
        match now.as_seconds().checked_sub(good_at.as_seconds()) {
            None if is_of_bundle => {
                self.good_at = Some(now);
                Some(0)
            }
            age => age,
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}
