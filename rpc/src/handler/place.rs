//! Where blocks stand, and blocks and coins read for display.

use pyrite_chain::{HeaderInfo, Tip};
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::{Coin, Height};

use super::Handler;
use crate::call::{CallError, CallResult};
use crate::json::BlockPlace;

impl Handler {
    /// A header by its hash.
    ///
    /// # Errors
    /// Code −5 when there is none.
    pub(super) fn header_info(&self, hash: &BlockHash) -> CallResult<HeaderInfo> {
        self.context
            .reader
            .header(hash)
            .ok_or_else(|| CallError::not_found("Block not found"))
    }

    /// A block's body.
    ///
    /// # Errors
    /// Code −1 when only its header is known.
    pub(super) fn block_body(&self, hash: &BlockHash) -> CallResult<Block> {
        self.context
            .reader
            .block(hash)?
            .ok_or_else(|| self.block_not_available(hash))
    }

    /// Why a block's body is not there.
    pub(super) fn block_not_available(&self, hash: &BlockHash) -> CallError {
        let info = self.context.reader.header(hash);
        CallError::misc(if info.is_some_and(|info| info.is_pruned) {
            "Block not available (pruned data)"
        } else {
            "Block not available (not fully downloaded)"
        })
    }

    /// Where a block stands, seen from the present tip.
    pub(crate) fn place(&self, info: &HeaderInfo) -> BlockPlace {
        let reader = &self.context.reader;
        let confirmations = self.confirmations(info, &reader.tip());
        BlockPlace {
            hash: info.hash,
            height: info.height.0,
            confirmations,
            median_time: info.median_time_past,
            chain_work: info.work,
            transaction_count: info.tx_count.unwrap_or(0),
            next: (confirmations > 1)
                .then(|| reader.hash_at(info.height.next()))
                .flatten(),
        }
    }

    /// Blocks from this one to the tip, both counted; −1 off the best chain.
    pub(super) fn confirmations(&self, info: &HeaderInfo, tip: &Tip) -> i64 {
        if info.height > tip.height || !self.context.reader.is_in_best_chain(&info.hash) {
            return -1;
        }
        confirmations_of(info.height, tip.height)
    }

    /// The coins that a block spent, in the order of its inputs, where they are known.
    pub(super) fn spent_coins(&self, hash: &BlockHash) -> CallResult<Option<Vec<Coin>>> {
        let undo = self.context.reader.undo(hash)?;
        Ok(undo.map(|spent| spent.into_iter().map(|(_, coin)| coin).collect()))
    }
}

/// Confirmations of a block of the best chain.
pub(super) fn confirmations_of(height: Height, tip: Height) -> i64 {
    i64::from(tip.0) - i64::from(height.0) + 1
}
