//! Opens the chain, starts its writer thread, and shuts both down.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_storage::{CHAIN_SCHEMA, Database, FaultPoints, Memory};

use crate::coins::CoinsCache;
use crate::load::load;
use crate::scripts::ScriptVerifier;
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{ChainError, ChainHandle, ChainReader, Clock};

/// Commands that wait for the writer thread; whoever sends one more waits.
const QUEUE: usize = 128;

/// What the chain needs to know at the start.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// The chain's rules.
    pub spec: Arc<ChainSpec>,
    /// The database's directory.
    pub path: PathBuf,
    /// Threads that verify scripts.
    pub script_threads: usize,
    /// Bytes of coins in memory, about, at most.
    pub coins_cache_bytes: usize,
    /// A block that is known to be valid from elsewhere: the scripts of those before it, and its own, are
    /// not verified while it is in the chain of headers with the most work.
    pub assume_valid: Option<BlockHash>,
    /// The time.
    pub clock: Clock,
}

/// When the best chain becomes the tip's after the opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Before `open` returns.
    AtOnce,
    /// In the steps that somebody asks for.
    OnDemand,
}

/// An open chain. Dropping it shuts it down.
#[derive(Debug)]
pub struct Chain {
    /// Commands to it.
    pub handle: ChainHandle,
    /// Questions about it.
    pub reader: ChainReader,
    writer: WriterThread,
}

impl Chain {
    /// Opens the chain's database, or makes it, and goes on where it was: if the process was killed
    /// in the middle of a reorganisation, that is brought to its end first.
    ///
    /// # Errors
    /// The database is another chain's, in use, damaged, or can't be read or written.
    pub fn open(config: ChainConfig) -> Result<Self, ChainError> {
        Self::open_with_faults(config, FaultPoints::none())
    }

    /// Opens the chain as `open` does, and tells `faults` of every write to its database.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with_faults(config: ChainConfig, faults: FaultPoints) -> Result<Self, ChainError> {
        Self::open_activating(config, faults, Activation::AtOnce)
    }

    pub(crate) fn open_activating(
        config: ChainConfig,
        faults: FaultPoints,
        activation: Activation,
    ) -> Result<Self, ChainError> {
        let ChainConfig {
            spec,
            path,
            script_threads,
            coins_cache_bytes,
            assume_valid,
            clock,
        } = config;
        let chain = (spec.name.as_str(), spec.genesis_hash());
        let memory = Memory::beside_coins(coins_cache_bytes);
        let database = Database::open_with_faults(&path, &CHAIN_SCHEMA, memory, chain, faults)?;
        let (tree, table) = load(&database, &spec)?;
        let scripts = ScriptVerifier::new(script_threads)?;
        // The validation in the background takes its share.
        let chains = if tree.assumed().is_some() { 2 } else { 1 };
        let coins = CoinsCache::over(table, coins_cache_bytes / chains);
        let shared = Arc::new(Shared::new(
            spec,
            clock,
            scripts,
            coins_cache_bytes,
            coins,
            tree,
            database,
        ));
        let writer = Writer::resume(Arc::clone(&shared), assume_valid, activation)?;

        let (sender, commands) = sync_channel(QUEUE);
        let handle = ChainHandle::new(sender, Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("chain-writer".into())
            .spawn(move || writer.run(&commands))
            .map_err(|error| ChainError::Thread {
                detail: error.to_string(),
            })?;
        let reader = ChainReader::new(Arc::clone(&shared));
        let writer = WriterThread {
            thread: Some(thread),
            handle: handle.clone(),
            shared,
        };
        let tip = reader.tip();
        tracing::info!(height = %tip.height, hash = %tip.hash, "chain opened");
        Ok(Self {
            handle,
            reader,
            writer,
        })
    }

    /// Carries out the commands that were sent, ends the writer thread, and closes the database,
    /// though handles and readers may still be about. Blocks.
    ///
    /// # Errors
    /// The machine failed, now or before.
    pub fn shutdown(mut self) -> Result<(), ChainError> {
        self.writer.stop()
    }
}

/// The writer thread and what it takes to end it.
#[derive(Debug)]
struct WriterThread {
    /// `None` once it has ended.
    thread: Option<JoinHandle<()>>,
    handle: ChainHandle,
    shared: Arc<Shared>,
}

impl WriterThread {
    fn stop(&mut self) -> Result<(), ChainError> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        self.handle.stop();
        if thread.join().is_err() {
            self.shared.fail(ChainError::WriterPanicked);
        }
        let result = match self.shared.failure() {
            Some(error) => Err(error),
            None => self
                .shared
                .database()
                .and_then(|database| Ok(database.flush()?)),
        };
        self.shared.close_database();
        result
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the chain was not shut down cleanly");
        }
    }
}
