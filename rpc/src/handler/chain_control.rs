//! What a person may say about blocks.

use pyrite_chain::SubmitError;
use pyrite_consensus::bitcoin::BlockHash;
use serde_json::Value;

use super::Handler;
use crate::api::chain_control::ChainControlServer;
use crate::call::CallResult;
use crate::params;

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
}
