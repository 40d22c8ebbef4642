//! Makes the chain with the most work the best one: disconnects and connects blocks.
//!
//! The coins change in memory; from time to time they are flushed, in one atomic batch with the tip
//! that they belong to. A kill in between leaves a chain that is whole, if not the best: the next opening
//! connects the blocks since, which are stored and known to be valid.

use pyrite_consensus::connect::{
    BlockEffects, DisconnectEffects, disconnect_block, outpoints_to_read,
};
use pyrite_consensus::{
    BlockContext, BlockError, Coin, HashedBlock, Height, OutPointMap, connect_block,
};
use pyrite_storage::schema::{Headers, UndoData};
use pyrite_storage::{Database, Durability, Undo};

use super::Writer;
use super::flush::FLUSH_EVERY;
use crate::ChainError;
use crate::coins::CoinsCache;
use crate::shared::Shared;
use crate::tree::NodeId;

/// What the rules say of a block on its parent.
pub(super) type Verdict = Result<BlockEffects, BlockError>;

/// Whether a block's scripts are verified when it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scripts {
    Verify,
    /// They were verified before, or are assumed to be valid.
    Skip,
}

/// Changes the coins as a block does.
pub(super) fn apply(effects: &BlockEffects, block: &HashedBlock, cache: &mut CoinsCache) {
    let outputs: usize = block.txdata.iter().map(|tx| tx.output.len()).sum();
    cache.reserve(effects.spent.len() + outputs);
    for outpoint in effects.removed() {
        cache.spend(outpoint);
    }
    for (outpoint, coin) in effects.created(block) {
        cache.create(outpoint, coin);
    }
}

/// Changes the coins back.
pub(super) fn take_back(effects: DisconnectEffects, cache: &mut CoinsCache) {
    for outpoint in &effects.removed {
        cache.spend(outpoint);
    }
    for (outpoint, coin) in effects.restored {
        cache.create(outpoint, coin);
    }
}

impl Writer {
    /// Activates the best candidate, and the next best one as long as blocks turn out to be invalid.
    /// Returns those, with what is wrong with them.
    pub(super) fn activate_best(
        &mut self,
        database: &Database,
    ) -> Result<Vec<(NodeId, BlockError)>, ChainError> {
        let mut failures = Vec::new();
        loop {
            let target = self.best_candidate()?;
            if target == self.tip() {
                break;
            }
            if let Some((id, error)) = self.move_to(database, target)? {
                let hash = self.shared.tree().node(id).hash;
                tracing::warn!(%hash, %error, "invalid block");
                self.mark_failed(database, id)?;
                failures.push((id, error));
            }
        }
        let tree = self.shared.tree();
        self.candidates.drop_below_tip(&tree);
        Ok(failures)
    }

    /// Connects up to `blocks` blocks towards the best candidate, and returns its height.
    pub(super) fn advance(
        &mut self,
        database: &Database,
        blocks: u32,
    ) -> Result<Height, ChainError> {
        let target = self.best_candidate()?;
        let next = {
            let tree = self.shared.tree();
            let height = tree.node(tree.tip()).height.0.saturating_add(blocks);
            tree.ancestor(target, Height(height)).unwrap_or(target)
        };
        if next != self.tip()
            && let Some((id, error)) = self.move_to(database, next)?
        {
            let hash = self.shared.tree().node(id).hash;
            tracing::warn!(%hash, %error, "invalid block");
            self.mark_failed(database, id)?;
        }
        let target = self.best_candidate()?;
        Ok(self.shared.tree().node(target).height)
    }

    fn best_candidate(&self) -> Result<NodeId, ChainError> {
        self.candidates
            .best()
            .ok_or_else(|| ChainError::corrupt("the genesis block is marked invalid"))
    }

    /// Refuses a way that leads over blocks that were pruned, before anything is changed.
    fn check_stored(&self, fork: NodeId, target: NodeId) -> Result<(), ChainError> {
        let tree = self.shared.tree();
        let mut way = tree
            .upwards(fork, tree.tip())
            .into_iter()
            .chain(tree.upwards(fork, target));
        match way.find(|id| tree.node(*id).flags.pruned) {
            None => Ok(()),
            Some(id) => Err(ChainError::PrunedReorganisation {
                hash: tree.node(id).hash,
                height: tree.node(id).height,
                best: tree.node(target).hash,
            }),
        }
    }

    /// Moves the tip block by block. Stops at a block that is invalid and returns it.
    fn move_to(
        &mut self,
        database: &Database,
        target: NodeId,
    ) -> Result<Option<(NodeId, BlockError)>, ChainError> {
        let (fork, path, depth) = {
            let tree = self.shared.tree();
            let fork = tree.fork_point(tree.tip(), target);
            let depth = tree.node(tree.tip()).height.0 - tree.node(fork).height.0;
            (fork, tree.upwards(fork, target), depth)
        };
        if depth > 0 {
            self.check_stored(fork, target)?;
            tracing::info!(disconnect = depth, connect = path.len(), "reorganisation");
        }
        while self.tip() != fork {
            self.disconnect_tip(database)?;
        }
        for id in path {
            if let Err(error) = self.connect(database, id)? {
                return Ok(Some((id, error)));
            }
        }
        Ok(None)
    }

    /// Connects a child of the tip. The outer error is the machine's, the inner one the block's.
    fn connect(
        &mut self,
        database: &Database,
        id: NodeId,
    ) -> Result<Result<(), BlockError>, ChainError> {
        let node = self.shared.tree().node(id).clone();
        let block = self.shared.stored_block(database, &node.hash)?;
        let verdict = match self.ahead.take() {
            Some((checked, verdict)) if checked == id => verdict,
            _ => check_on_tip(&self.shared, id, &block, self.scripts_of(id))?,
        };
        let effects = match verdict {
            Ok(effects) => effects,
            Err(error) => return Ok(Err(error)),
        };
        self.unsynced = true;
        let shared = &*self.shared;
        let mut cache = shared.coins_cache_mut();
        let coins = &mut *cache;
        let (recorded, ()) = shared.join_for(
            &block,
            || record(shared, database, id, &effects),
            || apply(&effects, &block, coins),
        );
        recorded?;
        shared.tree_mut().connected(id);
        let is_full = cache.is_full();
        drop(cache);
        tracing::debug!(height = %node.height, hash = %node.hash, "connected");
        if is_full || self.last_flush.elapsed() >= FLUSH_EVERY {
            self.flush_coins(database)?;
        }
        Ok(Ok(()))
    }

    /// Whether a block's scripts have to be verified. What they say depends on the blocks before it alone: once is
    /// enough.
    pub(super) fn scripts_of(&self, id: NodeId) -> Scripts {
        if self.shared.tree().node(id).flags.connected || self.assumes_valid(id) {
            Scripts::Skip
        } else {
            Scripts::Verify
        }
    }

    /// Whether the block is the one that is assumed to be valid, or before it. That one must be in the best
    /// chain of headers: work that nobody else has done does not switch verification off.
    fn assumes_valid(&self, id: NodeId) -> bool {
        let Some(hash) = &self.assume_valid else {
            return false;
        };
        let tree = self.shared.tree();
        let Some(assumed) = tree.find(hash) else {
            return false;
        };
        let is_before = |id, of| tree.ancestor(of, tree.node(id).height) == Some(id);
        is_before(id, assumed) && is_before(assumed, tree.best_header())
    }

    /// Disconnects the tip. Its undo data stays: it is what it is whenever the block is connected.
    fn disconnect_tip(&mut self, database: &Database) -> Result<(), ChainError> {
        let node = {
            let tree = self.shared.tree();
            tree.node(tree.tip()).clone()
        };
        if node.height == Height::GENESIS {
            return Err(ChainError::corrupt("two blocks have no common ancestor"));
        }
        let block = self.shared.stored_block(database, &node.hash)?;
        let Undo(spent) = self.shared.stored_undo(database, &node.hash)?;
        let effects = disconnect_block(&block, &spent);

        let mut cache = self.shared.coins_cache_mut();
        take_back(effects, &mut cache);
        self.shared.tree_mut().disconnected();
        let is_full = cache.is_full();
        drop(cache);
        tracing::debug!(height = %node.height, hash = %node.hash, "disconnected");
        if is_full {
            self.flush_coins(database)?;
        }
        Ok(())
    }

    /// Marks a block invalid, in the database and in memory.
    pub(super) fn mark_failed(
        &mut self,
        database: &Database,
        id: NodeId,
    ) -> Result<(), ChainError> {
        let node = self.shared.tree().node(id).clone();
        let mut record = node.record(id);
        record.flags.failed = true;
        let mut batch = database.batch();
        batch.put::<Headers>(&node.hash, &record);
        self.commit(database, batch)?;

        let mut tree = self.shared.tree_mut();
        tree.fail(id);
        self.candidates.drop_failed(&tree);
        Ok(())
    }

    pub(super) fn tip(&self) -> NodeId {
        self.shared.tree().tip()
    }
}

/// Checks a child of the tip by all rules.
pub(super) fn check_on_tip(
    shared: &Shared,
    id: NodeId,
    block: &HashedBlock,
    scripts: Scripts,
) -> Result<Verdict, ChainError> {
    let height = shared.tree().node(id).height;
    let outpoints = outpoints_to_read(&shared.spec, block, height);
    let coins = shared.coins(&outpoints)?.coins;
    Ok(check_against(shared, id, block, &coins, scripts))
}

/// Checks a block by all rules against the coins of its parent.
pub(super) fn check_against(
    shared: &Shared,
    id: NodeId,
    block: &HashedBlock,
    coins: &OutPointMap<Coin>,
    scripts: Scripts,
) -> Verdict {
    let parent = shared.tree().node(id).parent;
    let branch = shared.branch(parent);
    let effects = connect_block(&shared.spec, block, &BlockContext::new(&branch), coins)?;
    if scripts == Scripts::Verify {
        shared
            .scripts
            .verify_block(effects.scripts(block).collect())?;
    }
    Ok(effects)
}

/// Writes down what a block spends and that it is valid; `settle` makes it durable.
pub(super) fn record(
    shared: &Shared,
    database: &Database,
    id: NodeId,
    effects: &BlockEffects,
) -> Result<(), ChainError> {
    let node = shared.tree().node(id).clone();
    let mut record = node.record(id);
    record.flags.connected = true;
    let mut batch = database.batch();
    batch.put_encoded::<UndoData>(&node.hash, &Undo::encode_spent(&effects.spent));
    batch.put::<Headers>(&node.hash, &record);
    Ok(database.commit(batch, Durability::Buffered)?)
}
