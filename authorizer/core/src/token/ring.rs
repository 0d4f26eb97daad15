//! The keys of each issuer as they are now: those that the bundle brought, until its URL has given others.
//!
//! Nothing is fetched here. The ring says when somebody should ask, is told what was answered, and knows how old
//! the keys are. Whatever happens, the last good keys stay, until they are too old to be believed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::algorithm::SignatureAlgorithm;
use super::issuer::{Issuer, KeySource};
use super::jwks::{KeySet, PublishedKeysError};
use super::remote_keys::RemoteKeys;
use crate::digest::sha256;
use crate::time::UnixTime;

/// How long nobody is asked again after an answer without the key that was looked for, in seconds: so often an
/// invented `kid` makes this function ask its provider.
pub const COOL_DOWN_SECONDS: u64 = 30;

/// How long nobody is asked again after an answer that was of no use, in seconds. It is also what a viewer is told
/// to wait.
pub const RETRY_SECONDS: u64 = 10;

impl WantedKey {
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
    /// Of the bytes that they were read from; none where the bundle brought them.
    digest: Option<[u8; 32]>,
    /// Changes with the keys.
    generation: u64,
    /// When they were known to be the issuer's; for those of the bundle, when they were first looked at.
    good_at: Option<UnixTime>,
    /// The last time that the issuer was asked.
    last_fetch: Option<Fetch>,
}

#[derive(Clone, Debug)]
struct Fetch {
    at: UnixTime,
    wanted: WantedKey,
    answer: Answer,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    /// Keys, and the token that made us ask is by one of them; or the same keys, which had aged.
    Found,
    /// Keys, and so far nothing that was worth asking for.
    NotFound,
    /// Nothing of use.
    None,
}

/// The key that a token was signed with, as far as it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WantedKey {
    /// The place of the issuer in the policy.
    pub(crate) issuer: usize,
    pub(super) key_id: Option<String>,
    pub(super) algorithm: SignatureAlgorithm,
}

/// Keys to verify with, for now.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) keys: Arc<KeySet>,
    pub(super) generation: u64,
    pub(super) beyond: Beyond,
}

/// What is known of keys that are not among the current ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beyond {
    /// There are none.
    Nothing,
    /// Somebody could be asked for them.
    MayAsk,
    /// Somebody was asked, and has not answered.
    Unknown,
}

/// Why there are no keys to verify with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoKeys {
    /// Somebody has to be asked first.
    NotAsked,
    /// Somebody was asked, and it was of no use.
    NoAnswer,
}

impl KeyRing {
    /// What the bundle brought.
    pub(crate) fn new(issuers: &[Issuer]) -> Self {
        let held = |issuer: &Issuer| match &issuer.keys {
            KeySource::Published { bundled, .. } => Held { keys: bundled.clone(), ..Held::default() },
            KeySource::Secret(_) => Held::default(),
        };
        Self(Mutex::new(issuers.iter().map(held).collect()))
    }

    /// The keys of the issuer in this place of the policy.
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

    /// Takes what an issuer's URL answered, or that it answered nothing.
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
                // The same bytes are the same keys: what was verified with them need not be again, and who asked
                // for one of them had but to know that it is one still.
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

    /// Takes that a token by this key verified. Where it was the one that somebody was asked for, asking was worth
    /// it: a name alone, which anybody can write into a token, does not make it so.
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
    /// A clock that went back says nothing of how long ago it was, and then somebody is asked.
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

    /// How old the keys are, in seconds; not known by a clock that says nothing, or that has been ahead. Those that
    /// the bundle brought are as new as the first look at them, since nobody knows better.
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
