//! Keeps one index at the chain's tip: from the last block that it has seen it goes the path to the tip.
//!
//! The index's records and the block that they belong to are committed in one batch, so that a kill at any
//! instant leaves an index that goes on where it was.

use std::time::{Duration, Instant};

use pyrite_chain::{ChainError, ChainPath, ChainReader, Tip};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_storage::schema::Meta;
use pyrite_storage::{Database, Durability, MetaKey, MetaValue};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::block::{IndexedBlock, Read};
use crate::clear::forget_cursor;
use crate::index::{Index, WayBack};
use crate::slot::Slot;
use crate::{IndexError, IndexKind, IndexStatus};

/// Blocks, and their bytes, that one batch holds at most: what a kill loses, and what is in memory.
const BATCH_BLOCKS: usize = 256;
const BATCH_BYTES: usize = 4 << 20;
/// How often progress is told.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// How often it is looked for a block that the chain does not have yet, beside every new tip.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What ends the wait of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopping {
    /// Go on.
    No,
    /// End soon.
    Yes,
}

/// How a walk to the tip ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// At the tip.
    AtTip,
    /// Before a block that the chain does not have yet.
    Waiting(Height),
    /// It was told to stop.
    Stopped,
}

/// An index, and what it follows.
pub(crate) struct Follower {
    kind: IndexKind,
    index: Box<dyn Index>,
    slot: Slot,
    chain: ChainReader,
    cursor: Option<BlockHash>,
    status: watch::Sender<IndexStatus>,
    stop: watch::Receiver<Stopping>,
    last_report: Instant,
    /// When it was told last that it waits.
    last_waiting: Option<Instant>,
    /// What waits on this thread alone.
    runtime: Runtime,
}

impl Follower {
    /// An index that goes on where its database was left.
    ///
    /// # Errors
    /// The database can't be read or written, or contradicts itself.
    pub(crate) fn open(
        kind: IndexKind,
        database: Database,
        chain: &ChainReader,
        stop: watch::Receiver<Stopping>,
    ) -> Result<Self, IndexError> {
        let cursor = match database.get::<Meta>(&MetaKey::Tip)? {
            None => None,
            Some(value) => Some(value.as_block().ok_or_else(|| {
                IndexError::inconsistent(format!("{value:?} where the last block should be"))
            })?),
        };
        let mut follower = Self {
            kind,
            index: kind.index(chain),
            slot: Slot::new(database),
            chain: chain.clone(),
            cursor,
            status: watch::Sender::new(IndexStatus::opened(None)),
            stop,
            last_report: Instant::now(),
            last_waiting: None,
            runtime: Builder::new_current_thread()
                .enable_time()
                .build()
                .map_err(|error| IndexError::Thread {
                    detail: error.to_string(),
                })?,
        };
        follower.check_cursor()?;
        let best = follower.best();
        follower.status.send_replace(IndexStatus::opened(best));
        Ok(follower)
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    pub(crate) fn watch_status(&self) -> watch::Receiver<IndexStatus> {
        self.status.subscribe()
    }

    /// Starts from the beginning if the last block is none of the chain's, and reads what the index keeps
    /// in memory.
    fn check_cursor(&mut self) -> Result<(), IndexError> {
        if let Some(hash) = self.cursor
            && self.chain.header(&hash).is_none()
        {
            tracing::warn!(
                index = %self.kind, %hash,
                "the chain does not know the last block of the index: it is built again"
            );
            self.cursor = None;
            forget_cursor(&*self.slot.open()?)?;
        }
        let database = self.slot.open()?;
        if self.cursor.is_none() {
            // Empty already, unless an earlier emptying was killed.
            self.index.clear(&database)?;
        }
        self.index.load(&database, self.cursor)
    }

    /// Follows the chain until it is told to stop, or fails.
    pub(crate) fn run(mut self) {
        let guard = PanicGuard {
            kind: self.kind,
            status: self.status.clone(),
        };
        if let Err(error) = self.follow() {
            if self.is_stopping() && is_closed(&error) {
                return;
            }
            tracing::error!(index = %self.kind, %error, "the index can't go on");
            guard
                .status
                .send_modify(|status| status.failure = Some(error));
        }
    }

    fn follow(&mut self) -> Result<(), IndexError> {
        let mut tips = self.chain.watch_tip();
        loop {
            let tip = tips.borrow_and_update().clone();
            let wait = match self.walk_to(&tip)? {
                Walk::Stopped => break,
                Walk::AtTip => None,
                Walk::Waiting(height) => {
                    self.note_waiting(height);
                    Some(LOOK_EVERY)
                }
            };
            if !self.wait(&mut tips, wait) {
                break;
            }
        }
        Ok(self.slot.open()?.flush()?)
    }

    /// Waits for the next tip, or for so long. `false` when it shall stop.
    fn wait(&mut self, tips: &mut watch::Receiver<Tip>, limit: Option<Duration>) -> bool {
        let stop = &mut self.stop;
        self.runtime.block_on(async {
            let limit = async {
                match limit {
                    Some(limit) => tokio::time::sleep(limit).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = tips.changed() => changed.is_ok(),
                _ = stop.wait_for(|stopping| *stopping == Stopping::Yes) => false,
                () = limit => true,
            }
        })
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow() == Stopping::Yes || self.stop.has_changed().is_err()
    }

    /// Brings the index to a tip.
    pub(crate) fn walk_to(&mut self, tip: &Tip) -> Result<Walk, IndexError> {
        let slot = self.slot.clone();
        let database = slot.open()?;
        let path = self.path_to(&tip.hash)?;
        if !path.disconnect.is_empty() && !self.go_back(&database, &path)? {
            // It was emptied: all blocks are to come.
            drop(database);
            return self.walk_to(tip);
        }
        let mut step = Step::new(&database);
        for (done, hash) in path.connect.iter().enumerate() {
            if self.is_stopping() {
                self.commit(&database, step)?;
                return Ok(Walk::Stopped);
            }
            let block = match IndexedBlock::read(&self.chain, *hash)? {
                Read::Block(block) => block,
                Read::NotYet(height) => {
                    self.commit(&database, step)?;
                    return Ok(Walk::Waiting(height));
                }
                Read::Gone(height) => {
                    self.commit(&database, step)?;
                    return Err(IndexError::gone(self.kind, *hash, height));
                }
            };
            self.index.connect(&database, &mut step.batch, &block)?;
            step.took(&block);
            if step.is_full() {
                self.commit(
                    &database,
                    std::mem::replace(&mut step, Step::new(&database)),
                )?;
                self.report(block.height, path.connect.len() - done);
            }
        }
        self.commit(&database, step)?;
        self.note_at_tip();
        Ok(Walk::AtTip)
    }

    /// The path to a block of the best chain.
    fn path_to(&self, tip: &BlockHash) -> Result<ChainPath, IndexError> {
        let genesis = self.chain.spec().genesis_hash();
        let from = self.cursor.unwrap_or(genesis);
        let mut path = self.chain.path(&from, tip).ok_or_else(|| {
            IndexError::inconsistent(format!("the chain has no path from {from} to {tip}"))
        })?;
        if self.cursor.is_none() {
            path.connect.insert(0, genesis);
        }
        Ok(path)
    }

    /// Takes back the blocks that are no longer in the best chain. `false` if one of them that is needed for
    /// that is gone, so that the index was emptied instead.
    fn go_back(&mut self, database: &Database, path: &ChainPath) -> Result<bool, IndexError> {
        tracing::debug!(index = %self.kind, blocks = path.disconnect.len(), "taking blocks back");
        if self.index.way_back() == WayBack::ByRecord {
            self.index.load(database, Some(path.fork_point))?;
            self.commit_cursor(database, path.fork_point)?;
            return Ok(true);
        }
        let mut step = Step::new(database);
        for hash in &path.disconnect {
            let (Read::Block(block), Some(parent)) = (
                IndexedBlock::read(&self.chain, *hash)?,
                self.parent_of(hash),
            ) else {
                tracing::warn!(
                    index = %self.kind, %hash,
                    "a block that is to be taken back is not stored: the index is built again"
                );
                drop(step);
                self.cursor = None;
                forget_cursor(database)?;
                self.index.clear(database)?;
                self.index.load(database, None)?;
                self.note_best();
                return Ok(false);
            };
            self.index.disconnect(database, &mut step.batch, &block)?;
            step.took(&block);
            step.last = Some(parent);
            if step.is_full() {
                self.commit(database, std::mem::replace(&mut step, Step::new(database)))?;
            }
        }
        self.commit(database, step)?;
        Ok(true)
    }

    fn parent_of(&self, hash: &BlockHash) -> Option<BlockHash> {
        let info = self.chain.header(hash)?;
        Some(info.header.prev_blockhash)
    }

    /// Commits a step with the block that it came to.
    fn commit(&mut self, database: &Database, step: Step<'_>) -> Result<(), IndexError> {
        let Step {
            mut batch, last, ..
        } = step;
        let Some(last) = last else {
            return Ok(());
        };
        self.index.finish(&mut batch);
        batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(last));
        // A power cut may lose the last batches: the index goes on from where it was before them.
        database.commit(batch, Durability::Buffered)?;
        self.cursor = Some(last);
        self.note_best();
        Ok(())
    }

    fn commit_cursor(&mut self, database: &Database, hash: BlockHash) -> Result<(), IndexError> {
        let mut step = Step::new(database);
        step.last = Some(hash);
        self.commit(database, step)
    }

    fn best(&self) -> Option<(Height, BlockHash)> {
        let hash = self.cursor?;
        Some((self.chain.header(&hash)?.height, hash))
    }

    fn note_best(&self) {
        let best = self.best();
        self.status.send_modify(|status| {
            status.best = best;
            status.waiting_for = None;
        });
    }

    fn note_at_tip(&self) {
        let was_synced = self.status.borrow().synced;
        if was_synced {
            return;
        }
        let height = self.best().map_or(Height::GENESIS, |(height, _)| height);
        tracing::info!(index = %self.kind, %height, "the index is at the tip");
        self.status.send_modify(|status| status.synced = true);
    }

    fn note_waiting(&mut self, height: Height) {
        self.status
            .send_modify(|status| status.waiting_for = Some(height));
        if self
            .last_waiting
            .is_none_or(|told| told.elapsed() >= REPORT_EVERY)
        {
            self.last_waiting = Some(Instant::now());
            tracing::info!(
                index = %self.kind, %height,
                "the index waits for a block that the chain does not have yet"
            );
        }
    }

    /// Tells from time to time how far a long walk is.
    fn report(&mut self, height: Height, left: usize) {
        if self.last_report.elapsed() < REPORT_EVERY {
            return;
        }
        self.last_report = Instant::now();
        let done = u64::from(height.0);
        let total = done.saturating_add(u64::try_from(left).unwrap_or(u64::MAX));
        let percent = done.saturating_mul(100) / total.max(1);
        tracing::info!(index = %self.kind, %height, percent, "building the index");
    }
}

/// A batch in the making.
struct Step<'a> {
    batch: pyrite_storage::Batch<'a>,
    /// The last block that the index has seen, once the batch is committed.
    last: Option<BlockHash>,
    blocks: usize,
    bytes: usize,
}

impl<'a> Step<'a> {
    fn new(database: &'a Database) -> Self {
        Self {
            batch: database.batch(),
            last: None,
            blocks: 0,
            bytes: 0,
        }
    }

    fn took(&mut self, block: &IndexedBlock) {
        self.last = Some(block.hash);
        self.blocks += 1;
        self.bytes += block.block.total_size();
    }

    fn is_full(&self) -> bool {
        self.blocks >= BATCH_BLOCKS || self.bytes >= BATCH_BYTES
    }
}

fn is_closed(error: &IndexError) -> bool {
    matches!(
        error,
        IndexError::Closed | IndexError::Chain(ChainError::Closed)
    )
}

/// Tells of a panic, so that the node can stop instead of going on with an index that stands still.
struct PanicGuard {
    kind: IndexKind,
    status: watch::Sender<IndexStatus>,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let error = IndexError::Panicked { index: self.kind };
            self.status
                .send_modify(|status| status.failure = Some(error));
        }
    }
}
