//! What a person may say about blocks, and may want to know of their state on disk.

use pyrite_chain::{SubmitError, Verification, VerifyLevel, VerifyOptions};
use pyrite_consensus::bitcoin::BlockHash;
use serde_json::Value;

use super::Handler;
use crate::api::chain_control::ChainControlServer;
use crate::call::CallResult;
use crate::params;

/// How thoroughly `verifychain` verifies by default.
const DEFAULT_CHECK_LEVEL: i64 = 3;

/// How many blocks `verifychain` verifies by default.
const DEFAULT_CHECK_BLOCKS: i64 = 6;

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

    fn reconsider_block(&self, blockhash: String) -> CallResult<Value> {
        let hash = params::hash("blockhash", &blockhash)?;
        self.context.chain.reconsider_block(hash)?;
        Ok(Value::Null)
    }

    fn verify_chain(&self, checklevel: Option<i64>, nblocks: Option<i64>) -> CallResult<bool> {
        let level = params::int(checklevel.unwrap_or(DEFAULT_CHECK_LEVEL))?;
        let blocks = params::int(nblocks.unwrap_or(DEFAULT_CHECK_BLOCKS))?;
        let options = VerifyOptions {
            level: VerifyLevel::from_number(level),
            blocks: u32::try_from(blocks).ok().filter(|blocks| *blocks > 0),
        };
        let is_stopping = || self.stop.is_stopping();
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
                Verification::Interrupted => false,
            },
        )
    }
}
