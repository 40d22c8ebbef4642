//! The handle of the transactions that wait for their parents.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{OrphanLimits, Orphanage};

/// The orphans of a node. Clones share them.
#[derive(Clone, Debug)]
pub struct OrphanPool(Arc<Mutex<Orphanage>>);

impl OrphanPool {
    /// None yet.
    #[must_use]
    pub fn new(limits: OrphanLimits) -> Self {
        Self(Arc::new(Mutex::new(Orphanage::new(limits))))
    }

    /// The orphans, for a moment: not while a transaction is checked.
    pub fn lock(&self) -> MutexGuard<'_, Orphanage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for OrphanPool {
    fn default() -> Self {
        Self::new(OrphanLimits::default())
    }
}
