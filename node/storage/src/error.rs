//! What can go wrong with the database, one clear line for each cause.

use std::path::{Path, PathBuf};

use crate::CodecError;

/// A failure of the database or of the machine under it. Never says anything about a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The directory holds the data of another chain.
    #[error("the database {} belongs to the chain {found}, not to {expected}", path.display())]
    OtherChain {
        /// The database's directory.
        path: PathBuf,
        /// Name and genesis hash that it was made for.
        found: String,
        /// Name and genesis hash that were asked for.
        expected: String,
    },
    /// The directory was written by a version with other tables.
    #[error(
        "the database {} has schema version {found}; this program supports version {supported}",
        path.display()
    )]
    UnknownSchema {
        /// The database's directory.
        path: PathBuf,
        /// The version that it has.
        found: u32,
        /// The version that this program reads and writes.
        supported: u32,
    },
    /// Somebody else has it open.
    #[error("the database {} is in use by another process", path.display())]
    Locked {
        /// The database's directory.
        path: PathBuf,
    },
    /// What is stored is damaged.
    #[error("the database is corrupt: {detail}")]
    Corrupt {
        /// What is wrong, with the file where it is known.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk is full: {detail}")]
    Full {
        /// What could not be written.
        detail: String,
    },
    /// Any other failure to read or write.
    #[error("the database can't be read or written: {detail}")]
    Io {
        /// What the system said.
        detail: String,
    },
}

impl StorageError {
    /// The error for a value of `table` that does not decode.
    pub(crate) fn undecodable(table: &str, error: &CodecError) -> Self {
        Self::Corrupt {
            detail: format!("a record of the table `{table}` can't be read: {error}"),
        }
    }

    /// The error for a record that must be there and is not.
    pub(crate) fn missing(what: &str) -> Self {
        Self::Corrupt {
            detail: format!("{what} is missing"),
        }
    }

    /// Sorts an error of RocksDB's after the database was opened.
    pub(crate) fn from_rocksdb(error: &rocksdb::Error) -> Self {
        use rocksdb::ErrorKind;
        let detail = one_line(error.as_ref());
        if detail.contains("No space left on device") {
            return Self::Full { detail };
        }
        match error.kind() {
            ErrorKind::Corruption | ErrorKind::NotFound | ErrorKind::InvalidArgument => {
                Self::Corrupt { detail }
            }
            _ => Self::Io { detail },
        }
    }

    /// Sorts an error of RocksDB's while the database at `path` is opened.
    pub(crate) fn from_open(path: &Path, error: &rocksdb::Error) -> Self {
        let message = error.as_ref();
        // RocksDB has no error kind for a held lock: these are its words for one that another
        // process holds, and for one that this process holds.
        if message.contains("While lock file") || message.contains("lock hold by current process") {
            return Self::Locked {
                path: path.to_owned(),
            };
        }
        // A file that the manifest names and that is gone is damage, not a failure of the system.
        if message.contains("No such file or directory") {
            return Self::Corrupt {
                detail: one_line(message),
            };
        }
        Self::from_rocksdb(error)
    }

    /// An error of the file system's at `path`.
    pub(crate) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        let detail = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full { detail },
            _ => Self::Io { detail },
        }
    }
}

/// RocksDB's messages can span lines; an error of ours is one line.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
