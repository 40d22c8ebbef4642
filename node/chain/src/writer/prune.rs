//! Deletes what old blocks consist of, and notes in their headers that it is gone.

use pyrite_storage::Database;
use pyrite_storage::schema::{Blocks, Headers, UndoData};

use super::Writer;
use crate::ChainError;
use crate::pruning::highest_below_tip;
use crate::tree::NodeId;

impl Writer {
    /// Prunes those of the blocks that may go, in one batch. Returns how many.
    pub(super) fn prune(
        &mut self,
        database: &Database,
        blocks: &[NodeId],
    ) -> Result<u64, ChainError> {
        // After a kill the blocks since the last flush are connected again: they must be there.
        self.flush_coins(database)?;
        self.flush_background(database)?;
        let Some(highest) = highest_below_tip(&self.shared) else {
            return Ok(0);
        };
        let nodes: Vec<_> = {
            let tree = self.shared.tree();
            let nodes = blocks.iter().map(|id| (*id, tree.node(*id).clone()));
            nodes
                .filter(|(id, node)| {
                    *id != NodeId::ROOT && node.height <= highest && node.is_stored()
                })
                .collect()
        };
        let mut batch = database.batch();
        for (id, node) in &nodes {
            let mut record = node.record(*id);
            record.flags.pruned = true;
            batch.put::<Headers>(&node.hash, &record);
            batch.delete::<Blocks>(&node.hash);
            batch.delete::<UndoData>(&node.hash);
        }
        // Before they are gone: whoever misses a body must find that it was pruned.
        {
            let mut tree = self.shared.tree_mut();
            for (id, _) in &nodes {
                tree.set_pruned(*id);
            }
        }
        self.commit(database, batch)?;
        for (_, node) in &nodes {
            self.shared.cache.remove(&node.hash);
        }
        Ok(u64::try_from(nodes.len()).unwrap_or(u64::MAX))
    }
}
