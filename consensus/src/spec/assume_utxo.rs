//! Blocks whose coins are known: a node may begin with a file of them, and validate the blocks before it
//! afterwards (Bitcoin Core's `m_assumeutxo_data`).

use bitcoin::BlockHash;

use super::chain_spec::ChainSpec;
use crate::Height;
use crate::coin_stats::CoinSetHash;

/// A block whose coins are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssumeUtxo {
    /// The block's height.
    pub height: Height,
    /// The block.
    pub block_hash: BlockHash,
    /// The hash of the coins after it, as `gettxoutsetinfo` gives it (`hash_serialized_3`).
    pub coins_hash: CoinSetHash,
    /// Transactions of the chain that the block ends.
    pub chain_tx_count: u64,
}

impl ChainSpec {
    /// What is known of the coins after a block.
    #[must_use]
    pub fn assume_utxo_of(&self, block_hash: &BlockHash) -> Option<&AssumeUtxo> {
        let mut entries = self.assume_utxo.iter();
        entries.find(|entry| entry.block_hash == *block_hash)
    }
}
