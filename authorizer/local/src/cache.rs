//! The cache between the function and the origins: it keys as the cache policy says, and no better.
//!
//! - `key` is what of a request distinguishes it, `lifetime` how long an answer is kept.
//! - Objects are in memory, up to [`OBJECT`] each and [`ALL`] together; a larger one passes through. What was not asked
//!   for longest goes first.
//! - An object that is out of date is asked for anew, without a condition.

mod key;
mod lifetime;
mod tee;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::behaviors::matches;
pub(crate) use key::Key;
pub(crate) use lifetime::lifetime;
pub(crate) use tee::Tee;

/// The largest object that is kept, in bytes.
pub(crate) const OBJECT: usize = 8 * 1024 * 1024;

/// The bytes of all objects that are kept.
const ALL: usize = 64 * 1024 * 1024;

/// What an entry costs beside its body and its headers.
const OVERHEAD: usize = 512;

/// What is kept of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The error page is in the place of the origin's error.
    pub(crate) is_error: bool,
}

#[derive(Debug)]
struct Entry {
    cached: Cached,
    stored: Instant,
    lifetime: Duration,
    /// When it was last asked for, as a count.
    used: u64,
    size: usize,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Key, Entry>,
    size: usize,
    count: u64,
    /// Grows with each invalidation: an answer that was asked for before must not be stored after.
    invalidations: u64,
}

/// The answers that are kept. A clone is the same cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache(Arc<Mutex<Entries>>);

/// The state of the cache when an answer was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(u64);

impl Cache {
    /// The answer for a key, and its age in seconds.
    pub(crate) fn get(&self, key: &Key) -> Option<(Cached, u64)> {
        let mut entries = self.entries();
        entries.count = entries.count.saturating_add(1);
        let now = entries.count;
        let entry = entries.by_key.get_mut(key)?;
        let age = entry.stored.elapsed();
        if age >= entry.lifetime {
            let size = entry.size;
            entries.by_key.remove(key);
            entries.size = entries.size.saturating_sub(size);
            return None;
        }
        entry.used = now;
        Some((entry.cached.clone(), age.as_secs()))
    }

    /// To be called before the origin is asked.
    pub(crate) fn asked(&self) -> Asked {
        Asked(self.entries().invalidations)
    }

    /// Keeps an answer.
    pub(crate) fn put(&self, key: Key, cached: Cached, lifetime: Duration, asked: Asked) {
        let headers =
            cached.headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
        let size = headers.fold(cached.body.len().saturating_add(OVERHEAD), usize::saturating_add);
        let size = size.saturating_add(key.size());
        if lifetime.is_zero() || cached.body.len() > OBJECT || size > ALL {
            return;
        }
        let mut entries = self.entries();
        if entries.invalidations != asked.0 {
            return;
        }
        entries.count = entries.count.saturating_add(1);
        let used = entries.count;
        let entry = Entry { cached, stored: Instant::now(), lifetime, used, size };
        let before = entries.by_key.insert(key, entry).map_or(0, |entry| entry.size);
        entries.size = entries.size.saturating_sub(before).saturating_add(size);
        while entries.size > ALL {
            let oldest = entries.by_key.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            let removed = entries.by_key.remove(&oldest).map_or(0, |entry| entry.size);
            entries.size = entries.size.saturating_sub(removed);
        }
    }

    /// Removes what a path of an invalidation is of, and gives the number of entries. `*` at its end is any text.
    pub(crate) fn invalidate(&self, path: &str) -> usize {
        let mut entries = self.entries();
        entries.invalidations = entries.invalidations.saturating_add(1);
        let before = entries.by_key.len();
        entries.by_key.retain(|key, _| !matches(path, key.path()));
        entries.size = entries.by_key.values().map(|entry| entry.size).fold(0, usize::saturating_add);
        before.saturating_sub(entries.by_key.len())
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(bytes: usize) -> Cached {
        Cached {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: vec![0; bytes].into(),
            is_error: false,
        }
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn memory_is_bounded_and_what_was_not_asked_for_longest_goes_first() {
        let cache = Cache::default();
        let put = |path: &str, bytes| cache.put(Key::of_path(path), cached(bytes), HOUR, cache.asked());
        let has = |path: &str| cache.get(&Key::of_path(path)).is_some();
        put("/too-large", OBJECT + 1);
        assert!(!has("/too-large"));
        for n in 0..9 {
            put(&format!("/{n}"), OBJECT - 2 * OVERHEAD);
            assert!(has("/0"), "{n}");
        }
        assert!(!has("/1") && has("/2") && has("/8"));
        assert!(cache.entries().size <= ALL);
        // An entry that is replaced counts once.
        for _ in 0..100 {
            put("/0", OBJECT / 2);
        }
        assert!(has("/8") && cache.entries().size <= ALL);
    }

    #[test]
    fn an_entry_ends_with_its_time_or_an_invalidation() {
        let cache = Cache::default();
        for path in ["/a/b", "/a/c", "/d"] {
            cache.put(Key::of_path(path), cached(1), HOUR, cache.asked());
        }
        cache.put(Key::of_path("/short"), cached(1), Duration::from_nanos(1), cache.asked());
        assert!(cache.get(&Key::of_path("/short")).is_none());
        cache.put(Key::of_path("/never"), cached(1), Duration::ZERO, cache.asked());
        assert!(cache.get(&Key::of_path("/never")).is_none());
        let before = cache.asked();
        assert_eq!(cache.invalidate("/a/*"), 2);
        assert!(cache.get(&Key::of_path("/d")).is_some());
        // The origin was asked before the invalidation: what it said may be what was to go.
        cache.put(Key::of_path("/a/b"), cached(1), HOUR, before);
        assert!(cache.get(&Key::of_path("/a/b")).is_none());
        assert_eq!(cache.invalidate("/*"), 1);
        assert_eq!(cache.entries().size, 0);
    }
}
