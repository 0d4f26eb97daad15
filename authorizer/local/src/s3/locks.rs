//! One lock for each object in use: what is asked about an object and then done to it is one step.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::RwLock;

use super::key::Key;

/// A lock for each key, as long as somebody holds it or waits for it.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Arc<RwLock<()>>>>);

impl Locks {
    pub(crate) fn of(&self, key: &Key) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds or awaits a lock has a second reference to it, and none is handed out meanwhile.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(key.stored().to_owned()).or_default())
    }
}
