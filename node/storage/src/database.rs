//! Opens the database, reads single records, and commits batches.

use std::ffi::{CStr, OsStr};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pyrite_consensus::bitcoin::BlockHash;
use rocksdb::properties::LIVE_SST_FILES_SIZE;
use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, ColumnFamilyDescriptor, CompactOptions, DB, Direction,
    IteratorMode, Options, ReadOptions, WriteOptions,
};

use crate::StorageError;
use crate::batch::{Batch, Durability};
use crate::codec::{KeyCodec, ValueCodec};
use crate::fault::{FaultPoints, Write};
use crate::iter::TableIter;
use crate::logs::check_logs;
use crate::migration::migrate;
use crate::options::{block_cache, database_options, table_options};
use crate::records::{MetaKey, MetaValue};
use crate::schema::{Memory, Meta, Schema, Table};
use crate::snapshot::Snapshot;

/// What a table's room on disk consists of: files of records, of large values, and the log.
const TABLE_SIZES: [&CStr; 3] = [
    c"rocksdb.live-sst-files-size",
    c"rocksdb.live-blob-file-size",
    c"rocksdb.cur-size-all-mem-tables",
];
/// RocksDB's option for copying large values out of files that are mostly garbage.
const BLOB_COLLECTION: &str = "enable_blob_garbage_collection";
/// Parts of the key space that room is reclaimed in.
const RECLAIM_PARTS: usize = 16;
/// No table's keys are so long.
const BEHIND_ALL_KEYS: [u8; 64] = [0xff; 64];

/// The database of one chain. Closed when it is dropped.
pub struct Database {
    inner: DB,
    path: PathBuf,
    schema: &'static Schema,
    faults: FaultPoints,
}

impl Database {
    /// Opens the database in the directory `path`, which is made if it is not there, for the chain
    /// of that name and genesis block. Data of an older schema is brought to this one first.
    ///
    /// # Errors
    /// It is another chain's, of an unknown schema, in use, damaged, or can't be read or written.
    pub fn open(
        path: &Path,
        schema: &'static Schema,
        chain_name: &str,
        genesis_hash: BlockHash,
    ) -> Result<Self, StorageError> {
        let chain = (chain_name, genesis_hash);
        let options = database_options(schema.memory);
        Self::open_with_options(
            path,
            schema,
            chain,
            FaultPoints::none(),
            (schema.memory, &options),
        )
    }

    /// Opens the database as `open` does, with this much memory, and tells `faults` of every write, those of the
    /// opening too.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with_faults(
        path: &Path,
        schema: &'static Schema,
        memory: Memory,
        (chain_name, genesis_hash): (&str, BlockHash),
        faults: FaultPoints,
    ) -> Result<Self, StorageError> {
        let chain = (chain_name, genesis_hash);
        let options = database_options(memory);
        Self::open_with_options(path, schema, chain, faults, (memory, &options))
    }

    pub(crate) fn open_with_options(
        path: &Path,
        schema: &'static Schema,
        (chain_name, genesis_hash): (&str, BlockHash),
        faults: FaultPoints,
        (memory, options): (Memory, &Options),
    ) -> Result<Self, StorageError> {
        std::fs::create_dir_all(path).map_err(|error| StorageError::from_io(path, &error))?;
        let existing = existing_tables(path)?;
        let inner = open_tables(path, schema, &existing, memory, options)?;
        let database = Self {
            inner,
            path: path.to_owned(),
            schema,
            faults,
        };
        match database.schema_version()? {
            None => database.write_identity(chain_name, genesis_hash)?,
            Some(version) => {
                database.check_chain(chain_name, genesis_hash)?;
                check_tables(schema, version, &existing)?;
                migrate(&database, schema, version)?;
            }
        }
        Ok(database)
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The value at `key`.
    ///
    /// # Errors
    /// The database can't be read, or what it holds is damaged.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StorageError> {
        let value = self
            .inner
            .get_pinned_cf(self.column::<T>(), key.encode())
            .map_err(|error| StorageError::from_rocksdb(&error))?;
        value.map(|bytes| decode_value::<T>(&bytes)).transpose()
    }

    /// The values at `keys`, in their order and as of one instant.
    ///
    /// # Errors
    /// The database can't be read, or what it holds is damaged.
    pub fn multi_get<T: Table>(
        &self,
        keys: &[T::Key],
    ) -> Result<Vec<Option<T::Value>>, StorageError> {
        self.snapshot().multi_get::<T>(keys)
    }

    /// All records of a table, in the order of their keys.
    #[must_use]
    pub fn scan<T: Table>(&self) -> TableIter<'_, T> {
        TableIter::new(
            self.inner
                .iterator_cf(self.column::<T>(), IteratorMode::Start),
        )
    }

    /// The records of a table behind `key`, which need not be there, in the order of their keys.
    #[must_use]
    pub fn scan_after<T: Table>(&self, key: &T::Key) -> TableIter<'_, T> {
        let mut start = key.encode().as_ref().to_vec();
        // No other bytes come between.
        start.push(0);
        let mode = IteratorMode::From(&start, Direction::Forward);
        // Whoever asks goes through all of them once: the block cache is for what is read again.
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        let column = self.column::<T>();
        TableIter::new(self.inner.iterator_cf_opt(column, options, mode))
    }

    /// Removes all records of a table, and its files with them. A kill in between leaves some of them.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn clear<T: Table>(&self) -> Result<(), StorageError> {
        self.faults.before(Write::Commit)?;
        let column = self.column::<T>();
        let (start, end): (&[u8], &[u8]) = (&[], &BEHIND_ALL_KEYS);
        self.inner
            .delete_file_in_range_cf(column, start, end)
            .and_then(|()| self.inner.delete_range_cf(column, start, end))
            .and_then(|()| self.inner.flush_cf(column))
            .map_err(|error| StorageError::from_rocksdb(&error))?;
        // What is left of it are a few files that the table's memory went to.
        self.inner
            .compact_range_cf::<&[u8], &[u8]>(column, None, None);
        Ok(())
    }

    /// The tables as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(self)
    }

    /// An empty batch.
    #[must_use]
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Applies a batch: all of it or, on an error, nothing.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn commit(&self, batch: Batch<'_>, durability: Durability) -> Result<(), StorageError> {
        self.faults.before(Write::Commit)?;
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.inner
            .write_opt(batch.into_changes(), &options)
            .map_err(|error| StorageError::from_rocksdb(&error))
    }

    /// Makes every committed batch survive a power cut.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn sync(&self) -> Result<(), StorageError> {
        self.faults.before(Write::Sync)?;
        self.inner
            .flush_wal(true)
            .map_err(|error| StorageError::from_rocksdb(&error))
    }

    /// Syncs, and moves what the tables gathered in memory to their files, so that the next opening
    /// has no log to replay.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn flush(&self) -> Result<(), StorageError> {
        self.sync()?;
        for table in self.schema.all_tables() {
            self.faults.before(Write::Flush)?;
            self.inner
                .flush_cf(self.column_named(table.name))
                .map_err(|error| StorageError::from_rocksdb(&error))?;
        }
        Ok(())
    }

    /// Bytes of a table's files, when what it gathered in memory is written to them.
    ///
    /// # Errors
    /// The database can't be read or written.
    pub fn table_bytes<T: Table>(&self) -> Result<u64, StorageError> {
        self.faults.before(Write::Flush)?;
        let bytes = self
            .inner
            .flush_cf(self.column::<T>())
            .and_then(|()| {
                self.inner
                    .property_int_value_cf(self.column::<T>(), LIVE_SST_FILES_SIZE)
            })
            .map_err(|error| StorageError::from_rocksdb(&error))?;
        Ok(bytes.unwrap_or(0))
    }

    /// Bytes that a table takes on disk, with what is still in the log.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn size_on_disk<T: Table>(&self) -> Result<u64, StorageError> {
        let column = self.column::<T>();
        let mut bytes = 0;
        for property in TABLE_SIZES {
            let part = self
                .inner
                .property_int_value_cf(column, property)
                .map_err(|error| StorageError::from_rocksdb(&error))?;
            bytes += part.unwrap_or(0);
        }
        Ok(bytes)
    }

    /// Gives the room of a table's deleted records back to the disk, a part of the key space at a time.
    /// `go_on` is asked before each part. Reads and writes go on meanwhile.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn reclaim<T: Table>(
        &self,
        mut go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let column = self.column::<T>();
        self.faults.before(Write::Flush)?;
        self.inner
            .flush_cf(column)
            .map_err(|error| StorageError::from_rocksdb(&error))?;
        let set = |value| {
            self.inner
                .set_options_cf(column, &[(BLOB_COLLECTION, value)])
                .map_err(|error| StorageError::from_rocksdb(&error))
        };
        let mut options = CompactOptions::default();
        options.set_exclusive_manual_compaction(false);
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        // Otherwise every compaction would copy blocks from file to file.
        set("true")?;
        for part in 0..RECLAIM_PARTS {
            if go_on().is_break() {
                break;
            }
            let width = 256 / RECLAIM_PARTS;
            let start = [u8::try_from(part * width).unwrap_or(u8::MAX)];
            let end = u8::try_from((part + 1) * width).ok().map(|end| [end]);
            self.inner
                .compact_range_cf_opt(column, Some(start), end, &options);
        }
        set("false")
    }

    pub(crate) fn into_raw(self) -> DB {
        self.inner
    }

    pub(crate) fn raw(&self) -> &DB {
        &self.inner
    }

    pub(crate) fn column<T: Table>(&self) -> &ColumnFamily {
        self.column_named(T::NAME)
    }

    pub(crate) fn schema(&self) -> &'static Schema {
        self.schema
    }

    pub(crate) fn column_named(&self, name: &str) -> &ColumnFamily {
        self.inner
            .cf_handle(name)
            .expect("every table of the schema was opened")
    }

    /// The version of the schema that the database was left with; `None` when it is new.
    fn schema_version(&self) -> Result<Option<u32>, StorageError> {
        match self.get::<Meta>(&MetaKey::SchemaVersion)? {
            None => Ok(None),
            Some(MetaValue::Number(found)) if found <= self.schema.version => Ok(Some(found)),
            Some(MetaValue::Number(found)) => Err(StorageError::UnknownSchema {
                path: self.path.clone(),
                found,
                supported: self.schema.version,
            }),
            Some(other) => Err(StorageError::Corrupt {
                detail: format!("{other:?} where the schema version should be"),
            }),
        }
    }

    /// Refuses another chain's data.
    fn check_chain(&self, name: &str, genesis: BlockHash) -> Result<(), StorageError> {
        let found_name = match self.get::<Meta>(&MetaKey::ChainName)? {
            Some(MetaValue::Text(text)) => text,
            _ => return Err(StorageError::missing("the chain's name")),
        };
        let found_genesis = self
            .get::<Meta>(&MetaKey::Genesis)?
            .and_then(|value| value.as_block())
            .ok_or_else(|| StorageError::missing("the genesis block's hash"))?;
        if found_name == name && found_genesis == genesis {
            return Ok(());
        }
        Err(StorageError::OtherChain {
            path: self.path.clone(),
            found: chain_label(&found_name, found_genesis),
            expected: chain_label(name, genesis),
        })
    }

    fn write_identity(&self, name: &str, genesis: BlockHash) -> Result<(), StorageError> {
        let mut batch = self.batch();
        let version = MetaValue::Number(self.schema.version);
        batch.put::<Meta>(&MetaKey::SchemaVersion, &version);
        batch.put::<Meta>(&MetaKey::ChainName, &MetaValue::Text(name.to_owned()));
        batch.put::<Meta>(&MetaKey::Genesis, &MetaValue::block(genesis));
        self.commit(batch, Durability::Synced)
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Decodes a value of `T`.
pub(crate) fn decode_value<T: Table>(bytes: &[u8]) -> Result<T::Value, StorageError> {
    T::Value::decode(bytes).map_err(|error| StorageError::undecodable(T::NAME, &error))
}

/// Encodes keys of `T`.
pub(crate) fn encode_keys<T: Table>(keys: &[T::Key]) -> Vec<<T::Key as KeyCodec>::Bytes> {
    keys.iter().map(KeyCodec::encode).collect()
}

/// The column families that are there; empty for a new database.
fn existing_tables(path: &Path) -> Result<Vec<String>, StorageError> {
    if !path.join("CURRENT").exists() {
        return refuse_orphans(path).map(|()| Vec::new());
    }
    check_logs(path)?;
    DB::list_cf(&Options::default(), path).map_err(|error| StorageError::from_open(path, &error))
}

/// RocksDB takes a directory without `CURRENT` for an empty one and would write a new database over
/// data whose `CURRENT` got lost.
fn refuse_orphans(path: &Path) -> Result<(), StorageError> {
    let io_error = |error| StorageError::from_io(path, &error);
    for entry in std::fs::read_dir(path).map_err(io_error)? {
        let file = entry.map_err(io_error)?.path();
        let is_data = file
            .extension()
            .and_then(OsStr::to_str)
            .is_some_and(|extension| matches!(extension, "sst" | "blob" | "log"));
        if is_data {
            return Err(StorageError::Corrupt {
                detail: format!("{} is missing", path.join("CURRENT").display()),
            });
        }
    }
    Ok(())
}

/// Opens the schema's tables and any other that is there: a newer schema may have more, and its version
/// must be read to say so.
fn open_tables(
    path: &Path,
    schema: &Schema,
    existing: &[String],
    memory: Memory,
    options: &Options,
) -> Result<DB, StorageError> {
    let cache = block_cache(memory);
    let mut descriptors: Vec<_> = schema
        .all_tables()
        .map(|table| ColumnFamilyDescriptor::new(table.name, table_options(table.access, &cache)))
        .collect();
    let others = existing
        .iter()
        .filter(|name| schema.all_tables().all(|table| table.name != *name));
    descriptors.extend(others.map(|name| ColumnFamilyDescriptor::new(name, Options::default())));
    DB::open_cf_descriptors(options, path, descriptors)
        .map_err(|error| StorageError::from_open(path, &error))
}

/// Every table of a database that was left with that version must have been there.
fn check_tables(schema: &Schema, version: u32, existing: &[String]) -> Result<(), StorageError> {
    let lost = schema
        .all_tables()
        .filter(|table| table.since <= version)
        .find(|table| !existing.iter().any(|found| found == table.name));
    match lost {
        None => Ok(()),
        Some(table) => Err(StorageError::missing(&format!(
            "the table `{}`",
            table.name
        ))),
    }
}

fn chain_label(name: &str, genesis: BlockHash) -> String {
    format!("`{name}` (genesis block {genesis})")
}
