//! Moves the coins that changed to the database, with the tip that they belong to.

use std::time::{Duration, Instant};

use pyrite_storage::schema::{Heights, Meta};
use pyrite_storage::{Database, MetaKey, MetaValue};

use super::Writer;
use crate::ChainError;

/// Blocks of so much time at most have to be connected again after a kill.
pub(super) const FLUSH_EVERY: Duration = Duration::from_secs(30);

impl Writer {
    /// Writes the coins as they are at the tip: all of it in one batch, or nothing.
    pub(super) fn flush_coins(&mut self, database: &Database) -> Result<(), ChainError> {
        self.last_flush = Instant::now();
        let tip = self.tip();
        if tip == self.flushed_tip {
            return Ok(());
        }
        let mut batch = database.batch();
        self.shared.coins_cache().put_changes(&mut batch);
        {
            let tree = self.shared.tree();
            let fork = tree.fork_point(self.flushed_tip, tip);
            for id in tree.upwards(fork, self.flushed_tip) {
                batch.delete::<Heights>(&tree.node(id).height);
            }
            for id in tree.upwards(fork, tip) {
                let node = tree.node(id);
                batch.put::<Heights>(&node.height, &node.hash);
            }
            batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(tree.node(tip).hash));
        }
        self.commit(database, batch)?;
        self.shared.coins_cache_mut().flushed();
        self.flushed_tip = tip;
        Ok(())
    }
}
