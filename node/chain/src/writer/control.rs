//! What a person may say about blocks: invalid, to be considered again, precious.

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_storage::Database;
use pyrite_storage::schema::Headers;

use super::Writer;
use super::candidates::Candidates;
use crate::tree::NodeId;
use crate::{ChainError, SubmitError};

impl Writer {
    /// Holds a block and its descendants for invalid, and activates the best of the rest.
    pub(super) fn invalidate(
        &mut self,
        database: &Database,
        hash: BlockHash,
    ) -> Result<(), SubmitError> {
        let id = self.find(hash)?;
        if id == NodeId::ROOT {
            return Err(SubmitError::Genesis);
        }
        {
            let tree = self.shared.tree();
            let height = tree.node(id).height;
            if tree.is_assumed(id) {
                return Err(SubmitError::BelowSnapshot(hash));
            }
            if tree.is_active(id) && tree.pruned_height() >= Some(height) {
                return Err(SubmitError::Pruned(hash));
            }
        }
        self.mark_failed(database, id)?;
        // Chains with less work than the tip had were dropped from the candidates.
        self.candidates = Candidates::of(&self.shared.tree());
        self.activate_best(database)?;
        Ok(())
    }

    /// Forgets that a block, its ancestors or its descendants are invalid, and activates the best.
    pub(super) fn reconsider(
        &mut self,
        database: &Database,
        hash: BlockHash,
    ) -> Result<(), SubmitError> {
        let id = self.find(hash)?;
        let cleared = self.shared.tree_mut().reconsider(id);
        for id in cleared {
            self.store_record(database, id)?;
        }
        self.candidates = Candidates::of(&self.shared.tree());
        self.activate_best(database)?;
        Ok(())
    }

    /// Prefers a block to others of the same work (Bitcoin Core's `PreciousBlock`). Does nothing for
    /// one with less work than the tip.
    pub(super) fn make_precious(
        &mut self,
        database: &Database,
        hash: BlockHash,
    ) -> Result<(), SubmitError> {
        let id = self.find(hash)?;
        {
            let mut tree = self.shared.tree_mut();
            if !tree.node(id).has_body() || tree.node(id).work < tree.node(tree.tip()).work {
                return Ok(());
            }
            self.candidates.remove(&tree, id);
            tree.set_sequence(id, self.next_precious);
            self.candidates.add(&tree, id);
        }
        self.next_precious = self.next_precious.saturating_sub(1);
        self.store_record(database, id)?;
        self.activate_best(database)?;
        Ok(())
    }

    fn find(&self, hash: BlockHash) -> Result<NodeId, SubmitError> {
        self.shared
            .tree()
            .find(&hash)
            .ok_or(SubmitError::UnknownBlock(hash))
    }

    /// Writes a header's record as it is in memory.
    pub(super) fn store_record(
        &mut self,
        database: &Database,
        id: NodeId,
    ) -> Result<(), ChainError> {
        let node = self.shared.tree().node(id).clone();
        let mut batch = database.batch();
        batch.put::<Headers>(&node.hash, &node.record(id));
        self.commit(database, batch)
    }
}
