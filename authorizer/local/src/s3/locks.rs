//! One lock for each object in use, so that a check of an object and the change after it are one step.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::RwLock;

use super::key::Key;

/// The locks, one for each key that somebody holds or waits for.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Arc<RwLock<()>>>>);

impl Locks {
    pub(crate) fn of(&self, key: &Key) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A lock in use has a second reference, and no lock is given out meanwhile.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(key.stored().to_owned()).or_default())
    }
}
