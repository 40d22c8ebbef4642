//! The coins of an earlier block: those of the tip, and what the blocks since changed, in a table of its own that
//! is cleared afterwards. Memory stays bounded however far back the block is, and the chain is not touched.

use std::iter::Peekable;

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::consensus::encode::deserialize;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint};
use pyrite_consensus::connect::disconnect_block;
use pyrite_storage::schema::{Blocks, CoinChanges, UndoData};
use pyrite_storage::{
    Batch, CoinChange, Database, Durability, RawBlock, Snapshot, StorageError, Undo,
};

use crate::coins::CoinsTable;
use crate::shared::Shared;
use crate::tree::NodeId;
use crate::{ChainError, SnapshotError};

/// Changes that are written together.
const CHANGES_PER_BATCH: usize = 20_000;

/// The coins of a snapshot with changes.
pub(super) struct RolledBackCoins<'a> {
    database: &'a Database,
    snapshot: &'a Snapshot<'a>,
    table: CoinsTable,
}

impl<'a> RolledBackCoins<'a> {
    pub(super) fn new(
        database: &'a Database,
        snapshot: &'a Snapshot<'a>,
        table: CoinsTable,
    ) -> Self {
        Self {
            database,
            snapshot,
            table,
        }
    }

    /// Takes back what the blocks after `target` up to `tip` did. On an error nothing is left behind.
    pub(super) fn roll_back(
        &self,
        shared: &Shared,
        tip: NodeId,
        target: NodeId,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<(), SnapshotError> {
        self.clear()?;
        let result = self.undo_blocks(shared, tip, target, is_interrupted);
        if result.is_err() {
            self.clear()?;
        }
        result
    }

    fn undo_blocks(
        &self,
        shared: &Shared,
        tip: NodeId,
        target: NodeId,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<(), SnapshotError> {
        let mut batch = self.database.batch();
        let mut changes = 0;
        let mut id = tip;
        while id != target {
            if is_interrupted() {
                return Err(SnapshotError::Interrupted);
            }
            let node = shared.tree().node(id).clone();
            changes += self.undo_block(&node.hash, node.height.0, &mut batch)?;
            if changes >= CHANGES_PER_BATCH {
                self.commit(std::mem::replace(&mut batch, self.database.batch()))?;
                changes = 0;
            }
            id = node.parent;
        }
        self.commit(batch)
    }

    fn undo_block(
        &self,
        hash: &BlockHash,
        height: u32,
        batch: &mut Batch<'_>,
    ) -> Result<usize, SnapshotError> {
        let missing = || SnapshotError::MissingData {
            hash: *hash,
            height,
        };
        let body = self
            .snapshot
            .get::<Blocks>(hash)
            .map_err(ChainError::from)?;
        let undo = self.snapshot.get::<UndoData>(hash);
        let undo = undo.map_err(ChainError::from)?;
        let (Some(RawBlock(bytes)), Some(Undo(spent))) = (body, undo) else {
            return Err(missing());
        };
        let block: Block = deserialize(&bytes)
            .map_err(|error| ChainError::corrupt(format!("block {hash} can't be read: {error}")))?;
        let effects = disconnect_block(&block.into(), &spent);
        let changes = effects.removed.len() + effects.restored.len();
        for outpoint in &effects.removed {
            batch.put::<CoinChanges>(outpoint, &CoinChange(None));
        }
        for (outpoint, coin) in effects.restored {
            batch.put::<CoinChanges>(&outpoint, &CoinChange(Some(coin)));
        }
        Ok(changes)
    }

    fn commit(&self, batch: Batch<'_>) -> Result<(), SnapshotError> {
        let committed = self.database.commit(batch, Durability::Buffered);
        Ok(committed.map_err(ChainError::from)?)
    }

    /// Shows every coin, in the order of the tables' keys.
    pub(super) fn for_each(
        &self,
        mut visit: impl FnMut(&OutPoint, &Coin) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        let merged = Merged {
            coins: self.table.scan(self.snapshot).peekable(),
            changes: self.database.scan::<CoinChanges>().peekable(),
        };
        for record in merged {
            let (outpoint, coin) = record.map_err(ChainError::from)?;
            visit(&outpoint, &coin)?;
        }
        Ok(())
    }

    /// Removes the changes.
    pub(super) fn clear(&self) -> Result<(), ChainError> {
        clear_changes(self.database)
    }
}

/// Removes the changes of a dump, be it of one that was interrupted by a kill.
pub(crate) fn clear_changes(database: &Database) -> Result<(), ChainError> {
    if database.scan::<CoinChanges>().next().is_some() {
        database.clear::<CoinChanges>()?;
    }
    Ok(())
}

/// Walks through coins and changes of them together; both are in the order of their keys.
struct Merged<A: Iterator, B: Iterator> {
    coins: Peekable<A>,
    changes: Peekable<B>,
}

type Record<T> = Result<(OutPoint, T), StorageError>;

impl<A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = Record<Coin>>,
    B: Iterator<Item = Record<CoinChange>>,
{
    type Item = Record<Coin>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let is_change = match (self.coins.peek(), self.changes.peek()) {
                (_, None) => false,
                (None, Some(_)) => true,
                // An error comes out first, whichever it is.
                (Some(Err(_)), _) => false,
                (_, Some(Err(_))) => true,
                (Some(Ok((coin, _))), Some(Ok((change, _)))) => key(change) <= key(coin),
            };
            if !is_change {
                return self.coins.next();
            }
            let (outpoint, change) = match self.changes.next()? {
                Ok(change) => change,
                Err(error) => return Some(Err(error)),
            };
            // It takes the coin's place.
            self.coins
                .next_if(|coin| matches!(coin, Ok((coin, _)) if *coin == outpoint));
            if let CoinChange(Some(coin)) = change {
                return Some(Ok((outpoint, coin)));
            }
        }
    }
}

/// What the tables order outpoints by.
fn key(outpoint: &OutPoint) -> ([u8; 32], u32) {
    (outpoint.txid.to_byte_array(), outpoint.vout)
}
