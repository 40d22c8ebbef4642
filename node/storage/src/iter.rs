//! Walks a table in the order of its keys.

use std::marker::PhantomData;

use rocksdb::{DB, DBIteratorWithThreadMode};

use crate::StorageError;
use crate::codec::{KeyCodec, ValueCodec};
use crate::schema::Table;

/// The records of a table in the order of their keys, as they were when the walk began.
pub struct TableIter<'a, T> {
    records: DBIteratorWithThreadMode<'a, DB>,
    table: PhantomData<T>,
}

impl<'a, T: Table> TableIter<'a, T> {
    pub(crate) fn new(records: DBIteratorWithThreadMode<'a, DB>) -> Self {
        Self {
            records,
            table: PhantomData,
        }
    }
}

impl<T: Table> Iterator for TableIter<'_, T> {
    type Item = Result<(T::Key, T::Value), StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.next()?;
        Some(match record {
            Ok((key, value)) => decode_record::<T>(&key, &value),
            Err(error) => Err(StorageError::from_rocksdb(&error)),
        })
    }
}

fn decode_record<T: Table>(key: &[u8], value: &[u8]) -> Result<(T::Key, T::Value), StorageError> {
    let refuse = |error| StorageError::undecodable(T::NAME, &error);
    Ok((
        T::Key::decode(key).map_err(refuse)?,
        T::Value::decode(value).map_err(refuse)?,
    ))
}

impl<T: Table> std::fmt::Debug for TableIter<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableIter")
            .field("table", &T::NAME)
            .finish_non_exhaustive()
    }
}
