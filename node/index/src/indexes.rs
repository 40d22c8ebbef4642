//! The indexes that are on: opens and closes them, says where they stand, and answers questions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use futures::future::select_all;
use pyrite_chain::ChainReader;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid};
use pyrite_storage::Database;
use tokio::sync::watch;

use crate::follower::{Follower, Stopping};
use crate::index::{
    BlockCoinStats, CoinStatsTable, Filter, FilterHeaders, Filters, Spender, TransactionPlace,
    find_spender, find_transaction,
};
use crate::slot::Slot;
use crate::{IndexError, IndexKind, IndexStatus};

/// Which indexes to open, and where.
#[derive(Clone, Debug)]
pub struct IndexesConfig {
    /// Each has a folder of its own here.
    pub directory: PathBuf,
    /// Those that are on.
    pub kinds: Vec<IndexKind>,
}

/// The indexes that are on. Clones are the same ones.
#[derive(Clone, Debug)]
pub struct Indexes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    chain: ChainReader,
    stop: watch::Sender<Stopping>,
    /// In the order of `IndexKind::ALL`.
    open: Vec<OpenIndex>,
}

/// An index that is on.
#[derive(Debug)]
struct OpenIndex {
    kind: IndexKind,
    slot: Slot,
    status: watch::Receiver<IndexStatus>,
    /// `None` once it has ended.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Indexes {
    /// Opens indexes, or makes them, and has each follow the chain on a thread of its own.
    ///
    /// # Errors
    /// The first that is another chain's, in use, damaged, or can't be read or written.
    pub fn start(config: &IndexesConfig, chain: &ChainReader) -> Result<Self, IndexError> {
        let stop = watch::Sender::new(Stopping::No);
        let kinds = IndexKind::ALL.into_iter();
        let mut indexes = Self(Arc::new(Shared {
            chain: chain.clone(),
            stop,
            open: Vec::new(),
        }));
        for kind in kinds.filter(|kind| config.kinds.contains(kind)) {
            let stop = indexes.0.stop.subscribe();
            match start_one(kind, &config.directory, chain, stop) {
                Ok(open) => Arc::get_mut(&mut indexes.0)
                    .expect("nobody else has a handle yet")
                    .open
                    .push(open),
                Err(source) => {
                    indexes.shutdown()?;
                    return Err(IndexError::Open {
                        index: kind,
                        source: Box::new(source),
                    });
                }
            }
        }
        Ok(indexes)
    }

    /// No index at all.
    #[must_use]
    pub fn none(chain: &ChainReader) -> Self {
        Self(Arc::new(Shared {
            chain: chain.clone(),
            stop: watch::Sender::new(Stopping::No),
            open: Vec::new(),
        }))
    }

    /// Ends their threads and closes their databases. Blocks.
    ///
    /// # Errors
    /// The first that had failed, or whose thread panicked.
    pub fn shutdown(&self) -> Result<(), IndexError> {
        self.0.stop.send_replace(Stopping::Yes);
        let mut result = Ok(());
        for open in &self.0.open {
            let thread = open
                .thread
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            // A panic is in the status.
            let _ = thread.map(JoinHandle::join);
            open.slot.close();
            if let Some(error) = open.status.borrow().failure.clone() {
                result = result.and(Err(IndexError::Open {
                    index: open.kind,
                    source: Box::new(error),
                }));
            }
        }
        result
    }

    /// Where each of them stands, in the order of `IndexKind::ALL`.
    #[must_use]
    pub fn statuses(&self) -> Vec<(IndexKind, IndexStatus)> {
        let open = self.0.open.iter();
        open.map(|open| (open.kind, open.status.borrow().clone()))
            .collect()
    }

    /// Where an index stands; `None` when it is off.
    #[must_use]
    pub fn status(&self, kind: IndexKind) -> Option<IndexStatus> {
        let open = self.find(kind).ok()?;
        let status = open.status.borrow().clone();
        Some(status)
    }

    /// Whether an index is on.
    #[must_use]
    pub fn is_on(&self, kind: IndexKind) -> bool {
        self.find(kind).is_ok()
    }

    /// Waits until one of them fails, and says why. Never returns if none does.
    pub async fn failed(&self) -> IndexError {
        let waits = self.0.open.iter().map(|open| {
            let mut status = open.status.clone();
            let index = open.kind;
            Box::pin(async move {
                let failed = status.wait_for(|status| status.failure.is_some()).await;
                let failure = failed.ok().and_then(|status| status.failure.clone());
                match failure {
                    Some(source) => IndexError::Open {
                        index,
                        source: Box::new(source),
                    },
                    // The thread has ended without a failure: it was told to.
                    None => std::future::pending().await,
                }
            })
        });
        let waits: Vec<_> = waits.collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        select_all(waits).await.0
    }

    /// Whether an index has seen the chain's present tip. One that had come to the tip before is waited for;
    /// one that is still being built is not (Bitcoin Core's `BlockUntilSyncedToCurrentChain`). Blocks.
    #[must_use]
    pub fn wait_until_current(&self, kind: IndexKind) -> bool {
        let Ok(open) = self.find(kind) else {
            return false;
        };
        if !open.status.borrow().synced {
            return false;
        }
        let tips = self.0.chain.watch_tip();
        let asked = tips.borrow().hash;
        let has_ended = |status: &IndexStatus| {
            let best = status.best.map(|(_, hash)| hash);
            status.failure.is_some()
                || status.waiting_for.is_some()
                || best == Some(asked)
                || best == Some(tips.borrow().hash)
        };
        let mut status = open.status.clone();
        let waited = futures::executor::block_on(status.wait_for(has_ended));
        waited.is_ok_and(|status| status.failure.is_none() && status.waiting_for.is_none())
    }

    /// The lowest block that an index still has to see: those below may be pruned, as far as the indexes go
    /// that allow it. `None` when there is no index.
    #[must_use]
    pub fn lowest_needed(&self) -> Option<Height> {
        self.watch_lowest_needed()()
    }

    /// Answers as `lowest_needed` does, at any time, and does not hold the chain.
    pub fn watch_lowest_needed(&self) -> impl Fn() -> Option<Height> + Send + Sync + use<> {
        let open = self.0.open.iter();
        let statuses: Vec<_> = open.map(|open| open.status.clone()).collect();
        move || {
            let statuses = statuses.iter();
            statuses
                .map(|status| status.borrow().best_height().next())
                .min()
        }
    }

    /// Where a transaction is, as far as the index has come.
    ///
    /// # Errors
    /// The index is off, or can't be read.
    pub fn transaction(&self, txid: Txid) -> Result<Option<TransactionPlace>, IndexError> {
        let open = self.find(IndexKind::Transactions)?;
        find_transaction(&open.slot.open()?.snapshot(), txid)
    }

    /// The transaction of the best chain that spends an output, as far as the index has come.
    ///
    /// # Errors
    /// The index is off, or can't be read.
    pub fn spender(&self, outpoint: OutPoint) -> Result<Option<Spender>, IndexError> {
        let open = self.find(IndexKind::Spenders)?;
        find_spender(&open.slot.open()?.snapshot(), outpoint)
    }

    /// The figures of the coins after a block, if the index has seen it.
    ///
    /// # Errors
    /// The index is off, or can't be read.
    pub fn coin_stats(&self, block: &BlockHash) -> Result<Option<BlockCoinStats>, IndexError> {
        let open = self.find(IndexKind::CoinStats)?;
        Ok(open.slot.open()?.get::<CoinStatsTable>(block)?)
    }

    /// The filter of a block, if the index has seen it.
    ///
    /// # Errors
    /// The index is off, or can't be read.
    pub fn filter(&self, block: &BlockHash) -> Result<Option<Filter>, IndexError> {
        let open = self.find(IndexKind::Filters)?;
        let database = open.slot.open()?;
        let (Some(filter), Some(hashes)) = (
            database.get::<Filters>(block)?,
            database.get::<FilterHeaders>(block)?,
        ) else {
            return Ok(None);
        };
        Ok(Some(Filter {
            bytes: filter.0,
            hash: hashes.hash,
            header: hashes.header,
        }))
    }

    /// The database of the index of addresses.
    pub(crate) fn addresses(&self) -> Result<&Slot, IndexError> {
        Ok(&self.find(IndexKind::Addresses)?.slot)
    }

    pub(crate) fn chain(&self) -> &ChainReader {
        &self.0.chain
    }

    fn find(&self, kind: IndexKind) -> Result<&OpenIndex, IndexError> {
        let mut open = self.0.open.iter();
        open.find(|open| open.kind == kind)
            .ok_or(IndexError::Off { index: kind })
    }
}

fn start_one(
    kind: IndexKind,
    directory: &Path,
    chain: &ChainReader,
    stop: watch::Receiver<Stopping>,
) -> Result<OpenIndex, IndexError> {
    let database = open_database(kind, &directory.join(kind.option()), chain)?;
    let follower = Follower::open(kind, database, chain, stop)?;
    let slot = follower.slot().clone();
    let status = follower.watch_status();
    let thread = thread::Builder::new()
        .name(kind.option().to_owned())
        .spawn(move || follower.run())
        .map_err(|error| IndexError::Thread {
            detail: error.to_string(),
        })?;
    Ok(OpenIndex {
        kind,
        slot,
        status,
        thread: Mutex::new(Some(thread)),
    })
}

/// Opens the database of an index, or makes it.
pub(crate) fn open_database(
    kind: IndexKind,
    path: &Path,
    chain: &ChainReader,
) -> Result<Database, IndexError> {
    let spec = chain.spec();
    let genesis = spec.genesis_hash();
    Ok(Database::open(path, kind.schema(), &spec.name, genesis)?)
}
