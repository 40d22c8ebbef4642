//! The coins of a snapshot with changes in memory: how they were some blocks ago.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::connect::{BlockEffects, disconnect_block};
use pyrite_consensus::{Coin, HashedBlock, Height};
use pyrite_storage::{Snapshot, StorageError};

use crate::coins::CoinsTable;

/// The coins below the tip, as they are unwound.
pub(super) struct UnwoundCoins<'a> {
    snapshot: &'a Snapshot<'a>,
    table: CoinsTable,
    /// `None` is a coin that is not there, whatever the snapshot says.
    changes: HashMap<OutPoint, Option<Coin>>,
}

impl<'a> UnwoundCoins<'a> {
    pub(super) fn new(snapshot: &'a Snapshot<'a>, table: CoinsTable) -> Self {
        Self {
            snapshot,
            table,
            changes: HashMap::new(),
        }
    }

    /// How many coins differ from the snapshot's.
    pub(super) fn changes(&self) -> usize {
        self.changes.len()
    }

    /// Those of the coins that are there.
    pub(super) fn read(
        &self,
        outpoints: &[OutPoint],
    ) -> Result<HashMap<OutPoint, Coin>, StorageError> {
        let unchanged: Vec<_> = outpoints
            .iter()
            .filter(|outpoint| !self.changes.contains_key(outpoint))
            .copied()
            .collect();
        let stored = self.table.multi_get(self.snapshot, &unchanged)?;
        let stored = unchanged.into_iter().zip(stored);
        let changed = outpoints
            .iter()
            .filter_map(|outpoint| Some((*outpoint, self.changes.get(outpoint)?.clone())));
        Ok(stored
            .chain(changed)
            .filter_map(|(outpoint, coin)| Some((outpoint, coin?)))
            .collect())
    }

    /// Takes a block's effects back. The inner error says what does not fit: a coin that the block made
    /// is missing or another one, or a coin that it spent is still there.
    pub(super) fn disconnect(
        &mut self,
        block: &HashedBlock,
        height: Height,
        spent: &[(OutPoint, Coin)],
    ) -> Result<Result<(), String>, StorageError> {
        let effects = disconnect_block(block, spent);
        let found = self.read(&effects.removed)?;
        let made = coins_made(block, height);
        if let Some(outpoint) = effects
            .removed
            .iter()
            .find(|outpoint| found.get(outpoint) != made.get(outpoint))
        {
            return Ok(Err(format!(
                "the coin {outpoint} is not as the block made it"
            )));
        }
        let restored: Vec<_> = effects
            .restored
            .iter()
            .map(|(outpoint, _)| *outpoint)
            .collect();
        if let Some(outpoint) = self.read(&restored)?.keys().next() {
            return Ok(Err(format!(
                "the coin {outpoint} is still there though the block spent it"
            )));
        }
        let gone = effects.removed.into_iter().map(|outpoint| (outpoint, None));
        let back = effects
            .restored
            .into_iter()
            .map(|(outpoint, coin)| (outpoint, Some(coin)));
        self.changes.extend(gone.chain(back));
        Ok(Ok(()))
    }

    /// Applies the effects of `block` again.
    pub(super) fn connect(&mut self, block: &HashedBlock, effects: &BlockEffects) {
        let gone = effects.spent.iter().map(|(outpoint, _)| (*outpoint, None));
        self.changes.extend(gone);
        let made = effects
            .created(block)
            .map(|(outpoint, coin)| (outpoint, Some(coin)));
        self.changes.extend(made);
    }
}

/// The coins that a block at `height` makes, those that it spends itself included.
fn coins_made(block: &HashedBlock, height: Height) -> HashMap<OutPoint, Coin> {
    let mut coins = HashMap::new();
    for (transaction, txid) in block.transactions() {
        for (vout, output) in (0..).zip(&transaction.output) {
            let coin = Coin {
                output: output.clone(),
                height,
                is_coinbase: transaction.is_coinbase(),
            };
            coins.insert(OutPoint { txid, vout }, coin);
        }
    }
    coins
}
