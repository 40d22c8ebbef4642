//! Builds blocks for regtest, and opens chains in fresh directories.
// Every test file compiles this module for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyrite_chain::{Chain, ChainConfig, ChainReader, Clock, SubmitError, Submitted};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::opcodes::all::{OP_PUSHNUM_1, OP_VERIFY};
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn,
    TxMerkleNode, TxOut, Witness, transaction,
};
use pyrite_consensus::{ChainSpec, Coin, Height};
use pyrite_storage::schema::{Coins, Meta, SecondCoins};
use pyrite_storage::{CHAIN_SCHEMA, Database, MetaKey, MetaValue};
use tempfile::TempDir;

/// A fee that a transaction here pays, or a part of one.
pub const FEE: Amount = Amount::from_sat(1_000);

/// A block to build on.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    pub hash: BlockHash,
    pub height: Height,
    pub time: u32,
}

impl Parent {
    pub fn genesis(spec: &ChainSpec) -> Self {
        let header = spec.genesis_block().header;
        Self {
            hash: header.block_hash(),
            height: Height::GENESIS,
            time: header.time,
        }
    }

    pub fn at(reader: &ChainReader, hash: &BlockHash) -> Self {
        let info = reader.header(hash).expect("the parent is known");
        Self {
            hash: info.hash,
            height: info.height,
            time: info.header.time,
        }
    }

    pub fn tip(reader: &ChainReader) -> Self {
        Self::at(reader, &reader.tip().hash)
    }
}

/// A script that anybody can spend, with nothing.
pub fn anyone() -> ScriptBuf {
    Builder::new().push_opcode(OP_PUSHNUM_1).into_script()
}

/// A script that nobody can spend, though that takes an evaluation to find out.
pub fn nobody() -> ScriptBuf {
    Builder::new()
        .push_int(0)
        .push_opcode(OP_VERIFY)
        .into_script()
}

/// A valid block, but for what is wrong with `transactions`. The `tag` makes it differ from others
/// on the same parent.
pub fn block_with(
    spec: &ChainSpec,
    parent: &Parent,
    tag: u32,
    transactions: Vec<Transaction>,
    fees: Amount,
) -> Block {
    let height = parent.height.next();
    let mut txdata = vec![coinbase(height, tag, spec.subsidy(height) + fees)];
    txdata.extend(transactions);
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.hash,
        merkle_root: TxMerkleNode::all_zeros(),
        time: parent.time + 60,
        bits: spec.genesis.bits,
        nonce: 0,
    };
    let mut block = Block { header, txdata };
    seal(&mut block);
    block
}

/// A valid block without transactions.
pub fn block_on(spec: &ChainSpec, parent: &Parent, tag: u32) -> Block {
    block_with(spec, parent, tag, Vec::new(), Amount::ZERO)
}

/// Sets the merkle root and finds a nonce.
pub fn seal(block: &mut Block) {
    block.header.merkle_root = block
        .compute_merkle_root()
        .expect("the block has transactions");
    let target = Target::from_compact(block.header.bits);
    while !target.is_met_by(block.header.block_hash()) {
        block.header.nonce += 1;
    }
}

fn coinbase(height: Height, tag: u32, value: Amount) -> Transaction {
    let script_sig = Builder::new()
        .push_int(i64::from(height.0))
        .push_slice(tag.to_le_bytes())
        .into_script();
    Transaction {
        version: transaction::Version::ONE,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut {
            value,
            script_pubkey: anyone(),
        }],
    }
}

/// Spends `anyone`'s outputs to new outputs.
pub fn spend(outpoints: &[OutPoint], outputs: Vec<TxOut>) -> Transaction {
    let input = |outpoint: &OutPoint| TxIn {
        previous_output: *outpoint,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: outpoints.iter().map(input).collect(),
        output: outputs,
    }
}

pub fn output(value: Amount) -> TxOut {
    TxOut {
        value,
        script_pubkey: anyone(),
    }
}

/// The output of a block's coinbase.
pub fn coinbase_outpoint(block: &Block) -> OutPoint {
    OutPoint {
        txid: block.txdata[0].compute_txid(),
        vout: 0,
    }
}

/// A chain whose present is a week after its genesis block, whenever the test runs; the blocks' times
/// grow by a minute.
pub fn config(spec: &Arc<ChainSpec>, path: &Path) -> ChainConfig {
    config_at(spec, path, u64::from(spec.genesis.time) + 7 * 24 * 3600)
}

fn config_at(spec: &Arc<ChainSpec>, path: &Path, now: u64) -> ChainConfig {
    ChainConfig {
        spec: Arc::clone(spec),
        path: path.to_owned(),
        script_threads: 2,
        coins_cache_bytes: 1 << 20,
        assume_valid: None,
        clock: Clock::new(move || now),
    }
}

/// A chain in a directory of its own.
pub struct Fixture {
    pub spec: Arc<ChainSpec>,
    pub chain: Option<Chain>,
    pub directory: TempDir,
    now: u64,
}

impl Fixture {
    pub fn new() -> Self {
        Self::of(ChainSpec::regtest())
    }

    pub fn of(spec: ChainSpec) -> Self {
        let now = u64::from(spec.genesis.time) + 7 * 24 * 3600;
        Self::at(spec, now)
    }

    /// A chain whose present is `now`, in Unix seconds.
    pub fn at(spec: ChainSpec, now: u64) -> Self {
        let mut fixture = Self {
            spec: Arc::new(spec),
            chain: None,
            directory: tempfile::tempdir().expect("makes a directory"),
            now,
        };
        fixture.open();
        fixture
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("db")
    }

    pub fn open(&mut self) {
        let config = config_at(&self.spec, &self.path(), self.now);
        self.chain = Some(Chain::open(config).expect("opens"));
    }

    /// Shuts down cleanly.
    pub fn close(&mut self) {
        self.chain
            .take()
            .expect("is open")
            .shutdown()
            .expect("shuts down");
    }

    pub fn chain(&self) -> &Chain {
        self.chain.as_ref().expect("is open")
    }

    pub fn reader(&self) -> &ChainReader {
        &self.chain().reader
    }

    pub fn genesis(&self) -> Parent {
        Parent::genesis(&self.spec)
    }

    pub fn submit(&self, block: &Block) -> Submitted {
        self.chain()
            .handle
            .submit_block(Arc::new(block.clone()))
            .expect("the block is valid")
    }

    /// Blocks without transactions on `parent`.
    pub fn branch(&self, parent: &Parent, length: u32, tag: u32) -> Vec<Block> {
        branch(&self.spec, parent, length, tag)
    }

    /// Submits blocks that each become the tip.
    pub fn extend(&self, blocks: &[Block]) {
        for block in blocks {
            assert_eq!(self.submit(block), Submitted::NewTip);
        }
    }

    pub fn tip_hash(&self) -> BlockHash {
        self.reader().tip().hash
    }

    /// The blocks of the best chain after the genesis block.
    pub fn best_chain(&self) -> Vec<Block> {
        let reader = self.reader();
        (1..=reader.tip().height.0)
            .map(|height| {
                let hash = reader
                    .hash_at(Height(height))
                    .expect("is in the best chain");
                reader.block(&hash).expect("reads").expect("is stored")
            })
            .collect()
    }

    /// Closes the chain and returns all coins.
    pub fn close_and_dump(&mut self) -> BTreeMap<OutPoint, Coin> {
        self.close();
        dump(&self.spec, &self.path())
    }

    /// Closes the chain and checks that its coins are those of a new chain that got the blocks of
    /// the best chain alone, in their order.
    pub fn assert_coins_equal_a_replay(&mut self) {
        let blocks = self.best_chain();
        let coins = self.close_and_dump();
        let mut replay = Self::of((*self.spec).clone());
        replay.extend(&blocks);
        assert_eq!(coins, replay.close_and_dump());
    }
}

/// Blocks without transactions on `parent`.
pub fn branch(spec: &ChainSpec, parent: &Parent, length: u32, tag: u32) -> Vec<Block> {
    let mut parent = *parent;
    (0..length)
        .map(|_| {
            let block = block_on(spec, &parent, tag);
            parent = after(&parent, &block);
            block
        })
        .collect()
}

/// What to build on a block that was built on `parent`.
pub fn after(parent: &Parent, block: &Block) -> Parent {
    assert_eq!(block.header.prev_blockhash, parent.hash);
    Parent {
        hash: block.block_hash(),
        height: parent.height.next(),
        time: block.header.time,
    }
}

/// What to build on the last of blocks that were built on `parent`.
pub fn end(parent: &Parent, blocks: &[Block]) -> Parent {
    blocks
        .iter()
        .fold(*parent, |parent, block| after(&parent, block))
}

/// All coins of a closed chain.
pub fn dump(spec: &ChainSpec, path: &Path) -> BTreeMap<OutPoint, Coin> {
    let database =
        Database::open(path, &CHAIN_SCHEMA, &spec.name, spec.genesis_hash()).expect("opens");
    let table = database.get::<Meta>(&MetaKey::CoinsTable).expect("reads");
    if table == Some(MetaValue::Number(1)) {
        let coins = database.scan::<SecondCoins>();
        return coins.collect::<Result<_, _>>().expect("reads");
    }
    database
        .scan::<Coins>()
        .collect::<Result<_, _>>()
        .expect("reads")
}

pub fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("makes a directory");
    for entry in std::fs::read_dir(from).expect("is a directory") {
        let path = entry.expect("is readable").path();
        std::fs::copy(&path, to.join(path.file_name().expect("has a name"))).expect("copies");
    }
}

pub fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .expect("is a directory")
        .map(|entry| entry.expect("is readable").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}

/// A chain whose first coinbases are mature, and its blocks.
pub fn mature_chain() -> (Fixture, Vec<Block>, Parent) {
    let fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 110, 0);
    fixture.extend(&blocks);
    let tip = Parent::tip(fixture.reader());
    (fixture, blocks, tip)
}

/// Submits a block that must be refused.
pub fn submit_error(fixture: &Fixture, block: &Block) -> SubmitError {
    let result = fixture.chain().handle.submit_block(Arc::new(block.clone()));
    result.expect_err("the block is refused")
}
