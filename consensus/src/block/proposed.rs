//! A block that is still to be mined, made of transactions that somebody else holds too.

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::{Transaction, Txid, Wtxid};

use super::BlockContents;

/// A transaction whose ids are known.
#[derive(Clone, Debug)]
pub struct ProposedTransaction {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with its witnesses.
    pub wtxid: Wtxid,
}

impl ProposedTransaction {
    /// Computes the ids.
    #[must_use]
    pub fn new(tx: Transaction) -> Self {
        Self {
            txid: tx.compute_txid(),
            wtxid: tx.compute_wtxid(),
            tx: Arc::new(tx),
        }
    }
}

/// A block that is still to be mined. It shares its transactions with whoever proposes it, and takes over the ids
/// that they are known by: copying and hashing some thousand transactions costs more than most rules.
#[derive(Clone, Debug)]
pub struct ProposedBlock {
    header: Header,
    transactions: Vec<Arc<Transaction>>,
    txids: Vec<Txid>,
    wtxids: Vec<Wtxid>,
    settled: usize,
}

impl ProposedBlock {
    /// A block of these transactions, the coinbase first. The caller answers for their ids.
    #[must_use]
    pub fn new(
        header: Header,
        transactions: impl IntoIterator<Item = ProposedTransaction>,
    ) -> Self {
        let mut block = Self {
            header,
            transactions: Vec::new(),
            txids: Vec::new(),
            wtxids: Vec::new(),
            settled: 0,
        };
        for ProposedTransaction { tx, txid, wtxid } in transactions {
            block.transactions.push(tx);
            block.txids.push(txid);
            block.wtxids.push(wtxid);
        }
        block
    }

    /// The same block, of which so many transactions after the coinbase, but never all, are likely to be at the start of
    /// the next one that is proposed, too.
    #[must_use]
    pub fn with_settled(mut self, settled: usize) -> Self {
        self.settled = settled.min(self.transactions.len().saturating_sub(2));
        self
    }

    /// How many transactions after the coinbase are likely to be at the start of the next block that is proposed.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.settled
    }
}

impl BlockContents for ProposedBlock {
    fn header(&self) -> &Header {
        &self.header
    }

    fn body(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.iter().map(Arc::as_ref)
    }

    fn txids(&self) -> &[Txid] {
        &self.txids
    }

    fn wtxids(&self) -> &[Wtxid] {
        &self.wtxids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::fixtures::{block, coinbase, outpoint, spend};
    use crate::{BlockError, ChainSpec, HashedBlock, check_block};

    /// The rules see the same block, whether it holds its transactions or shares them.
    #[test]
    fn the_rules_see_the_same_block() {
        let spec = ChainSpec::regtest();
        let valid = block(vec![coinbase(1, 0), spend(&[outpoint(1)], &[5])]);
        let mut wrong = valid.clone();
        wrong.txdata.swap(0, 1);
        wrong.header.merkle_root = wrong.compute_merkle_root().unwrap();
        for (block, expected) in [(valid, Ok(())), (wrong, Err(BlockError::CoinbaseMissing))] {
            let shared = ProposedBlock::new(
                block.header,
                block.txdata.iter().cloned().map(ProposedTransaction::new),
            );
            let hashed = HashedBlock::from(block);
            assert_eq!(shared.txids(), hashed.txids());
            assert_eq!(shared.wtxids(), hashed.wtxids());
            assert!(shared.body().eq(hashed.body()));
            assert_eq!(check_block(&spec, &shared), expected);
            assert_eq!(check_block(&spec, &hashed), expected);
        }
    }
}
