//! A database that can be closed, whoever still holds a handle.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use pyrite_storage::Database;

use crate::IndexError;

/// The database of one index. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Slot(Arc<RwLock<Option<Database>>>);

/// The open database; it stays open while this is held.
pub(crate) struct OpenDatabase<'a>(RwLockReadGuard<'a, Option<Database>>);

impl Deref for OpenDatabase<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0
            .as_ref()
            .expect("a guard is only made of an open database")
    }
}

impl Slot {
    pub(crate) fn new(database: Database) -> Self {
        Self(Arc::new(RwLock::new(Some(database))))
    }

    pub(crate) fn open(&self) -> Result<OpenDatabase<'_>, IndexError> {
        let guard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() {
            Ok(OpenDatabase(guard))
        } else {
            Err(IndexError::Closed)
        }
    }

    /// Closes it, when the last read that is under way has ended.
    pub(crate) fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
