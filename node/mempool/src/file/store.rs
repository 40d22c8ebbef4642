//! The node's mempool file: read once at the start, written when something changed and at the end.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::KEY_BYTES;
use super::read::{FileReader, Lists, SavedTransaction};
use super::restore::{ImportOptions, RestoreError, Restored, restore};
use super::write::write_file;
use crate::{MempoolFileError, MempoolHandle};

/// Bytes of a file that are read or written together.
const BUFFER_BYTES: usize = 1 << 20;

/// Whether the mempool outlives the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It is read at the start, and written.
    On,
    /// Its file is written only when someone asks for it.
    Off,
}

/// What saving changes did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// The file was written.
    Written,
    /// There was nothing to write: nothing changed, the mempool is not read yet, or it is not to be kept.
    Nothing,
}

/// The mempool's file.
#[derive(Debug)]
pub struct MempoolFile {
    mempool: MempoolHandle,
    path: PathBuf,
    persistence: Persistence,
    key: [u8; KEY_BYTES],
    is_loaded: AtomicBool,
    /// The mempool's sequence number when it was written last. Writers take turns.
    saved: Mutex<Option<u64>>,
}

impl MempoolFile {
    /// The file of a mempool, at `path`. `key` obfuscates what is written, so that no other program takes the file for something
    /// harmful; any eight bytes will do.
    #[must_use]
    pub fn new(
        mempool: MempoolHandle,
        path: PathBuf,
        persistence: Persistence,
        key: [u8; KEY_BYTES],
    ) -> Self {
        Self {
            mempool,
            path,
            persistence,
            key,
            is_loaded: AtomicBool::new(false),
            saved: Mutex::new(None),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the mempool was read, or there was nothing to read.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    /// Reads the file at the node's start. That it is missing or damaged is no error, only told in the log: what was read before
    /// the damage counts. Returns what no peer is known to have. Blocks: it takes every transaction.
    pub fn load(&self, is_interrupted: &dyn Fn() -> bool) -> Restored {
        let mut restored = Restored::default();
        if self.persistence == Persistence::On && self.path.exists() {
            let options = ImportOptions::OWN;
            match self.read_into(&self.path, options, is_interrupted, &mut restored) {
                Ok(()) => {}
                Err(MempoolFileError::Interrupted) => return restored,
                Err(error) => tracing::warn!(%error, "the mempool file can't be read to its end"),
            }
        }
        self.is_loaded.store(true, Ordering::Release);
        restored
    }

    /// Takes the transactions of any mempool file. Blocks as `load` does.
    ///
    /// # Errors
    /// It can't be read; what was read before counts.
    pub fn import(
        &self,
        path: &Path,
        options: ImportOptions,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<Restored, MempoolFileError> {
        let mut restored = Restored::default();
        self.read_into(path, options, is_interrupted, &mut restored)?;
        Ok(restored)
    }

    /// Writes the mempool: beside the file first, then in its place, so that a kill leaves the old file or the new one. Blocks.
    ///
    /// # Errors
    /// The mempool was not read yet, so that what is in the file would be lost, or the machine failed.
    pub fn save(&self) -> Result<(), MempoolFileError> {
        if !self.is_loaded() {
            return Err(MempoolFileError::NotLoaded);
        }
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut saved)
    }

    /// Writes the mempool if it is to be kept and has changed since it was written last. Blocks.
    ///
    /// # Errors
    /// The machine failed.
    pub fn save_changes(&self) -> Result<SaveOutcome, MempoolFileError> {
        if self.persistence == Persistence::Off || !self.is_loaded() {
            return Ok(SaveOutcome::Nothing);
        }
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if *saved == Some(self.mempool.info().sequence) {
            return Ok(SaveOutcome::Nothing);
        }
        self.write(&mut saved)?;
        Ok(SaveOutcome::Written)
    }

    fn read_into(
        &self,
        path: &Path,
        options: ImportOptions,
        is_interrupted: &dyn Fn() -> bool,
        restored: &mut Restored,
    ) -> Result<(), MempoolFileError> {
        let began = Instant::now();
        let damaged = |error: super::read::ReadError| MempoolFileError::Unreadable {
            path: path.to_owned(),
            detail: error.to_string(),
        };
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        let input = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut file = FileReader::new(input).map_err(damaged)?;
        tracing::info!(
            path = %path.display(), transactions = file.remaining(), "reading a mempool file"
        );
        let end = restore(&self.mempool, &mut file, options, is_interrupted, restored);
        tracing::info!(
            succeeded = restored.succeeded,
            failed = restored.failed,
            expired = restored.expired,
            already_there = restored.already_there,
            unbroadcast = restored.unbroadcast.len(),
            seconds = began.elapsed().as_secs_f64(),
            "took the transactions of a mempool file"
        );
        end.map_err(|error| match error {
            RestoreError::Read(error) => damaged(error),
            RestoreError::Interrupted => MempoolFileError::Interrupted,
        })
    }

    fn write(&self, saved: &mut Option<u64>) -> Result<(), MempoolFileError> {
        // Fee changes first: what leaves in between has its change with its entry.
        let mut deltas: std::collections::BTreeMap<_, _> = self
            .mempool
            .prioritised()
            .into_iter()
            .map(|entry| (entry.txid, entry.delta))
            .collect();
        let snapshot = self.mempool.snapshot();
        let transactions: Vec<SavedTransaction> = snapshot
            .entries
            .iter()
            .map(|entry| SavedTransaction {
                tx: std::sync::Arc::clone(&entry.tx),
                time: i64::try_from(entry.time).unwrap_or(i64::MAX),
                delta: deltas.remove(&entry.txid).unwrap_or(0),
            })
            .collect();
        let lists = Lists {
            deltas: deltas.into_iter().collect(),
            unbroadcast: Vec::new(),
        };
        let count = transactions.len();
        let beside = beside(&self.path);
        let written = self.write_beside(&beside, transactions, &lists);
        if let Err(source) = written {
            // What is there of it is of no use; that it can't be removed says nothing new.
            let _ = fs::remove_file(&beside);
            return Err(io_error(&self.path, source));
        }
        *saved = Some(snapshot.sequence);
        tracing::info!(path = %self.path.display(), transactions = count, "wrote the mempool");
        Ok(())
    }

    fn write_beside(
        &self,
        beside: &Path,
        transactions: Vec<SavedTransaction>,
        lists: &Lists,
    ) -> io::Result<()> {
        let file = File::create(beside)?;
        let mut output = BufWriter::with_capacity(BUFFER_BYTES, &file);
        write_file(&mut output, self.key, transactions.into_iter(), lists)?;
        drop(output);
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => {
                File::open(directory)?.sync_all()
            }
            _ => Ok(()),
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> MempoolFileError {
    MempoolFileError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Where a file is written before it is complete.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}
