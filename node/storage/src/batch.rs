//! Changes to several tables that happen together or not at all.

use rocksdb::WriteBatch;

use crate::codec::{KeyCodec, ValueCodec};
use crate::database::Database;
use crate::schema::Table;

/// When a commit returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the changes would survive a power cut.
    Synced,
    /// When the changes would survive the end of the process; `Database::sync` does the rest, for
    /// several batches at once.
    Buffered,
}

/// Changes that are committed together.
pub struct Batch<'a> {
    database: &'a Database,
    changes: WriteBatch,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        Self {
            database,
            changes: WriteBatch::default(),
        }
    }

    /// Writes a record, over an older one if there is one.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        self.put_encoded::<T>(key, &value.encode());
    }

    /// Writes a record whose value is encoded already.
    pub fn put_encoded<T: Table>(&mut self, key: &T::Key, value: &[u8]) {
        self.changes
            .put_cf(self.database.column::<T>(), key.encode(), value);
    }

    /// Removes a record, if there is one.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        self.changes
            .delete_cf(self.database.column::<T>(), key.encode());
    }

    /// Removes all records of a table; those that are put into the batch after this stay.
    pub fn clear<T: Table>(&mut self) {
        // Behind every key: none is so long and has so large bytes.
        let end = [0xff; 64];
        self.changes
            .delete_range_cf(self.database.column::<T>(), &[][..], &end[..]);
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn into_changes(self) -> WriteBatch {
        self.changes
    }
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("changes", &self.changes.len())
            .finish_non_exhaustive()
    }
}
