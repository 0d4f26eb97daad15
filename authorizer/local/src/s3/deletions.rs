//! The deletes that came while a conditional write was under way: S3 answers such a write with 409.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The keys of conditional writes that are under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deletions(Arc<Mutex<HashMap<String, Watched>>>);

#[derive(Debug, Default)]
struct Watched {
    writers: usize,
    deletes: u64,
}

/// A conditional write that is under way.
#[derive(Debug)]
pub(crate) struct Watch {
    all: Deletions,
    key: String,
    before: u64,
}

impl Deletions {
    /// Begins to watch a key.
    pub(crate) fn watch(&self, key: &str) -> Watch {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = keys.entry(key.to_owned()).or_default();
        watched.writers = watched.writers.saturating_add(1);
        Watch { all: self.clone(), key: key.to_owned(), before: watched.deletes }
    }

    /// An object was deleted.
    pub(crate) fn tell(&self, key: &str) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = keys.get_mut(key) {
            watched.deletes = watched.deletes.saturating_add(1);
        }
    }
}

impl Watch {
    /// Whether the object was deleted since this write began.
    pub(crate) fn is_deleted(&self) -> bool {
        let keys = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(&self.key).is_some_and(|watched| watched.deletes != self.before)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut keys = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = keys.get_mut(&self.key) {
            watched.writers = watched.writers.saturating_sub(1);
            if watched.writers == 0 {
                keys.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_delete_of_the_key_while_it_is_watched_counts() {
        let deletions = Deletions::default();
        deletions.tell("a");
        let (first, other) = (deletions.watch("a"), deletions.watch("b"));
        assert!(!first.is_deleted() && !other.is_deleted());
        deletions.tell("a");
        let second = deletions.watch("a");
        assert!(first.is_deleted() && !other.is_deleted() && !second.is_deleted());
        drop((first, second, other));
        assert!(deletions.0.lock().unwrap().is_empty());
    }
}
