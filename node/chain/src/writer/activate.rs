//! Makes the chain with the most work the best one: disconnects and connects blocks.
//!
//! The coins change in memory; from time to time they are flushed, in one atomic batch with the tip
//! that they belong to. A kill in between leaves a chain that is whole, if not the best: the next opening
//! connects the blocks since, which are stored and known to be valid.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::connect::{
    BlockEffects, DisconnectEffects, disconnect_block, outpoints_to_read,
};
use pyrite_consensus::{BlockContext, BlockError, Coin, HashedBlock, Height, connect_block};
use pyrite_storage::schema::{Headers, UndoData};
use pyrite_storage::{Database, Undo};

use super::Writer;
use super::flush::FLUSH_EVERY;
use crate::ChainError;
use crate::coins::CoinsCache;
use crate::tree::NodeId;

/// What a block does to the coins.
pub(super) struct CoinChanges {
    spent: Vec<OutPoint>,
    created: Vec<(OutPoint, Coin)>,
}

impl CoinChanges {
    /// What it takes to take a block back.
    pub(super) fn undo(effects: DisconnectEffects) -> Self {
        Self {
            spent: effects.removed,
            created: effects.restored,
        }
    }

    pub(super) fn apply(self, cache: &mut CoinsCache) {
        for outpoint in &self.spent {
            cache.spend(outpoint);
        }
        for (outpoint, coin) in self.created {
            cache.create(outpoint, coin);
        }
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
        let outpoints = outpoints_to_read(&self.shared.spec, &*block, node.height);
        let coins = self.shared.coins(&outpoints)?.coins;
        let changes = match self.check_and_record(database, id, &block, &coins)? {
            Ok(changes) => changes,
            Err(error) => return Ok(Err(error)),
        };

        let mut cache = self.shared.coins_cache_mut();
        changes.apply(&mut cache);
        self.shared.tree_mut().connected(id);
        let is_full = cache.is_full();
        drop(cache);
        tracing::debug!(height = %node.height, hash = %node.hash, "connected");
        if is_full || self.last_flush.elapsed() >= FLUSH_EVERY {
            self.flush_coins(database)?;
        }
        Ok(Ok(()))
    }

    /// Checks a block against coins by all rules, and writes down what it spends and that it is valid.
    pub(super) fn check_and_record(
        &mut self,
        database: &Database,
        id: NodeId,
        block: &HashedBlock,
        coins: &HashMap<OutPoint, Coin>,
    ) -> Result<Result<CoinChanges, BlockError>, ChainError> {
        let node = self.shared.tree().node(id).clone();
        let branch = self.shared.branch(node.parent);
        let context = BlockContext::new(&branch);
        let effects = match connect_block(&self.shared.spec, block, &context, coins) {
            Ok(effects) => effects,
            Err(error) => return Ok(Err(error)),
        };
        // What a block's scripts say depends on the blocks before it alone: once is enough.
        if !node.flags.connected
            && !self.assumes_valid(id)
            && let Err(error) = self
                .shared
                .scripts
                .verify_block(effects.scripts(block).collect())
        {
            return Ok(Err(error.into()));
        }

        let BlockEffects { spent, created, .. } = effects;
        let mut record = node.record(id);
        record.flags.connected = true;
        let outpoints: Vec<OutPoint> = spent.iter().map(|(outpoint, _)| *outpoint).collect();
        let mut batch = database.batch();
        batch.put::<UndoData>(&node.hash, &Undo(spent));
        batch.put::<Headers>(&node.hash, &record);
        self.commit(database, batch)?;
        Ok(Ok(CoinChanges {
            spent: outpoints,
            created,
        }))
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

        let changes = CoinChanges::undo(effects);
        let mut cache = self.shared.coins_cache_mut();
        changes.apply(&mut cache);
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
