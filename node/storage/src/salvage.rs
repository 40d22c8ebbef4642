//! Reads the blocks of a database that may be damaged, as far as they can be read. Nothing is trusted and
//! nothing but a repair of the list of files is written.

use std::path::Path;

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::hashes::Hash;
use rocksdb::{ColumnFamilyDescriptor, DB, DBRawIterator, DBRecoveryMode, Options, ReadOptions};

use crate::codec::{KeyCodec, ValueCodec};
use crate::database::Database;
use crate::options::{block_cache, database_options, table_options};
use crate::schema::{Blocks, CHAIN_SCHEMA, Headers, Table};
use crate::{RawBlock, StorageError};

/// Bytes of a key: a block's hash.
const KEY_BYTES: usize = 32;

/// An old database, open for reading.
pub struct Salvage {
    inner: DB,
}

/// A record that can be read, or the end of a place that can't.
#[derive(Debug)]
pub enum Salvaged<T> {
    /// A record.
    Record(BlockHash, T),
    /// What was read over: one record or many.
    Damage(StorageError),
}

impl Salvage {
    /// Opens the database in the directory `path` for the chain of that name and genesis block: as it is
    /// if that works, otherwise for reading alone, and last with a new list of its files.
    ///
    /// # Errors
    /// It is another chain's, of an unknown schema, in use, or not even its files can be read.
    pub fn open(path: &Path, chain_name: &str, genesis: BlockHash) -> Result<Self, StorageError> {
        let error = match Database::open(path, &CHAIN_SCHEMA, chain_name, genesis) {
            // It stays locked while it is read.
            Ok(database) => {
                return Ok(Self {
                    inner: database.into_raw(),
                });
            }
            Err(error) => error,
        };
        let is_damage = matches!(
            error,
            StorageError::Corrupt { .. } | StorageError::Io { .. }
        );
        if !is_damage {
            return Err(error);
        }
        tracing::warn!(%error, "the database can't be opened: reading what is left of it");
        if let Ok(inner) = open_tables(path) {
            return Ok(Self { inner });
        }
        tracing::warn!("the list of the database's files is lost: making a new one");
        DB::repair(&tolerant_options(), path)
            .and_then(|()| open_tables(path))
            .map(|inner| Self { inner })
            .map_err(|error| StorageError::from_open(path, &error))
    }

    /// The headers and what was known of their blocks.
    #[must_use]
    pub fn headers(&self) -> SalvageIter<'_, Headers> {
        SalvageIter::new(&self.inner)
    }

    /// The bodies of blocks.
    #[must_use]
    pub fn bodies(&self) -> SalvageIter<'_, Blocks> {
        SalvageIter::new(&self.inner)
    }

    /// A block's body.
    ///
    /// # Errors
    /// It can't be read.
    pub fn body(&self, hash: &BlockHash) -> Result<Option<RawBlock>, StorageError> {
        let Some(table) = self.inner.cf_handle(Blocks::NAME) else {
            return Ok(None);
        };
        let bytes = self
            .inner
            .get_pinned_cf(table, KeyCodec::encode(hash))
            .map_err(|error| StorageError::from_rocksdb(&error))?;
        Ok(bytes.map(|bytes| RawBlock(bytes.to_vec())))
    }
}

impl std::fmt::Debug for Salvage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Salvage").finish_non_exhaustive()
    }
}

/// Options that take damage for the end of what can be read, not for an error.
fn tolerant_options() -> Options {
    let mut options = database_options(CHAIN_SCHEMA.memory);
    options.set_paranoid_checks(false);
    options.set_wal_recovery_mode(DBRecoveryMode::SkipAnyCorruptedRecord);
    options
}

fn open_tables(path: &Path) -> Result<DB, rocksdb::Error> {
    let cache = block_cache(CHAIN_SCHEMA.memory);
    let names = DB::list_cf(&Options::default(), path)?;
    let tables = names.iter().map(|name| {
        let table = CHAIN_SCHEMA.tables.iter().find(|table| table.name == name);
        let mut options = table.map_or_else(Options::default, |table| {
            table_options(table.access, &cache)
        });
        options.set_paranoid_checks(false);
        ColumnFamilyDescriptor::new(name, options)
    });
    DB::open_cf_descriptors_read_only(&tolerant_options(), path, tables, false)
}

/// What leads to the next record.
#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    Next,
    There,
}

/// A walk through a table that goes on behind what can't be read.
pub struct SalvageIter<'a, T> {
    /// `None` where there is no such table.
    records: Option<DBRawIterator<'a>>,
    /// The key that was last looked for or found.
    last: [u8; KEY_BYTES],
    step: Step,
    table: std::marker::PhantomData<T>,
}

impl<'a, T: Table<Key = BlockHash>> SalvageIter<'a, T> {
    fn new(database: &'a DB) -> Self {
        let records = database.cf_handle(T::NAME).map(|table| {
            let mut options = ReadOptions::default();
            options.fill_cache(false);
            database.raw_iterator_cf_opt(table, options)
        });
        Self {
            records,
            last: [0; KEY_BYTES],
            step: Step::Begin,
            table: std::marker::PhantomData,
        }
    }

    /// The record that the walk is at.
    fn record(&mut self) -> Option<Salvaged<T::Value>> {
        let records = self.records.as_ref()?;
        let (key, value) = records.item()?;
        let decoded = <[u8; KEY_BYTES]>::try_from(key)
            .ok()
            .zip(T::Value::decode(value).ok());
        Some(match decoded {
            Some((key, value)) => {
                self.last = key;
                Salvaged::Record(BlockHash::from_byte_array(key), value)
            }
            None => Salvaged::Damage(StorageError::Corrupt {
                detail: format!("a record of the table `{}` can't be read", T::NAME),
            }),
        })
    }

    /// Moves behind a place that can't be read. Hashes are spread evenly, so that the first steps that
    /// double and then halve lose nothing but what is damaged.
    fn pass_over(&mut self) {
        let Some(records) = self.records.as_mut() else {
            return;
        };
        let start = prefix(&self.last);
        let mut damaged = start;
        let mut readable = None;
        for bit in 0..64 {
            let place = start.saturating_add(1 << bit);
            if is_readable(records, place) {
                readable = Some(place);
                break;
            }
            damaged = place;
        }
        let Some(mut readable) = readable else {
            self.records = None;
            return;
        };
        while readable - damaged > 1 {
            let middle = damaged + (readable - damaged) / 2;
            if is_readable(records, middle) {
                readable = middle;
            } else {
                damaged = middle;
            }
        }
        seek(records, readable);
    }
}

impl<T: Table<Key = BlockHash>> Iterator for SalvageIter<'_, T> {
    type Item = Salvaged<T::Value>;

    fn next(&mut self) -> Option<Self::Item> {
        let records = self.records.as_mut()?;
        match self.step {
            Step::Begin => records.seek_to_first(),
            Step::Next => records.next(),
            Step::There => {}
        }
        self.step = Step::Next;
        if records.valid() {
            return self.record();
        }
        let error = records.status().err()?;
        self.pass_over();
        self.step = Step::There;
        Some(Salvaged::Damage(StorageError::from_rocksdb(&error)))
    }
}

impl<T> std::fmt::Debug for SalvageIter<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SalvageIter").finish_non_exhaustive()
    }
}

/// The first eight bytes of a key, as a number in the order of keys.
fn prefix(key: &[u8; KEY_BYTES]) -> u64 {
    let (first, _) = key.split_at(8);
    u64::from_be_bytes(first.try_into().expect("eight bytes"))
}

fn seek(records: &mut DBRawIterator<'_>, prefix: u64) {
    let mut key = [0; KEY_BYTES];
    key[..8].copy_from_slice(&prefix.to_be_bytes());
    records.seek(key);
}

/// Whether there is a record, or the end, from a place on.
fn is_readable(records: &mut DBRawIterator<'_>, prefix: u64) -> bool {
    seek(records, prefix);
    records.valid() || records.status().is_ok()
}
