//! Tokens whose signature was verified: a repeated token costs a hash, not a signature check.
//!
//! The cache contains only that a signature is valid, and with which keys, never that it is not. The clock is looked at
//! each time, and everything else that is remembered follows from the token and the policy, which do not change. So the
//! cache does not change any decision.
//!
//! A token that is refused for its claims, such as an expired one, is remembered too, in room of its own: it does not
//! cost a signature when it comes again, and it never takes the room of a token that is accepted.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claims::ClaimsSet;
use super::judged::Judged;

/// How many bytes of accepted tokens are kept. Their claims take a few times that, of the function's 128 MB.
const MAX_ACCEPTED_BYTES: usize = 256 * 1024;

/// How many bytes of refused tokens are kept: of a few clients that do not stop sending theirs.
const MAX_REFUSED_BYTES: usize = 32 * 1024;

/// A token with a valid signature of its issuer. The clock is not looked at yet.
#[derive(Clone, Debug)]
pub(super) struct SignedToken {
    /// The index of the issuer in the policy.
    pub(super) issuer: usize,
    /// The keys of the issuer that it was verified with.
    pub(super) generation: u64,
    /// What the issuer's block of the policy says of its type and its claims.
    pub(super) judged: Judged,
    /// The claims set.
    pub(super) claims: Arc<ClaimsSet>,
}

/// Whether a token was accepted when it came last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Last {
    Accepted,
    Refused,
}

/// A token to look up.
#[derive(Clone, Copy)]
pub(super) struct TokenKey<'t> {
    /// A hash of the signature with a key that nobody knows, so that the time of a lookup does not show what is in the
    /// cache: the tokens themselves are compared only where the hashes are equal.
    hash: u64,
    token: &'t str,
}

/// The tokens of one policy that were verified last. The cache belongs to the policy. With other keys of the issuer,
/// a token is verified again.
#[derive(Default)]
pub(crate) struct TokenCache {
    hasher: RandomState,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    accepted: Part,
    refused: Part,
}

/// Tokens that share a limit.
#[derive(Default)]
struct Part {
    /// By the hash of the signature.
    tokens: BTreeMap<u64, Entry>,
    /// The hashes, the oldest first.
    order: VecDeque<u64>,
    bytes: usize,
}

struct Entry {
    signed: SignedToken,
    /// The whole token.
    token: Box<str>,
}

impl TokenCache {
    /// The key of a token.
    pub(super) fn key<'t>(&self, token: &'t str) -> TokenKey<'t> {
        let signature = token.rsplit_once('.').map_or(token, |(_, signature)| signature);
        TokenKey { hash: self.hasher.hash_one(signature), token }
    }

    /// The token, if it is in the cache, and whether it was accepted.
    pub(super) fn get(&self, key: &TokenKey<'_>) -> Option<(SignedToken, Last)> {
        let entries = self.entries();
        let accepted = entries.accepted.get(key).map(|signed| (signed, Last::Accepted));
        accepted.or_else(|| entries.refused.get(key).map(|signed| (signed, Last::Refused)))
    }

    /// Adds a token, or what is new about it, and removes the oldest ones if there is not enough room.
    pub(super) fn put(&self, key: &TokenKey<'_>, signed: SignedToken, last: Last) {
        let mut entries = self.entries();
        let Entries { accepted, refused } = &mut *entries;
        let (part, other, most) = match last {
            Last::Accepted => (accepted, refused, MAX_ACCEPTED_BYTES),
            Last::Refused => (refused, accepted, MAX_REFUSED_BYTES),
        };
        other.remove(key);
        part.put(key, signed, most);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn get(&self, key: &TokenKey<'_>) -> Option<SignedToken> {
        let entry = self.tokens.get(&key.hash)?;
        (*entry.token == *key.token).then(|| entry.signed.clone())
    }

    fn put(&mut self, key: &TokenKey<'_>, signed: SignedToken, most: usize) {
        let entry = Entry { signed, token: key.token.into() };
        match self.tokens.insert(key.hash, entry) {
            Some(before) => self.bytes = self.bytes.saturating_sub(before.token.len()),
            None => self.order.push_back(key.hash),
        }
        self.bytes = self.bytes.saturating_add(key.token.len());
        while self.bytes > most {
            let Some(oldest) = self.order.pop_front() else { return };
            let freed = self.tokens.remove(&oldest).map_or(0, |entry| entry.token.len());
            self.bytes = self.bytes.saturating_sub(freed);
        }
    }

    fn remove(&mut self, key: &TokenKey<'_>) {
        if self.tokens.get(&key.hash).is_some_and(|entry| *entry.token == *key.token)
            && let Some(entry) = self.tokens.remove(&key.hash)
        {
            self.bytes = self.bytes.saturating_sub(entry.token.len());
            self.order.retain(|other| *other != key.hash);
        }
    }
}

/// It contains tokens and claims, which must not appear in a log.
impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(issuer: usize) -> SignedToken {
        let judged = Judged::default();
        SignedToken { issuer, generation: 0, judged, claims: Arc::default() }
    }

    fn put(cache: &TokenCache, token: &str, issuer: usize, last: Last) {
        cache.put(&cache.key(token), signed(issuer), last);
    }

    fn get(cache: &TokenCache, token: &str) -> Option<(usize, Last)> {
        cache.get(&cache.key(token)).map(|(signed, last)| (signed.issuer, last))
    }

    #[test]
    fn a_token_is_remembered_whole_and_once() {
        let cache = TokenCache::default();
        assert!(get(&cache, "a.b.c").is_none());
        put(&cache, "a.b.c", 1, Last::Accepted);
        put(&cache, "a.b.c", 1, Last::Accepted);
        assert_eq!(get(&cache, "a.b.c"), Some((1, Last::Accepted)));
        for other in ["a.b.d", "a.x.c", "a.b", "c", "", "a.b.c.", "a.b.c.c"] {
            assert!(get(&cache, other).is_none(), "{other} is another token");
        }
        put(&cache, "a.b.c", 1, Last::Refused);
        assert_eq!(get(&cache, "a.b.c"), Some((1, Last::Refused)));
        let entries = cache.entries();
        assert_eq!((entries.accepted.bytes, entries.accepted.order.len()), (0, 0));
        assert_eq!((entries.refused.bytes, entries.refused.order.len()), (5, 1));
    }

    #[test]
    fn the_oldest_make_room() {
        let cache = TokenCache::default();
        let token = |n: usize| format!("a.b.{n:01020}");
        for n in 0..1000 {
            put(&cache, &token(n), n, Last::Accepted);
            assert!(cache.entries().accepted.bytes <= MAX_ACCEPTED_BYTES);
        }
        assert!(get(&cache, &token(0)).is_none());
        assert_eq!(get(&cache, &token(999)), Some((999, Last::Accepted)));
        let entries = cache.entries();
        assert_eq!((entries.accepted.tokens.len(), entries.accepted.order.len()), (256, 256));
    }

    #[test]
    fn tokens_that_are_refused_never_take_the_room_of_one_that_is_accepted() {
        let cache = TokenCache::default();
        let token = |n: usize| format!("a.b.{n:01020}");
        for n in 0..256 {
            put(&cache, &token(n), n, Last::Accepted);
        }
        for n in 1000..2000 {
            put(&cache, &token(n), n, Last::Refused);
            assert!(cache.entries().refused.bytes <= MAX_REFUSED_BYTES);
        }
        assert!((0..256).all(|n| get(&cache, &token(n)) == Some((n, Last::Accepted))));
        let entries = cache.entries();
        assert_eq!((entries.refused.tokens.len(), entries.refused.order.len()), (32, 32));
    }

    #[test]
    fn what_takes_the_place_of_another_makes_room_too() {
        let cache = TokenCache::default();
        let token = |n: usize, length: usize| format!("{}.{n}", "a".repeat(length));
        for length in [1, 16_000] {
            for n in 0..100 {
                put(&cache, &token(n, length), n, Last::Accepted);
                assert!(cache.entries().accepted.bytes <= MAX_ACCEPTED_BYTES);
            }
        }
        let entries = cache.entries();
        let part = &entries.accepted;
        assert_eq!(part.bytes, part.tokens.values().map(|entry| entry.token.len()).sum::<usize>());
        assert_eq!(part.tokens.len(), part.order.len());
    }

    #[test]
    fn nothing_of_a_token_is_printed() {
        let cache = TokenCache::default();
        put(&cache, "secret.secret.secret", 0, Last::Accepted);
        assert!(!format!("{cache:?}").contains("secret"));
    }
}
