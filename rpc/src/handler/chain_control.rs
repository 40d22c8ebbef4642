//! What a person may say about blocks, and may want to know of their state on disk.

use std::ops::ControlFlow;

use jsonrpsee::Extensions;
use pyrite_chain::{PruneMode, SubmitError, Verification, VerifyLevel, VerifyOptions};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use serde_json::Value;

use super::Handler;
use crate::api::chain_control::ChainControlServer;
use crate::call::{CallError, CallResult};
use crate::dialect::UnderWay;
use crate::params;

/// How thoroughly `verifychain` verifies by default.
const DEFAULT_CHECK_LEVEL: i64 = 3;

/// How many blocks `verifychain` verifies by default.
const DEFAULT_CHECK_BLOCKS: i64 = 6;

/// `pruneblockchain` takes a larger number for a time.
const MAX_PRUNE_HEIGHT: u32 = 1_000_000_000;

/// So far may a block's time be before that of the blocks before it.
const TIMESTAMP_WINDOW_S: u32 = 2 * 60 * 60;

/// A shorter chain is not pruned (Bitcoin Core's `PruneAfterHeight` for regtest).
const PRUNE_AFTER_HEIGHT: u32 = 1_000;

impl ChainControlServer for Handler {
    fn invalidate_block(&self, blockhash: String) -> CallResult<Value> {
        let hash: BlockHash = params::hash("blockhash", &blockhash)?;
        match self.context.chain.invalidate_block(hash) {
            // As in Bitcoin Core, the genesis block stays what it is, and nobody is told.
            Ok(()) | Err(SubmitError::Genesis) => Ok(Value::Null),
            Err(error) => Err(error.into()),
        }
    }

    fn precious_block(&self, blockhash: String) -> CallResult<Value> {
        let hash = params::hash("blockhash", &blockhash)?;
        self.context.chain.precious_block(hash)?;
        Ok(Value::Null)
    }

    fn prune_blockchain(&self, height: i64) -> CallResult<i64> {
        if self.context.prune_mode == PruneMode::Off {
            return Err(CallError::misc(
                "Cannot prune blocks because node is not in prune mode.",
            ));
        }
        let height: i32 = params::int(height)?;
        let height = u32::try_from(height)
            .map_err(|_| CallError::invalid_parameter("Negative block height."))?;
        let height = if height > MAX_PRUNE_HEIGHT {
            self.first_block_since(height.saturating_sub(TIMESTAMP_WINDOW_S))?
        } else {
            Height(height)
        };
        let tip = self.context.reader.tip().height;
        if tip.0 < PRUNE_AFTER_HEIGHT {
            return Err(CallError::misc("Blockchain is too short for pruning."));
        }
        if height > tip {
            return Err(CallError::invalid_parameter(
                "Blockchain is shorter than the attempted prune height.",
            ));
        }
        self.context.chain.prune_to(height, || {
            if self.stop.is_stopping() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let pruned = self.context.reader.pruned_height();
        Ok(pruned.map_or(-1, |height| i64::from(height.0)))
    }

    fn reconsider_block(&self, blockhash: String) -> CallResult<Value> {
        let hash = params::hash("blockhash", &blockhash)?;
        self.context.chain.reconsider_block(hash)?;
        Ok(Value::Null)
    }

    fn verify_chain(
        &self,
        extensions: &Extensions,
        checklevel: Option<i64>,
        nblocks: Option<i64>,
    ) -> CallResult<bool> {
        let level = params::int(checklevel.unwrap_or(DEFAULT_CHECK_LEVEL))?;
        let blocks = params::int(nblocks.unwrap_or(DEFAULT_CHECK_BLOCKS))?;
        let options = VerifyOptions {
            level: VerifyLevel::from_number(level),
            blocks: u32::try_from(blocks).ok().filter(|blocks| *blocks > 0),
        };
        let end = UnderWay::end_of(extensions);
        let is_stopping = || end.is_asked_for() || self.stop.is_stopping();
        Ok(
            match self.context.chain.verify_chain(options, &is_stopping)? {
                Verification::Passed => true,
                Verification::Failed {
                    hash,
                    height,
                    detail,
                } => {
                    tracing::error!(%hash, %height, detail, "verifychain found a fault");
                    false
                }
                Verification::TooManyCoins => {
                    tracing::warn!(
                        "verifychain: too many coins to disconnect so many blocks in memory"
                    );
                    false
                }
                // As in Bitcoin Core: what was not verified did not pass.
                Verification::Pruned => {
                    tracing::warn!("verifychain: the blocks further down were pruned");
                    false
                }
                Verification::Interrupted => false,
            },
        )
    }
}

impl Handler {
    /// The first block of the best chain that is at least as young.
    fn first_block_since(&self, time: u32) -> CallResult<Height> {
        let reader = &self.context.reader;
        let heights = 0..=reader.tip().height.0;
        heights
            .map(Height)
            .find(|height| {
                let header = reader
                    .hash_at(*height)
                    .and_then(|hash| reader.header(&hash));
                header.is_some_and(|info| info.header.time >= time)
            })
            .ok_or_else(|| {
                CallError::invalid_parameter(
                    "Could not find block with at least the specified timestamp.",
                )
            })
    }
}
