//! Goes over to the coins of a file: one atomic batch makes its block the tip, and what was the best chain the
//! one that is validated in the background.

use pyrite_consensus::spec::AssumeUtxo;
use pyrite_storage::schema::{Heights, Meta};
use pyrite_storage::{Database, Durability, MetaKey, MetaValue};

use super::Writer;
use super::background::Background;
use super::candidates::Candidates;
use crate::coins::CoinsCache;
use crate::snapshot::find_base;
use crate::tree::{Assumed, NodeId};
use crate::{ChainError, SnapshotError};

impl Writer {
    /// Makes the block of a file whose coins are in the table beside the best chain's the tip.
    pub(super) fn activate_snapshot(
        &mut self,
        database: &Database,
        entry: &AssumeUtxo,
    ) -> Result<Result<(), SnapshotError>, ChainError> {
        let base = match find_base(&self.shared, entry) {
            Ok(base) => base,
            Err(error) => return Ok(Err(error)),
        };
        self.flush_coins(database)?;
        let former = self.tip();
        self.write_switch(database, former, base)?;

        let half = self.shared.coins_cache_bytes / 2;
        {
            let mut cache = self.shared.coins_cache_mut();
            let mut tree = self.shared.tree_mut();
            let table = cache.table();
            *cache = CoinsCache::over(table.other(), half);
            tree.set_active(base);
            let assumed = Assumed {
                base,
                background: former,
            };
            tree.assume(assumed, entry.chain_tx_count);
            self.candidates = Candidates::of(&tree);
            self.background = Some(Background::new(table, half, former));
        }
        self.flushed_tip = base;
        tracing::info!(height = %entry.height, hash = %entry.block_hash, "the snapshot's block is the tip");
        self.activate_best(database)?;
        Ok(Ok(()))
    }

    fn write_switch(
        &self,
        database: &Database,
        former: NodeId,
        base: NodeId,
    ) -> Result<(), ChainError> {
        let table = self.shared.coins_cache().table().other();
        let mut batch = database.batch();
        let tree = self.shared.tree();
        let fork = tree.fork_point(former, base);
        for id in tree.upwards(fork, former) {
            batch.delete::<Heights>(&tree.node(id).height);
        }
        for id in tree.upwards(fork, base) {
            let node = tree.node(id);
            batch.put::<Heights>(&node.height, &node.hash);
        }
        let base = MetaValue::block(tree.node(base).hash);
        let former = MetaValue::block(tree.node(former).hash);
        batch.put::<Meta>(&MetaKey::CoinsTable, &table.value());
        batch.put::<Meta>(&MetaKey::Tip, &base);
        batch.put::<Meta>(&MetaKey::SnapshotBase, &base);
        batch.put::<Meta>(&MetaKey::BackgroundTip, &former);
        database.commit(batch, Durability::Synced)?;
        Ok(())
    }
}
