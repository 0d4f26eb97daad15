//! The cache between the function and the origins: it keys as the cache policy says, and no better.
//!
//! - `key` is what of a request distinguishes it, `lifetime` how long an answer is kept.
//! - Objects are in memory, up to [`OBJECT`] each and [`ALL`] together; a larger one passes through. What was not asked
//!   for longest goes first.
//! - One account has the bytes of every body: those that come in, up to [`COMING`], those that are kept, and those that
//!   are no longer kept and that a slow viewer still reads. A body without room passes through.
//! - An object whose time has passed stays: the origin says whether it is still the same, and it is served if the origin
//!   fails.

mod key;
mod lifetime;
mod tee;
mod wanted;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

pub(crate) use key::Key;
pub(crate) use lifetime::lifetime;
pub(crate) use tee::Tee;
pub(crate) use wanted::{Wanted, answered, ask_whether_same, refused, renewed, verdict};

/// The largest object that is kept, in bytes.
pub(crate) const OBJECT: usize = 8 * 1024 * 1024;

/// The bytes of all objects that are kept.
const ALL: usize = 64 * 1024 * 1024;

/// The bytes of all objects that are on their way into the cache.
const COMING: usize = ALL / 2;

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

/// What the cache has for a key.
#[derive(Debug)]
pub(crate) enum Known {
    Fresh(Cached, Seen),
    /// Its time has passed.
    Stale(Cached, Seen),
}

/// An entry at the time when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Its age in seconds.
    pub(crate) age: u64,
    /// Which entry of its key it was.
    number: u64,
}

impl Seen {
    /// The same entry, whose time has begun anew.
    pub(crate) fn renewed(self) -> Self {
        Self { age: 0, ..self }
    }
}

#[derive(Debug)]
struct Entry {
    cached: Cached,
    stored: Instant,
    lifetime: Duration,
    /// No other entry has this number.
    number: u64,
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
    /// The keys of the answers that come in, and the bytes of these.
    coming: HashSet<Key>,
    coming_size: usize,
}

impl Entries {
    /// The entry that somebody saw, unless another one is in its place.
    fn still(&mut self, key: &Key, seen: Seen) -> Option<&mut Entry> {
        self.by_key.get_mut(key).filter(|entry| entry.number == seen.number)
    }

    fn remove(&mut self, key: &Key) {
        let removed = self.by_key.remove(key).map_or(0, |entry| entry.size);
        self.size = self.size.saturating_sub(removed);
    }

    /// Removes what was not asked for longest, if there is anything.
    fn remove_oldest(&mut self) -> bool {
        let oldest = self.by_key.iter().min_by_key(|(_, entry)| entry.used);
        let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return false };
        self.remove(&oldest);
        true
    }
}

/// The answers that are kept. A clone is the same cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    entries: Arc<Mutex<Entries>>,
    /// The bytes of all bodies. It grows only under the lock of the entries.
    account: Arc<AtomicUsize>,
}

/// Bytes of the account, until this is dropped.
#[derive(Debug)]
struct Taken {
    account: Arc<AtomicUsize>,
    bytes: usize,
}

impl Taken {
    fn shrink(&mut self, bytes: usize) {
        self.account.fetch_sub(self.bytes.saturating_sub(bytes), Ordering::Relaxed);
        self.bytes = self.bytes.min(bytes);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

/// A body, and its bytes in the account. They are there for as long as anyone has it.
struct Counted {
    body: Box<[u8]>,
    _taken: Taken,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// The place of an answer that comes in: the only one for its key.
#[derive(Debug)]
pub(crate) struct Place {
    cache: Cache,
    key: Key,
    taken: Option<Taken>,
    /// Its part of the bytes that come in.
    coming: usize,
}

impl Place {
    /// Takes bytes from the account, if it has them. What was not asked for longest makes room.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let mut entries = self.cache.entries();
        let account = &self.cache.account;
        let coming = entries.coming_size.saturating_add(bytes);
        if coming > COMING {
            return false;
        }
        while account.load(Ordering::Relaxed).saturating_add(bytes) > ALL {
            if !entries.remove_oldest() {
                return false;
            }
        }
        account.fetch_add(bytes, Ordering::Relaxed);
        entries.coming_size = coming;
        self.coming = self.coming.saturating_add(bytes);
        let taken = self.taken.get_or_insert_with(|| Taken { account: Arc::clone(account), bytes: 0 });
        taken.bytes = taken.bytes.saturating_add(bytes);
        true
    }

    /// The whole body, with its bytes in the account.
    pub(crate) fn filled(mut self, body: Vec<u8>) -> Bytes {
        let Some(mut taken) = self.taken.take() else { return Bytes::new() };
        taken.shrink(body.len());
        Bytes::from_owner(Counted { body: body.into_boxed_slice(), _taken: taken })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut entries = self.cache.entries();
        entries.coming.remove(&self.key);
        entries.coming_size = entries.coming_size.saturating_sub(self.coming);
    }
}

/// The state of the cache when an answer was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(u64);

impl Cache {
    /// What is there for a key.
    pub(crate) fn get(&self, key: &Key) -> Option<Known> {
        let mut entries = self.entries();
        entries.count = entries.count.saturating_add(1);
        let now = entries.count;
        let entry = entries.by_key.get_mut(key)?;
        let age = entry.stored.elapsed();
        let seen = Seen { age: age.as_secs(), number: entry.number };
        if age < entry.lifetime {
            entry.used = now;
            return Some(Known::Fresh(entry.cached.clone(), seen));
        }
        if entry.cached.is_error {
            entries.remove(key);
            return None;
        }
        entry.used = now;
        Some(Known::Stale(entry.cached.clone(), seen))
    }

    /// Serves an entry for some time more, if it is still there: its origin has failed.
    pub(crate) fn prolong(&self, key: &Key, seen: Seen, time: Duration) {
        if let Some(entry) = self.entries().still(key, seen) {
            entry.lifetime = entry.stored.elapsed().saturating_add(time);
        }
    }

    /// Removes an entry, if it is still there.
    pub(crate) fn remove(&self, key: &Key, seen: Seen) {
        let mut entries = self.entries();
        if entries.still(key, seen).is_some() {
            entries.remove(key);
        }
    }

    /// Begins the time of an entry anew, with newer headers, if it is still there.
    pub(crate) fn renew(&self, key: &Key, seen: Seen, headers: HeaderMap, lifetime: Duration) {
        if let Some(entry) = self.entries().still(key, seen) {
            entry.cached.headers = headers;
            (entry.stored, entry.lifetime) = (Instant::now(), lifetime);
        }
    }

    /// Makes the time of every entry pass.
    #[cfg(test)]
    pub(crate) fn expire(&self) {
        self.entries().by_key.values_mut().for_each(|entry| entry.lifetime = Duration::ZERO);
    }

    /// To be called before the origin is asked.
    pub(crate) fn asked(&self) -> Asked {
        Asked(self.entries().invalidations)
    }

    /// A place for an answer that comes in, if no other one for this key does.
    pub(crate) fn place(&self, key: &Key) -> Option<Place> {
        let is_first = self.entries().coming.insert(key.clone());
        is_first.then(|| Place { cache: self.clone(), key: key.clone(), taken: None, coming: 0 })
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
        let entry = Entry { cached, stored: Instant::now(), lifetime, number: used, used, size };
        let before = entries.by_key.insert(key, entry).map_or(0, |entry| entry.size);
        entries.size = entries.size.saturating_sub(before).saturating_add(size);
        while entries.size > ALL && entries.remove_oldest() {}
    }

    /// Removes what a path of an invalidation is of, and gives the number of entries. `*` at its end is any text;
    /// anywhere else, it is itself, as `?` is
    /// ([AWS: what you need to know](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html)).
    pub(crate) fn invalidate(&self, path: &str) -> usize {
        let mut entries = self.entries();
        entries.invalidations = entries.invalidations.saturating_add(1);
        let before = entries.by_key.len();
        entries.by_key.retain(|key, _| !is_of(path, key.path()));
        entries.size = entries.by_key.values().map(|entry| entry.size).fold(0, usize::saturating_add);
        before.saturating_sub(entries.by_key.len())
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a path of an invalidation is of this path. A slash at the beginning changes nothing.
fn is_of(invalidated: &str, path: &str) -> bool {
    let invalidated = invalidated.strip_prefix('/').unwrap_or(invalidated);
    let path = path.strip_prefix('/').unwrap_or(path);
    match invalidated.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == invalidated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full};

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

    /// A body that comes in, unless another one for this path does.
    fn coming(cache: &Cache, path: &str, bytes: usize) -> Option<Tee> {
        let key = Key::of_path(path);
        let place = cache.place(&key)?;
        let body = Full::new(Bytes::from(vec![7; bytes])).map_err(|never| match never {}).boxed_unsync();
        let cache = cache.clone();
        let asked = cache.asked();
        Some(Tee::new(body, place, move |body| {
            cache.put(key, Cached { body, ..cached(0) }, HOUR, asked);
        }))
    }

    fn account(cache: &Cache) -> usize {
        cache.account.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn what_comes_in_is_of_the_same_account_and_once_for_each_key() {
        let cache = Cache::default();
        let first = coming(&cache, "/same", OBJECT).unwrap();
        assert!(coming(&cache, "/same", OBJECT).is_none());
        assert_eq!(account(&cache), OBJECT);
        // A viewer that goes gives back what was taken, and the key.
        drop(first);
        assert_eq!((account(&cache), cache.entries().coming_size), (0, 0));
        let tees: Vec<Tee> = (0..100).map(|n| coming(&cache, &format!("/{n}"), OBJECT).unwrap()).collect();
        assert_eq!((account(&cache), cache.entries().coming_size), (COMING, COMING));
        // Those without room pass through whole.
        for tee in tees {
            assert_eq!(tee.collect().await.unwrap().to_bytes().len(), OBJECT);
        }
        let kept = (0..100).filter(|n| cache.get(&Key::of_path(&format!("/{n}"))).is_some()).count();
        assert_eq!(kept, COMING / OBJECT);
        assert_eq!((account(&cache), cache.entries().coming_size), (COMING, 0));
    }

    #[tokio::test]
    async fn a_body_that_somebody_reads_counts_even_if_it_is_no_longer_kept() {
        let cache = Cache::default();
        let bytes = OBJECT - 1_024;
        let mut read = Vec::new();
        for n in 0..8 {
            let path = format!("/{n}");
            coming(&cache, &path, bytes).unwrap().collect().await.unwrap();
            let Some(Known::Fresh(cached, _)) = cache.get(&Key::of_path(&path)) else { panic!("{path}") };
            read.push(cached);
        }
        assert_eq!(cache.invalidate("/*"), 8);
        assert_eq!(account(&cache), 8 * bytes);
        coming(&cache, "/more", bytes).unwrap().collect().await.unwrap();
        assert!(cache.get(&Key::of_path("/more")).is_none());
        drop(read);
        assert_eq!(account(&cache), 0);
        coming(&cache, "/more", bytes).unwrap().collect().await.unwrap();
        assert!(cache.get(&Key::of_path("/more")).is_some());
    }

    #[test]
    fn only_a_star_at_the_end_of_an_invalidation_is_any_text() {
        for (invalidated, path, is) in [
            ("/a", "/a", true),
            ("a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/ab/c", true),
            ("/*", "/", true),
            ("/a?", "/ab", false),
            ("/a?", "/a?", true),
            ("/*.jpg", "/b.jpg", false),
            ("/*.jpg", "/*.jpg", true),
            ("/a/*/c*", "/a/b/c", false),
            ("/a/*/c*", "/a/*/cd", true),
            ("/A", "/a", false),
        ] {
            assert_eq!(is_of(invalidated, path), is, "{invalidated} {path}");
        }
    }

    #[test]
    fn an_entry_ends_with_its_time_or_an_invalidation() {
        let cache = Cache::default();
        for path in ["/a/b", "/a/c", "/d"] {
            cache.put(Key::of_path(path), cached(1), HOUR, cache.asked());
        }
        let short = Key::of_path("/short");
        cache.put(short.clone(), cached(1), Duration::from_nanos(1), cache.asked());
        let Some(Known::Stale(_, old)) = cache.get(&short) else { panic!() };
        cache.prolong(&short, old, HOUR);
        assert!(matches!(cache.get(&short), Some(Known::Fresh(..))));
        // Who saw an entry changes nothing about the next one.
        cache.put(short.clone(), cached(2), HOUR, cache.asked());
        cache.prolong(&short, old, Duration::ZERO);
        cache.renew(&short, old, HeaderMap::new(), Duration::ZERO);
        cache.remove(&short, old);
        let Some(Known::Fresh(_, new)) = cache.get(&short) else { panic!() };
        cache.remove(&short, new);
        assert!(cache.get(&short).is_none());
        let error = Cached { is_error: true, ..cached(1) };
        cache.put(short.clone(), error, Duration::from_nanos(1), cache.asked());
        assert!(cache.get(&short).is_none(), "an error is never served longer");
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
