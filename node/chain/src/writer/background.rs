//! The background validation: when the chain began with a file of coins, the blocks up to the file's are connected
//! to coins of their own, block by block while nobody asks the writer for anything. At the end those
//! coins must be the file's.

use std::time::{Duration, Instant};

use pyrite_consensus::BlockError;
use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::coin_stats::{CoinSetHash, CoinStatsBuilder, HashKind};
use pyrite_consensus::connect::{disconnect_block, outpoints_to_read};
use pyrite_storage::schema::{Headers, Heights, Meta};
use pyrite_storage::{Database, Durability, MetaKey, MetaValue, Undo};

use super::Writer;
use super::activate::{apply, check_against, record, take_back};
use super::candidates::Candidates;
use crate::ChainError;
use crate::coins::{CoinsCache, CoinsTable};
use crate::tree::{Assumed, NodeId};

/// Coins that are hashed in one step: some milliseconds.
const COINS_PER_STEP: usize = 10_000;
/// How often the log tells of progress.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// How long the background waits at most while commands keep coming.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Whether a step found anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It did something, and there may be more.
    Done,
    /// There is nothing to do until a body comes, or at all.
    Idle,
}

/// The coins of the chain that is validated in the background. The tree knows where it is.
pub(super) struct Background {
    coins: CoinsCache,
    /// The block that its coins in the database belong to.
    flushed: NodeId,
    /// The hash of its coins, once it is at the base.
    hashing: Option<Hashing>,
    is_idle: bool,
    last_step: Instant,
    last_report: Instant,
}

struct Hashing {
    coins: CoinStatsBuilder,
    last: Option<OutPoint>,
}

impl Background {
    /// Goes on with coins in that table, which are those of `flushed`.
    pub(super) fn new(table: CoinsTable, cache_bytes: usize, flushed: NodeId) -> Self {
        Self {
            coins: CoinsCache::over(table, cache_bytes),
            flushed,
            hashing: None,
            is_idle: false,
            last_step: Instant::now(),
            last_report: Instant::now(),
        }
    }

    /// Whether a step may find something to do.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_idle
    }

    /// Whether commands have kept it waiting for too long.
    pub(super) fn is_overdue(&self) -> bool {
        self.is_ready() && self.last_step.elapsed() >= LONGEST_WAIT
    }

    /// Something was stored: a step may find something to do again.
    pub(super) fn wake(&mut self) {
        self.is_idle = false;
    }
}

impl Writer {
    /// Does a bounded piece of the background validation.
    pub(super) fn step_background(&mut self, database: &Database) -> Result<Step, ChainError> {
        let Some(assumed) = self.shared.tree().assumed() else {
            return Ok(Step::Idle);
        };
        let Some(background) = &mut self.background else {
            return Ok(Step::Idle);
        };
        background.last_step = Instant::now();
        let step = if assumed.background == assumed.base {
            self.hash_background(database, assumed.base)?
        } else {
            self.move_background(database, assumed)?
        };
        if let Some(background) = &mut self.background {
            background.is_idle = step == Step::Idle;
        }
        Ok(step)
    }

    /// Disconnects or connects one block.
    fn move_background(
        &mut self,
        database: &Database,
        assumed: Assumed,
    ) -> Result<Step, ChainError> {
        let next = {
            let tree = self.shared.tree();
            let next = tree.next_background();
            if next.is_some_and(|id| !tree.node(id).has_body()) {
                return Ok(Step::Idle);
            }
            next
        };
        match next {
            Some(id) => self.connect_background(database, id)?,
            // The former best chain has left the base's.
            None => self.disconnect_background(database, assumed.background)?,
        }
        self.report_background();
        let is_full = self
            .background
            .as_ref()
            .is_some_and(|background| background.coins.is_full());
        if is_full {
            self.flush_background(database)?;
        }
        Ok(Step::Done)
    }

    fn connect_background(&mut self, database: &Database, id: NodeId) -> Result<(), ChainError> {
        let node = self.shared.tree().node(id).clone();
        let block = self.shared.stored_block(database, &node.hash)?;
        let outpoints = outpoints_to_read(&self.shared.spec, &*block, node.height);
        let Some(background) = &mut self.background else {
            return Ok(());
        };
        let (mut coins, missing) = background.coins.look_up(&outpoints);
        let table = background.coins.table();
        let read = table.multi_get(&database.snapshot(), &missing)?;
        for (outpoint, coin) in missing.into_iter().zip(read) {
            if let Some(coin) = coin {
                background.coins.insert_read(outpoint, coin.clone());
                coins.insert(outpoint, coin);
            }
        }
        let verdict = check_against(&self.shared, id, &block, &coins, self.scripts_of(id));
        let effects = match verdict {
            Ok(effects) => effects,
            Err(error) => return Err(self.refuse_assumed(database, id, &error)),
        };
        self.unsynced = true;
        record(&self.shared, database, id, &effects)?;
        if let Some(background) = &mut self.background {
            apply(&effects, &block, &mut background.coins);
        }
        let mut tree = self.shared.tree_mut();
        tree.set_connected(id);
        tree.set_background(id);
        Ok(())
    }

    fn disconnect_background(&mut self, database: &Database, id: NodeId) -> Result<(), ChainError> {
        let node = self.shared.tree().node(id).clone();
        let block = self.shared.stored_block(database, &node.hash)?;
        let Undo(spent) = self.shared.stored_undo(database, &node.hash)?;
        let effects = disconnect_block(&block, &spent);
        if let Some(background) = &mut self.background {
            take_back(effects, &mut background.coins);
        }
        self.shared.tree_mut().set_background(node.parent);
        Ok(())
    }

    fn report_background(&mut self) {
        let Some(background) = &mut self.background else {
            return;
        };
        if background.last_report.elapsed() < REPORT_EVERY {
            return;
        }
        background.last_report = Instant::now();
        let tree = self.shared.tree();
        if let Some(assumed) = tree.assumed() {
            let height = tree.node(assumed.background).height;
            let base = tree.node(assumed.base).height;
            tracing::info!(%height, %base, "validating the blocks below the snapshot");
        }
    }

    /// Writes the background's coins as they are: all of it in one batch, or nothing.
    pub(super) fn flush_background(&mut self, database: &Database) -> Result<(), ChainError> {
        let Some(assumed) = self.shared.tree().assumed() else {
            return Ok(());
        };
        let Some(background) = &self.background else {
            return Ok(());
        };
        if background.flushed == assumed.background {
            return Ok(());
        }
        let mut batch = database.batch();
        background.coins.put_changes(&mut batch);
        let hash = self.shared.tree().node(assumed.background).hash;
        batch.put::<Meta>(&MetaKey::BackgroundTip, &MetaValue::block(hash));
        self.commit(database, batch)?;
        if let Some(background) = &mut self.background {
            background.coins.flushed();
            background.flushed = assumed.background;
        }
        Ok(())
    }

    /// Hashes some of the coins at the base; behind the last one, compares.
    fn hash_background(&mut self, database: &Database, base: NodeId) -> Result<Step, ChainError> {
        self.flush_background(database)?;
        let Some(background) = &mut self.background else {
            return Ok(Step::Idle);
        };
        let hashing = background.hashing.get_or_insert_with(|| Hashing {
            coins: CoinStatsBuilder::new(HashKind::Serialized),
            last: None,
        });
        let mut count = 0;
        let table = background.coins.table();
        for record in table
            .scan_after(database, hashing.last)
            .take(COINS_PER_STEP)
        {
            let (outpoint, coin) = record?;
            hashing.coins.add(&outpoint, &coin);
            hashing.last = Some(outpoint);
            count += 1;
        }
        if count == COINS_PER_STEP {
            return Ok(Step::Done);
        }
        let found = background
            .hashing
            .take()
            .map_or(CoinSetHash::ZERO, |hashing| {
                let hash = hashing.coins.finish().hash;
                hash.unwrap_or(CoinSetHash::ZERO)
            });
        let hash = self.shared.tree().node(base).hash;
        let expected = self
            .shared
            .spec
            .assume_utxo_of(&hash)
            .map(|entry| entry.coins_hash)
            .ok_or(ChainError::UnknownSnapshot { base: hash })?;
        if found == expected {
            self.end_background(database, table)?;
            return Ok(Step::Done);
        }
        let detail = format!(
            "the coins after block {hash} have the hash {found}, the chain spec says {expected}"
        );
        Err(self.abandon_snapshot(database, None, detail))
    }

    /// All is well: the chain is like any other from here on.
    fn end_background(&mut self, database: &Database, table: CoinsTable) -> Result<(), ChainError> {
        let mut batch = database.batch();
        batch.delete::<Meta>(&MetaKey::SnapshotBase);
        batch.delete::<Meta>(&MetaKey::BackgroundTip);
        database.commit(batch, Durability::Synced)?;
        self.background = None;
        {
            let mut cache = self.shared.coins_cache_mut();
            let mut tree = self.shared.tree_mut();
            cache.grow(self.shared.coins_cache_bytes);
            tree.end_assumption();
            self.candidates = Candidates::of(&tree);
        }
        table.clear(database)?;
        tracing::info!("the blocks below the snapshot are valid and give the same coins");
        // A chain with more work may have left the snapshot's below its base.
        self.activate_best(database)?;
        Ok(())
    }

    /// A block that the snapshot builds on is invalid.
    pub(super) fn refuse_assumed(
        &mut self,
        database: &Database,
        id: NodeId,
        error: &BlockError,
    ) -> ChainError {
        let hash = self.shared.tree().node(id).hash;
        let detail = format!("block {hash} is invalid: {error}");
        self.abandon_snapshot(database, Some(id), detail)
    }

    /// Goes back to the chain that was validated, for the next opening; until then nothing goes on. Returns the
    /// reason, or what else went wrong.
    fn abandon_snapshot(
        &mut self,
        database: &Database,
        invalid: Option<NodeId>,
        detail: String,
    ) -> ChainError {
        match self.write_abandoned(database, invalid) {
            Ok(()) => ChainError::InvalidSnapshot { detail },
            Err(error) => error,
        }
    }

    fn write_abandoned(
        &mut self,
        database: &Database,
        invalid: Option<NodeId>,
    ) -> Result<(), ChainError> {
        self.flush_background(database)?;
        let tree = self.shared.tree();
        let (Some(assumed), Some(background)) = (tree.assumed(), &self.background) else {
            return Ok(());
        };
        let mut batch = database.batch();
        if let Some(id) = invalid {
            let node = tree.node(id);
            let mut record = node.record(id);
            record.flags.failed = true;
            batch.put::<Headers>(&node.hash, &record);
        }
        // What was found of the blocks above the base was found with coins that can't be trusted.
        let base_height = tree.node(assumed.base).height;
        for id in tree.ids() {
            let node = tree.node(id);
            let is_above =
                node.height > base_height && tree.ancestor(id, base_height) == Some(assumed.base);
            if is_above && (node.flags.connected || node.flags.failed) {
                let mut record = node.record(id);
                record.flags.connected = false;
                record.flags.failed = false;
                batch.put::<Headers>(&node.hash, &record);
            }
        }
        let fork = tree.fork_point(self.flushed_tip, assumed.background);
        for id in tree.upwards(fork, self.flushed_tip) {
            batch.delete::<Heights>(&tree.node(id).height);
        }
        for id in tree.upwards(fork, assumed.background) {
            let node = tree.node(id);
            batch.put::<Heights>(&node.height, &node.hash);
        }
        let tip = MetaValue::block(tree.node(assumed.background).hash);
        batch.put::<Meta>(&MetaKey::Tip, &tip);
        let table = background.coins.table();
        batch.put::<Meta>(&MetaKey::CoinsTable, &table.value());
        batch.delete::<Meta>(&MetaKey::SnapshotBase);
        batch.delete::<Meta>(&MetaKey::BackgroundTip);
        database.commit(batch, Durability::Synced)?;
        Ok(())
    }
}
