//! What the network asks of the chain and the mempool, answered over their handles.

use std::sync::Arc;

use pyrite_chain::{BlockStatus, ChainHandle, ChainReader, SubmitError, Submitted};
use pyrite_consensus::HeaderChain;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, Transaction, Txid};
use pyrite_consensus::pow::header_work;
use pyrite_mempool::{MempoolHandle, PeerNumber};
use pyrite_network::{ChainAccess, TipSummary, Verdict};

use crate::relay::Relay;

/// The node's side of the network's `ChainAccess`.
pub(crate) struct NodeChainAccess {
    pub(crate) chain: ChainHandle,
    pub(crate) reader: ChainReader,
    pub(crate) mempool: MempoolHandle,
    pub(crate) relay: Arc<Relay>,
}

impl NodeChainAccess {
    /// Whether a peer's block is worth the disk: its chain has at least the work of ours, or it belongs
    /// to the header chain with the most work, or to ours where that began with a file of coins. Blocks on old parents have cheap proofs of work, and any
    /// number of them would be stored for ever (as in Bitcoin Core's `AcceptBlock`).
    fn is_wanted(&self, header: &Header) -> bool {
        let Some(parent) = self.reader.header(&header.prev_blockhash) else {
            return true; // the chain says what is wrong with it
        };
        if parent.work + header_work(header) >= self.reader.tip().work {
            return true;
        }
        let hash = header.block_hash();
        if self.reader.background_validation().is_some() && self.reader.is_in_best_chain(&hash) {
            return true;
        }
        let best = self.reader.best_header();
        let height = parent.height.next();
        height <= best.height
            && self
                .reader
                .header_chain(&best.hash)
                .is_some_and(|chain| chain.header(height) == *header)
    }
}

impl ChainAccess for NodeChainAccess {
    fn locator(&self) -> Vec<BlockHash> {
        self.reader.locator()
    }

    fn headers_after(&self, locator: &[BlockHash], max: usize) -> Vec<Header> {
        self.reader.headers_after(locator, None, max)
    }

    fn block(&self, hash: &BlockHash) -> Option<Vec<u8>> {
        // Whoever gets an invalid block from us blames us for it. One that was never connected may be.
        let info = self.reader.header(hash)?;
        if info.status != BlockStatus::Valid {
            return None;
        }
        match self.reader.block_bytes(hash) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%hash, %error, "a stored block can't be read");
                None
            }
        }
    }

    fn has_header(&self, hash: &BlockHash) -> bool {
        self.reader.header(hash).is_some()
    }

    fn has_block(&self, hash: &BlockHash) -> bool {
        self.reader.has_block(hash)
    }

    fn missing_blocks(&self, max: usize) -> Vec<BlockHash> {
        self.reader
            .missing_blocks(max)
            .into_iter()
            .map(|(_, hash)| hash)
            .collect()
    }

    fn background_blocks(&self, max: usize) -> Vec<BlockHash> {
        self.reader
            .missing_background_blocks(max)
            .into_iter()
            .map(|(_, hash)| hash)
            .collect()
    }

    fn tip(&self) -> TipSummary {
        let tip = self.reader.tip();
        TipSummary {
            hash: tip.hash,
            height: tip.height,
            work: tip.work,
        }
    }

    fn submit_headers(&self, headers: Vec<Header>) -> Verdict {
        match self.chain.submit_headers(headers) {
            Ok(_) => Verdict::Accept,
            Err(error) => verdict(error),
        }
    }

    fn submit_block(&self, block: Block) -> Verdict {
        if !self.is_wanted(&block.header) {
            return Verdict::Ignore("less work than the best chain".to_owned());
        }
        match self.chain.submit_block(Arc::new(block)) {
            Ok(Submitted::NewTip) => Verdict::Accept,
            Ok(Submitted::Duplicate) => Verdict::Ignore("duplicate".to_owned()),
            // Its coins and scripts were not checked: it is not known to be valid, and not passed on.
            Ok(Submitted::SideChain) => Verdict::Ignore("not in the best chain".to_owned()),
            Err(error) => verdict(error),
        }
    }

    fn submit_transaction(&self, transaction: Arc<Transaction>, from: u64) -> Verdict {
        self.relay.submit(&transaction, PeerNumber(from))
    }

    fn mempool_txids(&self, max: usize) -> Vec<Txid> {
        // Parents come before children, so that the other side can admit them in this order.
        self.mempool
            .snapshot()
            .entries
            .iter()
            .take(max)
            .map(|entry| entry.txid)
            .collect()
    }

    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        self.mempool.get(txid).map(|entry| Arc::clone(&entry.tx))
    }

    fn has_transaction(&self, txid: &Txid) -> bool {
        self.mempool.contains(txid)
    }
}

fn verdict(error: SubmitError) -> Verdict {
    match error {
        SubmitError::UnknownParent(_) => Verdict::MissingParent,
        error if error.is_invalid() => Verdict::Reject(error.to_string()),
        error => Verdict::Ignore(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
