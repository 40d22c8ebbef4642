//! Reads of several tables as they were at one instant.

use rocksdb::{DB, Direction, IteratorMode, ReadOptions, SnapshotWithThreadMode};

use crate::database::{Database, decode_value, encode_keys};
use crate::iter::TableIter;
use crate::schema::Table;
use crate::{KeyCodec, StorageError};

/// The tables as they were when it was made: a batch that is committed later is not seen.
pub struct Snapshot<'a> {
    database: &'a Database,
    inner: SnapshotWithThreadMode<'a, DB>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        Self {
            database,
            inner: database.raw().snapshot(),
        }
    }

    /// The value at `key`.
    ///
    /// # Errors
    /// The database can't be read, or what it holds is damaged.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StorageError> {
        let value = self
            .inner
            .get_pinned_cf(self.database.column::<T>(), key.encode())
            .map_err(|error| StorageError::from_rocksdb(&error))?;
        value.map(|bytes| decode_value::<T>(&bytes)).transpose()
    }

    /// The values at `keys`, in their order.
    ///
    /// # Errors
    /// The database can't be read, or what it holds is damaged.
    pub fn multi_get<T: Table>(
        &self,
        keys: &[T::Key],
    ) -> Result<Vec<Option<T::Value>>, StorageError> {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.inner);
        let keys = encode_keys::<T>(keys);
        self.database
            .raw()
            .batched_multi_get_cf_opt(self.database.column::<T>(), &keys, false, &options)
            .into_iter()
            .map(|value| match value {
                Ok(value) => value.map(|bytes| decode_value::<T>(&bytes)).transpose(),
                Err(error) => Err(StorageError::from_rocksdb(&error)),
            })
            .collect()
    }

    /// All records of a table. They pass by the block cache, which is for what is read again.
    #[must_use]
    pub fn scan<T: Table>(&self) -> TableIter<'_, T> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        let column = self.database.column::<T>();
        TableIter::new(
            self.inner
                .iterator_cf_opt(column, options, IteratorMode::Start),
        )
    }

    /// The records of a table from `key` on, which need not be there, in the order of their keys.
    #[must_use]
    pub fn scan_from<T: Table>(&self, key: &T::Key) -> TableIter<'_, T> {
        let start = key.encode();
        let mode = IteratorMode::From(start.as_ref(), Direction::Forward);
        TableIter::new(self.inner.iterator_cf(self.database.column::<T>(), mode))
    }
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}
