//! A mempool on a real chain, which mines when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pyrite_chain::{Chain, ChainConfig, Clock, Submitted};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Block, BlockHash, OutPoint, Sequence, Transaction, TxIn, TxMerkleNode, Txid, Witness, script,
    transaction,
};
use tempfile::TempDir;

use crate::testing::{open_output, open_transaction, output_of};
use crate::{MempoolConfig, MempoolError, MempoolHandle};

/// Satoshis of the subsidy of regtest's first 150 blocks.
const SUBSIDY: u64 = 5_000_000_000;

/// The present: an hour after the genesis block of regtest, so that the chain is up to date.
pub(super) const NOW: u64 = 1_296_692_202;

pub(super) struct Fixture {
    pub(super) chain: Chain,
    pub(super) mempool: MempoolHandle,
    /// Coinbases of the first blocks, oldest first.
    pub(super) coinbases: Vec<Transaction>,
    extra_nonce: AtomicU32,
    // Dropped last: the chain lives in it.
    _directory: TempDir,
}

impl Fixture {
    /// A chain in which the coinbases of the first ten blocks can be spent.
    pub(super) fn new() -> Self {
        Self::with_config(MempoolConfig::default())
    }

    pub(super) fn with_config(config: MempoolConfig) -> Self {
        Self::with_spec(ChainSpec::regtest(), config)
    }

    pub(super) fn with_spec(spec: ChainSpec, config: MempoolConfig) -> Self {
        Self::with_clock(spec, config, Clock::new(|| NOW))
    }

    pub(super) fn with_clock(spec: ChainSpec, config: MempoolConfig, clock: Clock) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spec = Arc::new(spec);
        let chain = Chain::open(ChainConfig {
            spec,
            path: directory.path().join("chain"),
            script_threads: 1,
            coins_cache_bytes: 1 << 20,
            assume_valid: None,
            clock: clock.clone(),
        })
        .unwrap();
        let mempool = MempoolHandle::new(chain.reader.clone(), clock, config);
        let mut fixture = Self {
            chain,
            mempool,
            coinbases: Vec::new(),
            extra_nonce: AtomicU32::new(0),
            _directory: directory,
        };
        for _ in 0..109 {
            let block = fixture.mine(&[]);
            fixture.coinbases.push(block.txdata[0].clone());
        }
        fixture.mempool.sync().unwrap();
        fixture
    }

    /// Another mempool of the same chain.
    pub(super) fn empty_mempool(&self, config: MempoolConfig) -> MempoolHandle {
        let clock = Clock::new(|| NOW);
        MempoolHandle::new(self.chain.reader.clone(), clock, config)
    }

    pub(super) fn tip(&self) -> BlockHash {
        self.chain.reader.tip().hash
    }

    /// A block on `parent`.
    fn build(&self, parent: BlockHash, transactions: &[Transaction]) -> Block {
        let parent = self.chain.reader.header(&parent).unwrap();
        let mut txdata = vec![self.coinbase(parent.height.0 + 1)];
        txdata.extend_from_slice(transactions);
        let header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: parent.hash,
            merkle_root: TxMerkleNode::all_zeros(),
            time: parent.header.time + 1,
            bits: parent.header.bits,
            nonce: 0,
        };
        let mut block = Block { header, txdata };
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        block
    }

    fn coinbase(&self, height: u32) -> Transaction {
        let extra_nonce = self.extra_nonce.fetch_add(1, Ordering::Relaxed);
        let script_sig = script::Builder::new()
            .push_int(height.into())
            .push_slice(extra_nonce.to_le_bytes())
            .into_script();
        Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig,
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![open_output(SUBSIDY)],
        }
    }

    /// Mines a block on the tip.
    pub(super) fn mine(&self, transactions: &[Transaction]) -> Block {
        let block = self.build(self.tip(), transactions);
        let submitted = self
            .chain
            .handle
            .submit_block(Arc::new(block.clone()))
            .unwrap();
        assert!(matches!(submitted, Submitted::NewTip));
        block
    }

    /// Makes a branch of these blocks from `parent` the best chain.
    pub(super) fn overtake(&self, parent: BlockHash, blocks: &[&[Transaction]]) {
        let mut parent = parent;
        for transactions in blocks {
            parent = self.branch(parent, transactions).block_hash();
        }
        assert_eq!(self.tip(), parent);
    }

    /// A block on `parent`, which the chain then knows.
    pub(super) fn branch(&self, parent: BlockHash, transactions: &[Transaction]) -> Block {
        let block = self.build(parent, transactions);
        let submitted = self.chain.handle.submit_block(Arc::new(block.clone()));
        submitted.unwrap();
        block
    }

    /// A transaction that spends the coinbase of block `number` + 1.
    pub(super) fn spend(&self, number: usize, fee: u64) -> Transaction {
        open_transaction(&[output_of(&self.coinbases[number], 0)], &[SUBSIDY - fee])
    }

    pub(super) fn submit(&self, tx: &Transaction) -> Result<Vec<Txid>, MempoolError> {
        self.mempool
            .submit(Arc::new(tx.clone()))
            .map(|accepted| accepted.replaced)
    }

    pub(super) fn holds(&self, tx: &Transaction) -> bool {
        self.mempool.contains(&tx.compute_txid())
    }
}

pub(super) fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.output[0].value.to_sat() - fee;
    open_transaction(&[output_of(parent, 0)], &[value])
}
