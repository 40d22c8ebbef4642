//! A block as the indexes see it.

use std::sync::Arc;

use pyrite_chain::{BlockStatus, ChainReader};
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Transaction, Txid};
use pyrite_consensus::connect::is_bip30_unspendable;
use pyrite_consensus::{Coin, HashedBlock, Height};

use crate::{IndexError, IndexKind};

/// A block, and the coins that it spends.
pub(crate) struct IndexedBlock {
    pub(crate) hash: BlockHash,
    pub(crate) height: Height,
    pub(crate) block: Arc<HashedBlock>,
    /// One for each input of each transaction other than the coinbase, in their order.
    pub(crate) spent: Vec<(OutPoint, Coin)>,
}

/// A transaction of a block.
pub(crate) struct IndexedTransaction<'a> {
    pub(crate) position: u32,
    pub(crate) txid: Txid,
    pub(crate) transaction: &'a Transaction,
    /// What its inputs spend, in their order; nothing for a coinbase.
    pub(crate) spent: &'a [(OutPoint, Coin)],
    /// Whether its outputs become coins. Those of the genesis block's coinbase don't, nor do those of
    /// Bitcoin's two coinbases that later ones overwrote (BIP-0030).
    pub(crate) makes_coins: bool,
}

/// A block, or why there is none.
pub(crate) enum Read {
    /// It is there.
    Block(IndexedBlock),
    /// It is not there yet: the chain knows its header and gets it later.
    NotYet(Height),
    /// It was there once, and is gone.
    Gone(Height),
}

impl IndexedBlock {
    /// The genesis block, which spends nothing and is known without a database.
    pub(crate) fn genesis(chain: &ChainReader) -> Self {
        let spec = chain.spec();
        Self {
            hash: spec.genesis_hash(),
            height: Height::GENESIS,
            block: Arc::new(HashedBlock::from(spec.genesis_block())),
            spent: Vec::new(),
        }
    }

    /// Reads a block that was connected.
    pub(crate) fn read(chain: &ChainReader, hash: BlockHash) -> Result<Read, IndexError> {
        let info = chain
            .header(&hash)
            .ok_or_else(|| IndexError::inconsistent(format!("the chain forgot block {hash}")))?;
        if info.height == Height::GENESIS {
            return Ok(Read::Block(Self::genesis(chain)));
        }
        let (Some(block), Some(spent)) = (chain.hashed_block(&hash)?, chain.undo(&hash)?) else {
            // Whoever connects a block has both, and stores both.
            return Ok(match info.status {
                BlockStatus::Valid | BlockStatus::Invalid => Read::Gone(info.height),
                BlockStatus::HeaderOnly | BlockStatus::Stored => Read::NotYet(info.height),
            });
        };
        let inputs: usize = block.txdata.iter().skip(1).map(|tx| tx.input.len()).sum();
        if inputs != spent.len() {
            let detail = format!(
                "block {hash} spends {inputs} coins, {} are stored",
                spent.len()
            );
            return Err(IndexError::inconsistent(detail));
        }
        Ok(Read::Block(Self {
            hash,
            height: info.height,
            block,
            spent,
        }))
    }

    /// Its transactions, in their order.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = IndexedTransaction<'_>> {
        let overwritten =
            self.height == Height::GENESIS || is_bip30_unspendable(self.height, self.hash);
        let mut rest = self.spent.as_slice();
        (0..)
            .zip(self.block.transactions())
            .map(move |(position, (transaction, txid))| {
                let inputs = if transaction.is_coinbase() {
                    0
                } else {
                    transaction.input.len()
                };
                // Genesis allocations spend nothing that exists, so there are none for them.
                let (spent, others) = rest.split_at(inputs.min(rest.len()));
                rest = others;
                IndexedTransaction {
                    position,
                    txid,
                    transaction,
                    spent,
                    makes_coins: position > 0 || !overwritten,
                }
            })
    }
}

impl IndexError {
    /// The error for a block that is gone.
    pub(crate) fn gone(index: IndexKind, hash: BlockHash, height: Height) -> Self {
        Self::Pruned {
            index,
            hash,
            height,
        }
    }
}
