//! A block with the ids of its transactions.

use std::ops::Deref;
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::{Block, Transaction, Txid, Wtxid};

use super::BlockContents;

/// A block with the ids of its transactions. Most rules need them, and beside signatures they are what
/// costs most: they are computed once, where the block comes from.
#[derive(Clone, Debug)]
pub struct HashedBlock {
    block: Arc<Block>,
    txids: Vec<Txid>,
    wtxids: Vec<Wtxid>,
}

impl HashedBlock {
    /// Computes the ids.
    #[must_use]
    pub fn new(block: Arc<Block>) -> Self {
        let (txids, wtxids) = ids(&block.txdata).unzip();
        Self {
            block,
            txids,
            wtxids,
        }
    }

    /// Computes the ids of each half by itself; `both` does two things, at the same time if it can.
    #[must_use]
    pub fn new_in_halves(
        block: Arc<Block>,
        both: impl FnOnce(&mut (dyn FnMut() + Send), &mut (dyn FnMut() + Send)),
    ) -> Self {
        let (first, second) = block.txdata.split_at(block.txdata.len() / 2);
        let (mut ids_of_first, mut ids_of_second) = (Vec::new(), Vec::new());
        both(&mut || ids_of_first = ids(first).collect(), &mut || {
            ids_of_second = ids(second).collect()
        });
        let (txids, wtxids) = ids_of_first.into_iter().chain(ids_of_second).unzip();
        Self {
            block,
            txids,
            wtxids,
        }
    }

    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// The ids of its transactions, in their order.
    #[must_use]
    pub fn txids(&self) -> &[Txid] {
        &self.txids
    }

    /// The ids of its transactions with their witnesses, in their order.
    #[must_use]
    pub fn wtxids(&self) -> &[Wtxid] {
        &self.wtxids
    }

    /// Its transactions with their ids.
    pub fn transactions(&self) -> impl Iterator<Item = (&Transaction, Txid)> {
        self.block.txdata.iter().zip(self.txids.iter().copied())
    }
}

impl BlockContents for HashedBlock {
    fn header(&self) -> &Header {
        &self.block.header
    }

    fn body(&self) -> impl Iterator<Item = &Transaction> {
        self.block.txdata.iter()
    }

    fn txids(&self) -> &[Txid] {
        &self.txids
    }

    fn wtxids(&self) -> &[Wtxid] {
        &self.wtxids
    }
}

impl Deref for HashedBlock {
    type Target = Block;

    fn deref(&self) -> &Block {
        &self.block
    }
}

impl From<Block> for HashedBlock {
    fn from(block: Block) -> Self {
        Self::new(Arc::new(block))
    }
}

fn ids(transactions: &[Transaction]) -> impl Iterator<Item = (Txid, Wtxid)> {
    transactions.iter().map(|transaction| {
        let txid = transaction.compute_txid();
        (txid, wtxid(transaction, txid))
    })
}

/// Without a witness both ids are the same.
fn wtxid(transaction: &Transaction, txid: Txid) -> Wtxid {
    if transaction
        .input
        .iter()
        .all(|input| input.witness.is_empty())
    {
        Wtxid::from_raw_hash(txid.to_raw_hash())
    } else {
        transaction.compute_wtxid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::fixtures::{block, coinbase, outpoint, spend};

    #[test]
    fn ids_are_those_of_the_transactions() {
        let mut witness = spend(&[outpoint(1)], &[5]);
        witness.input[0].witness.push([1, 2, 3]);
        let hashed = HashedBlock::from(block(vec![
            coinbase(1, 0),
            witness,
            spend(&[outpoint(2)], &[5]),
        ]));
        let halves = HashedBlock::new_in_halves(Arc::clone(hashed.block()), |first, second| {
            second();
            first();
        });
        assert_eq!(halves.txids(), hashed.txids());
        assert_eq!(halves.wtxids(), hashed.wtxids());
        for (index, transaction) in hashed.txdata.iter().enumerate() {
            assert_eq!(hashed.txids()[index], transaction.compute_txid());
            assert_eq!(hashed.wtxids()[index], transaction.compute_wtxid());
        }
        assert_ne!(
            hashed.txids()[1].to_raw_hash(),
            hashed.wtxids()[1].to_raw_hash()
        );
    }
}
