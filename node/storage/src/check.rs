//! Reads everything that a database holds, so that every checksum is verified.

use std::ffi::OsStr;
use std::path::Path;

use pyrite_consensus::bitcoin::BlockHash;
use rocksdb::statistics::Ticker;
use rocksdb::{IteratorMode, Options, ReadOptions};

use crate::StorageError;
use crate::blob_file::{BlobFile, check_blob_file};
use crate::database::Database;
use crate::fault::FaultPoints;
use crate::options::database_options;
use crate::schema::Schema;
use crate::table_file::find_damaged_table_file;

/// Records between two words of progress.
const PROGRESS_RECORDS: u64 = 10_000;

/// The records of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableCount {
    /// The table's name.
    pub name: &'static str,
    /// How many there are.
    pub records: u64,
}

/// Opens the database in the directory `path` as `Database::open` does, and reads all of its files:
/// the logs, every record of every table, and the filters and indexes of the tables' files. `progress`
/// is told how far it is with each table.
///
/// # Errors
/// As `Database::open`; or something is damaged, and the error names the file.
pub fn check_database(
    path: &Path,
    schema: &'static Schema,
    chain_name: &str,
    genesis_hash: BlockHash,
    progress: &mut dyn FnMut(TableCount),
) -> Result<Vec<TableCount>, StorageError> {
    let unfinished = check_blob_files(path)?;
    match read_all(path, schema, (chain_name, genesis_hash), progress) {
        Err(StorageError::Corrupt { detail }) => Err(name_file(path, detail, unfinished)?),
        result => result,
    }
}

/// Adds the damaged file's name to an error of RocksDB's that does not have it.
fn name_file(
    directory: &Path,
    detail: String,
    unfinished: Option<StorageError>,
) -> Result<StorageError, StorageError> {
    if detail.contains("blob log") {
        // One of those without a foot is in use.
        return Ok(unfinished.unwrap_or(StorageError::Corrupt { detail }));
    }
    let is_named = [".sst", ".log", "CURRENT"]
        .iter()
        .any(|name| detail.contains(name));
    if is_named {
        return Ok(StorageError::Corrupt { detail });
    }
    Ok(StorageError::Corrupt {
        detail: match find_damaged_table_file(directory)? {
            Some(file) => format!("{}: {detail}", file.display()),
            None => detail,
        },
    })
}

fn read_all(
    path: &Path,
    schema: &'static Schema,
    chain: (&str, BlockHash),
    progress: &mut dyn FnMut(TableCount),
) -> Result<Vec<TableCount>, StorageError> {
    let mut options = database_options(schema.memory);
    options.enable_statistics();
    let database = Database::open_with_options(
        path,
        schema,
        chain,
        FaultPoints::none(),
        (schema.memory, &options),
    )?;
    check_filters(&database, &options)?;
    schema
        .all_tables()
        .map(|table| count_records(&database, table.name, progress))
        .collect()
}

/// RocksDB's errors do not say which of these is damaged, and it does not read what is no longer used.
/// Returns what is wrong with one that has no foot: a kill may have left it before it was in use.
fn check_blob_files(directory: &Path) -> Result<Option<StorageError>, StorageError> {
    let mut unfinished = None;
    if !directory.exists() {
        return Ok(unfinished);
    }
    let io_error = |error| StorageError::from_io(directory, &error);
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let file = entry.map_err(io_error)?.path();
        if file.extension() == Some(OsStr::new("blob")) {
            match check_blob_file(&file)? {
                BlobFile::Whole => {}
                BlobFile::Unfinished(error) => unfinished = Some(error),
            }
        }
    }
    Ok(unfinished)
}

/// A walk does not read the filters of the files, and a look-up whose filter is damaged goes on without:
/// only the count of wrong checksums tells.
fn check_filters(database: &Database, options: &Options) -> Result<(), StorageError> {
    let rocksdb_error = |error| StorageError::from_rocksdb(&error);
    let mismatches = || options.get_ticker_count(Ticker::BlockChecksumMismatchCount);
    for file in database.raw().live_files().map_err(rocksdb_error)? {
        let mut tables = database.schema().all_tables();
        let table = tables.find(|table| table.name == file.column_family_name);
        let (Some(table), Some(key)) = (table, &file.start_key) else {
            continue;
        };
        let before = mismatches();
        let column = database.column_named(table.name);
        database
            .raw()
            .get_pinned_cf(column, key)
            .map_err(rocksdb_error)?;
        if mismatches() > before {
            let name = file.name.trim_start_matches('/');
            return Err(StorageError::Corrupt {
                detail: format!(
                    "block checksum mismatch in {}",
                    database.path().join(name).display()
                ),
            });
        }
    }
    match mismatches() {
        0 => Ok(()),
        count => Err(StorageError::Corrupt {
            detail: format!(
                "{count} block checksum mismatches in {}",
                database.path().display()
            ),
        }),
    }
}

fn count_records(
    database: &Database,
    name: &'static str,
    progress: &mut dyn FnMut(TableCount),
) -> Result<TableCount, StorageError> {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options.set_verify_checksums(true);
    let mut count = TableCount { name, records: 0 };
    let column = database.column_named(name);
    let records = database
        .raw()
        .iterator_cf_opt(column, options, IteratorMode::Start);
    for record in records {
        record.map_err(|error| StorageError::from_rocksdb(&error))?;
        count.records += 1;
        if count.records.is_multiple_of(PROGRESS_RECORDS) {
            progress(count);
        }
    }
    progress(count);
    Ok(count)
}
