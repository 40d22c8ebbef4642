//! What the network asks of the node, and what the node answers about data from peers.

use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, Transaction, Txid, Work};

/// The end of a best chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TipSummary {
    /// Hash of the last block.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// The work of the chain that it ends.
    pub work: Work,
}

/// What the node says about a header, a block or a transaction from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid and taken: pass it on.
    Accept,
    /// Breaks a rule: whoever sent it is to blame. The text is the reject reason.
    Reject(String),
    /// Known already, or not acceptable by our policy or state. Nobody is to blame.
    Ignore(String),
    /// A block or header whose parent's header is unknown.
    MissingParent,
    /// A transaction whose inputs are not known. The node keeps it, and wants these transactions from whoever sent it.
    Orphan {
        /// The transactions that it spends outputs of, each once.
        missing: Vec<Txid>,
    },
}

/// The node's chain and mempool as the network sees them.
///
/// Methods may block (disk, scripts): the network calls them on blocking threads only.
pub trait ChainAccess: Send + Sync + 'static {
    /// Hashes of the best header chain, newest first, exponentially spaced, the genesis block last.
    fn locator(&self) -> Vec<BlockHash>;

    /// At most `max` headers of the best chain after the first hash of `locator` that is in it.
    fn headers_after(&self, locator: &[BlockHash], max: usize) -> Vec<Header>;

    /// A stored block in consensus encoding, if it is known to be valid: the peer that gets it blames the
    /// one that sent it.
    fn block(&self, hash: &BlockHash) -> Option<Vec<u8>>;

    /// Whether the header is known.
    fn has_header(&self, hash: &BlockHash) -> bool;

    /// Whether the block's body is stored.
    fn has_block(&self, hash: &BlockHash) -> bool;

    /// At most `max` blocks of the best header chain whose bodies are not stored, lowest first.
    fn missing_blocks(&self, max: usize) -> Vec<BlockHash>;

    /// At most `max` blocks that are wanted as well, after those: of a chain that began with a file of coins, to
    /// validate what is below. None by default.
    fn background_blocks(&self, max: usize) -> Vec<BlockHash> {
        let _ = max;
        Vec::new()
    }

    /// The connected tip.
    fn tip(&self) -> TipSummary;

    /// Takes consecutive headers, lowest first.
    fn submit_headers(&self, headers: Vec<Header>) -> Verdict;

    /// Takes a block. Its header's proof of work has been checked against the chain's easiest target.
    fn submit_block(&self, block: Block) -> Verdict;

    /// Takes a transaction from the peer of that number ([`PeerInfo::id`](crate::PeerInfo::id); 0 for one that is not admitted
    /// yet).
    fn submit_transaction(&self, transaction: Arc<Transaction>, from: u64) -> Verdict;

    /// At most `max` ids of the mempool's transactions, parents before children.
    fn mempool_txids(&self, max: usize) -> Vec<Txid>;

    /// A transaction of the mempool.
    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>>;

    /// Whether the transaction is in the mempool, or need not be asked for otherwise.
    fn has_transaction(&self, txid: &Txid) -> bool;
}
