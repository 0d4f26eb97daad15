//! Tokens whose signature was verified: a repeated token costs a hash, not a signature check.
//!
//! The cache contains only that a signature is valid, and with which keys, never that it is not. The claims are
//! checked against the policy and the clock each time, so the cache does not change any decision.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claims::ClaimsSet;
use crate::digest::sha256;

/// How many bytes of tokens are kept. Their claims take a few times that, of the function's 128 MB.
const MAX_BYTES: usize = 256 * 1024;

/// A token with a valid signature of its issuer. Its claims are not checked yet.
#[derive(Clone, Debug)]
pub(super) struct SignedToken {
    /// The index of the issuer in the policy.
    pub(super) issuer: usize,
    /// The keys of the issuer that it was verified with.
    pub(super) generation: u64,
    /// `typ`.
    pub(super) token_type: Option<String>,
    /// The claims set.
    pub(super) claims: Arc<ClaimsSet>,
}

/// The key of a token in the cache: the whole token. The signature is looked up by its hash, so that the time of a
/// lookup does not show what is in the cache. Anybody may write the signed part, so it is compared directly.
#[derive(Clone, Copy)]
pub(super) struct TokenKey<'t> {
    digest: [u8; 32],
    signed: &'t str,
    length: usize,
}

impl<'t> TokenKey<'t> {
    pub(super) fn of(token: &'t str) -> Self {
        let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
        Self { digest: sha256(signature.as_bytes()), signed, length: token.len() }
    }

    fn is_of(&self, entry: &Entry) -> bool {
        *entry.signed == *self.signed
    }
}

/// The tokens of one policy that were verified last. The cache belongs to the policy. With other keys of the issuer,
/// a token is verified again.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// By the SHA-256 of the signature.
    tokens: BTreeMap<[u8; 32], Entry>,
    /// The hashes, the oldest first.
    order: VecDeque<[u8; 32]>,
    bytes: usize,
}

struct Entry {
    token: SignedToken,
    /// The signed part of the token.
    signed: Box<str>,
    length: usize,
}

impl TokenCache {
    /// The token, if it is in the cache.
    pub(super) fn get(&self, key: &TokenKey<'_>) -> Option<SignedToken> {
        let entries = self.entries();
        let entry = entries.tokens.get(&key.digest).filter(|entry| key.is_of(entry))?;
        Some(entry.token.clone())
    }

    /// Adds a token, and removes the oldest ones if there is not enough room.
    pub(super) fn put(&self, key: &TokenKey<'_>, signed: &SignedToken) {
        let mut entries = self.entries();
        let TokenKey { digest, signed: text, length } = *key;
        let entry = Entry { token: signed.clone(), signed: text.into(), length };
        match entries.tokens.insert(digest, entry) {
            Some(before) => entries.bytes = entries.bytes.saturating_sub(before.length),
            None => entries.order.push_back(digest),
        }
        entries.bytes = entries.bytes.saturating_add(length);
        while entries.bytes > MAX_BYTES {
            let Some(oldest) = entries.order.pop_front() else { return };
            let freed = entries.tokens.remove(&oldest).map_or(0, |entry| entry.length);
            entries.bytes = entries.bytes.saturating_sub(freed);
        }
    }

    /// Removes a token that will not be valid again.
    pub(super) fn forget(&self, key: &TokenKey<'_>) {
        let mut entries = self.entries();
        if entries.tokens.get(&key.digest).is_some_and(|entry| key.is_of(entry))
            && let Some(entry) = entries.tokens.remove(&key.digest)
        {
            entries.bytes = entries.bytes.saturating_sub(entry.length);
            entries.order.retain(|other| *other != key.digest);
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn key(token: &str) -> TokenKey<'_> {
        TokenKey::of(token)
    }

    fn signed(issuer: usize) -> SignedToken {
        SignedToken { issuer, generation: 0, token_type: None, claims: Arc::default() }
    }

    #[test]
    fn a_token_is_remembered_whole_and_forgotten() {
        let cache = TokenCache::default();
        assert!(cache.get(&key("a.b.c")).is_none());
        cache.put(&key("a.b.c"), &signed(1));
        cache.put(&key("a.b.c"), &signed(1));
        assert_eq!(cache.get(&key("a.b.c")).unwrap().issuer, 1);
        for other in ["a.b.d", "a.x.c", "a.b", "c", "", "a.b.c.", "a.b.c.c"] {
            assert!(cache.get(&key(other)).is_none(), "{other} is another token");
            cache.forget(&key(other));
        }
        assert!(cache.get(&key("a.b.c")).is_some());
        cache.forget(&key("a.b.c"));
        assert!(cache.get(&key("a.b.c")).is_none());
        let entries = cache.entries();
        assert_eq!((entries.bytes, entries.order.len()), (0, 0));
    }

    #[test]
    fn the_oldest_make_room() {
        let cache = TokenCache::default();
        let token = |n: usize| format!("a.b.{n:01020}");
        for n in 0..1000 {
            cache.put(&key(&token(n)), &signed(n));
            assert!(cache.entries().bytes <= MAX_BYTES);
        }
        assert!(cache.get(&key(&token(0))).is_none());
        assert_eq!(cache.get(&key(&token(999))).unwrap().issuer, 999);
        let entries = cache.entries();
        assert_eq!((entries.tokens.len(), entries.order.len()), (256, 256));
    }

    #[test]
    fn what_takes_the_place_of_another_makes_room_too() {
        let cache = TokenCache::default();
        let token = |n: usize, length: usize| format!("{}.{n}", "a".repeat(length));
        for length in [1, 16_000] {
            for n in 0..100 {
                cache.put(&key(&token(n, length)), &signed(n));
                assert!(cache.entries().bytes <= MAX_BYTES);
            }
        }
        let entries = cache.entries();
        assert_eq!(entries.bytes, entries.tokens.values().map(|entry| entry.length).sum::<usize>());
        assert_eq!(entries.tokens.len(), entries.order.len());
    }

    #[test]
    fn nothing_of_a_token_is_printed() {
        let cache = TokenCache::default();
        cache.put(&key("secret.secret.secret"), &signed(0));
        assert!(!format!("{cache:?}").contains("secret"));
    }
}
