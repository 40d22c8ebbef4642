//! Which of the tables' files is damaged, where RocksDB does not say: each is made a database of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rocksdb::statistics::Ticker;
use rocksdb::{ColumnFamilyDescriptor, DB, IteratorMode, Options};

use crate::StorageError;
use crate::options::{block_cache, table_options};
use crate::schema::{Access, Memory};

/// The folder for the databases of one file, in the one that is checked.
const FOLDER: &str = "checking";
/// Where RocksDB puts what it can't read when it repairs a database.
const LOST: &str = "lost";

/// The first table's file in the directory that is damaged by itself. The database must be closed.
///
/// # Errors
/// The directory can't be read or written.
pub(crate) fn find_damaged_table_file(directory: &Path) -> Result<Option<PathBuf>, StorageError> {
    let io_error = |error| StorageError::from_io(directory, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let file = entry.map_err(io_error)?.path();
        if file.extension() == Some(OsStr::new("sst")) {
            files.push(file);
        }
    }
    files.sort();
    let folder = directory.join(FOLDER);
    for file in files {
        // What an earlier look left that was killed.
        remove(&folder)?;
        let is_damaged = is_damaged(&file, &folder);
        remove(&folder)?;
        if is_damaged? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn remove(folder: &Path) -> Result<(), StorageError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StorageError::from_io(folder, &error))
        }
        _ => Ok(()),
    }
}

/// Makes a database of the file alone, and reads what the file begins with and its filter.
fn is_damaged(file: &Path, folder: &Path) -> Result<bool, StorageError> {
    let io_error = |error| StorageError::from_io(folder, &error);
    std::fs::create_dir_all(folder).map_err(io_error)?;
    let name = file.file_name().unwrap_or_default();
    std::fs::hard_link(file, folder.join(name))
        .or_else(|_| std::fs::copy(file, folder.join(name)).map(|_| ()))
        .map_err(io_error)?;
    let mut options = Options::default();
    options.enable_statistics();
    // The file is a table of a name that only its properties tell.
    if DB::repair(&options, folder).is_err() || folder.join(LOST).join(name).exists() {
        return Ok(true);
    }
    let Ok(tables) = DB::list_cf(&options, folder) else {
        return Ok(true);
    };
    let cache = block_cache(Memory::INDEX);
    let descriptors = tables
        .iter()
        .map(|table| ColumnFamilyDescriptor::new(table, table_options(Access::Point, &cache)));
    let Ok(database) = DB::open_cf_descriptors(&options, folder, descriptors) else {
        return Ok(true);
    };
    for table in &tables {
        let Some(column) = database.cf_handle(table) else {
            continue;
        };
        // A value may be in a blob file, which is not there: only the look-up counts.
        if let Some(Ok((key, _))) = database.iterator_cf(column, IteratorMode::Start).next() {
            let _ = database.get_pinned_cf(column, key);
        }
    }
    drop(database);
    Ok(options.get_ticker_count(Ticker::BlockChecksumMismatchCount) > 0)
}
