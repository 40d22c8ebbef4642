//! Block rules that need no coins: by itself, and in its chain.

mod contents;
mod hashed;
mod proposed;

use bitcoin::block::Header;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Transaction, TxMerkleNode, VarInt, script};

use crate::transaction::{
    WITNESS_SCALE_FACTOR, check_lock_time, check_transaction, legacy_sigop_cost,
};
use crate::{BlockError, ChainSpec, HeaderChain, Height, TransactionError};

pub use contents::BlockContents;
pub use hashed::HashedBlock;
pub use proposed::{ProposedBlock, ProposedTransaction};

/// How an output's script begins that commits to the block's witnesses (BIP-0141): `OP_RETURN`, a
/// push of 36 bytes, and four fixed ones; the hash of 32 bytes follows.
const COMMITMENT_PREFIX: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// The size of two hashes, side by side, in the merkle tree.
const MERKLE_NODE_SIZE: usize = 64;

/// Where a block stands: the chain that its parent ends.
#[derive(Clone, Copy)]
pub struct BlockContext<'a> {
    /// The block's own height.
    pub height: Height,
    /// Median time past of its parent.
    pub median_time_past: u32,
    /// The chain from the genesis block to its parent.
    pub parent: &'a dyn HeaderChain,
}

impl<'a> BlockContext<'a> {
    /// The context of a block whose parent ends `parent`.
    pub fn new(parent: &'a dyn HeaderChain) -> Self {
        let tip = parent.tip_height();
        Self {
            height: tip.next(),
            median_time_past: crate::median_time_past(parent, tip),
            parent,
        }
    }

    /// What lock times are compared with in a block whose header has `block_time`: the median time
    /// past once BIP-0113 applies, the block's own time before.
    #[must_use]
    pub fn lock_time_cutoff(&self, spec: &ChainSpec, block_time: u32) -> u32 {
        if self.height.0 >= spec.deployments.csv {
            self.median_time_past
        } else {
            block_time
        }
    }
}

/// Checks a block by itself: merkle root (and CVE-2012-2459), size, coinbase position, every
/// transaction by itself, legacy sigops. The header's proof of work is `check_header`'s.
///
/// # Errors
/// The first rule that it breaks, in the order of Bitcoin Core's `CheckBlock`.
pub fn check_block(spec: &ChainSpec, block: &impl BlockContents) -> Result<(), BlockError> {
    check_merkle_root(block)?;
    check_body(spec, block, BodyFigures::of(block))
}

/// What [`check_block`] checks after the merkle root. `body` are the figures of all the block's transactions.
pub(crate) fn check_body(
    spec: &ChainSpec,
    block: &impl BlockContents,
    body: BodyFigures,
) -> Result<(), BlockError> {
    check_base_size(spec, block, &body)?;
    check_coinbase_position(block, &body)?;
    check_transactions(block, body.unsound)?;
    check_legacy_sigops(spec, body.legacy_sigop_cost)
}

/// Checks a block in its chain: finality of transactions (BIP-0113), BIP-0034 height, witness
/// commitment (BIP-0141), weight.
///
/// # Errors
/// The first rule that it breaks, in the order of Bitcoin Core's `ContextualCheckBlock`.
pub fn check_block_in_chain(
    spec: &ChainSpec,
    block: &impl BlockContents,
    context: &BlockContext<'_>,
) -> Result<(), BlockError> {
    let cutoff = context.lock_time_cutoff(spec, block.header().time);
    let mut weight = 0;
    for (index, transaction) in block.body().enumerate() {
        check_lock_time(transaction, context.height, cutoff)
            .map_err(in_block(index, transaction))?;
        weight += transaction.weight().to_wu();
    }
    check_final_body(spec, block, context, weight)
}

/// What [`check_block_in_chain`] checks after the lock times. `weight` is that of all the block's transactions.
pub(crate) fn check_final_body(
    spec: &ChainSpec,
    block: &impl BlockContents,
    context: &BlockContext<'_>,
    weight: u64,
) -> Result<(), BlockError> {
    check_coinbase_height(spec, block, context.height)?;
    check_witnesses(spec, block, context.height)?;
    let rest = u64::try_from(size_without_transactions(block)).unwrap_or(u64::MAX);
    check_weight(spec, weight + WITNESS_SCALE_FACTOR * rest)
}

/// Puts a transaction's error into its place in the block.
pub(crate) fn in_block(
    index: usize,
    transaction: &Transaction,
) -> impl FnOnce(TransactionError) -> BlockError {
    move |error| BlockError::Transaction {
        index,
        txid: transaction.compute_txid(),
        error,
    }
}

pub(crate) fn check_merkle_root(block: &impl BlockContents) -> Result<(), BlockError> {
    let txids = block.txids().iter().map(|txid| txid.to_raw_hash());
    let (computed, tree) = merkle_root(txids.collect());
    let computed = TxMerkleNode::from_raw_hash(computed);
    let expected = block.header().merkle_root;
    if computed != expected {
        return Err(BlockError::MerkleRoot { expected, computed });
    }
    match tree {
        Tree::Unambiguous => Ok(()),
        Tree::Ambiguous => Err(BlockError::RepeatedTransactions),
    }
}

/// What the rules on a block by itself ask of all its transactions: gathered in one walk, because they lie far apart in
/// memory.
#[derive(Default)]
pub(crate) struct BodyFigures {
    /// Bytes without witnesses.
    pub(crate) base_size: usize,
    pub(crate) legacy_sigop_cost: u64,
    /// The first transaction after the first one that is a coinbase.
    second_coinbase: Option<usize>,
    /// The first transaction that breaks a rule by itself.
    unsound: Option<(usize, TransactionError)>,
}

impl BodyFigures {
    fn of(block: &impl BlockContents) -> Self {
        let mut figures = Self::default();
        for (index, transaction) in block.body().enumerate() {
            figures.add(index, transaction);
        }
        figures
    }

    /// Those of sound transactions, none of them a coinbase.
    pub(crate) fn starting_with(base_size: usize, legacy_sigop_cost: u64) -> Self {
        Self {
            base_size,
            legacy_sigop_cost,
            ..Self::default()
        }
    }

    /// Adds the next transaction.
    pub(crate) fn add(&mut self, index: usize, transaction: &Transaction) {
        self.base_size += transaction.base_size();
        self.legacy_sigop_cost += legacy_sigop_cost(transaction);
        if index > 0 && self.second_coinbase.is_none() && transaction.is_coinbase() {
            self.second_coinbase = Some(index);
        }
        if self.unsound.is_none() {
            let outcome = check_transaction(transaction);
            self.unsound = outcome.err().map(|error| (index, error));
        }
    }
}

fn check_base_size(
    spec: &ChainSpec,
    block: &impl BlockContents,
    body: &BodyFigures,
) -> Result<(), BlockError> {
    let transactions = block.txids().len();
    let size = size_without_transactions(block) + body.base_size;
    // Every transaction has bytes, so this limits their number as well.
    let limit = usize::try_from(spec.limits.max_block_weight / WITNESS_SCALE_FACTOR);
    if transactions == 0 || limit.is_ok_and(|limit| size > limit) {
        return Err(BlockError::Length { transactions, size });
    }
    Ok(())
}

fn check_coinbase_position(
    block: &impl BlockContents,
    body: &BodyFigures,
) -> Result<(), BlockError> {
    if !coinbase(block).is_some_and(Transaction::is_coinbase) {
        // An inner row of the merkle tree, read as a list of transactions of 64 bytes each, has the
        // root of the tree. Nobody can find a tree whose row begins with what reads as a coinbase,
        // but other transactions can be found (Bitcoin Core's `IsBlockMutated`).
        let node = block.body().find(|tx| tx.base_size() == MERKLE_NODE_SIZE);
        return Err(match node {
            Some(tx) => BlockError::MerkleNodeAsTransaction {
                txid: tx.compute_txid(),
            },
            None => BlockError::CoinbaseMissing,
        });
    }
    match body.second_coinbase {
        Some(index) => Err(BlockError::CoinbaseMultiple { index }),
        None => Ok(()),
    }
}

fn check_transactions(
    block: &impl BlockContents,
    unsound: Option<(usize, TransactionError)>,
) -> Result<(), BlockError> {
    let unsound = unsound.and_then(|(index, error)| {
        let transaction = block.body().nth(index)?;
        Some(in_block(index, transaction)(error))
    });
    unsound.map_or(Ok(()), Err)
}

fn check_legacy_sigops(spec: &ChainSpec, cost: u64) -> Result<(), BlockError> {
    let limit = spec.limits.max_block_sigop_cost;
    if cost > limit {
        return Err(BlockError::SigopCost { cost, limit });
    }
    Ok(())
}

/// The height in front of the coinbase's script (BIP-0034).
fn check_coinbase_height(
    spec: &ChainSpec,
    block: &impl BlockContents,
    height: Height,
) -> Result<(), BlockError> {
    if height.0 < spec.deployments.bip34 {
        return Ok(());
    }
    let expected = script::Builder::new()
        .push_int(i64::from(height.0))
        .into_script();
    let begins_with_height = coinbase(block)
        .and_then(|coinbase| coinbase.input.first())
        .is_some_and(|input| input.script_sig.as_bytes().starts_with(expected.as_bytes()));
    if begins_with_height {
        Ok(())
    } else {
        Err(BlockError::CoinbaseHeight { height })
    }
}

/// The commitment to the witnesses (BIP-0141); without one, no witness is allowed.
fn check_witnesses(
    spec: &ChainSpec,
    block: &impl BlockContents,
    height: Height,
) -> Result<(), BlockError> {
    if height.0 >= spec.deployments.segwit
        && let Some(commitment) = coinbase(block).and_then(witness_commitment)
    {
        return check_witness_commitment(block, commitment);
    }
    for (index, tx) in block.body().enumerate() {
        if tx.input.iter().any(|input| !input.witness.is_empty()) {
            return Err(BlockError::UnexpectedWitness {
                index,
                txid: tx.compute_txid(),
            });
        }
    }
    Ok(())
}

fn check_witness_commitment(
    block: &impl BlockContents,
    commitment: &[u8; 32],
) -> Result<(), BlockError> {
    let nonce = coinbase(block)
        .and_then(|coinbase| coinbase.input.first())
        .filter(|input| input.witness.len() == 1)
        .and_then(|input| input.witness.nth(0))
        .and_then(|nonce| <&[u8; 32]>::try_from(nonce).ok())
        .ok_or(BlockError::WitnessNonceSize)?;
    // The coinbase holds the commitment, so its own place in the tree is zero.
    let others = block.wtxids()[1..].iter().map(|wtxid| wtxid.to_raw_hash());
    let wtxids = std::iter::once(sha256d::Hash::all_zeros())
        .chain(others)
        .collect();
    // A tree that is ambiguous here is so in the transactions' merkle tree, too.
    let (root, _) = merkle_root(wtxids);
    let computed = hash_pair(root.as_byte_array(), nonce);
    if computed.as_byte_array() == commitment {
        Ok(())
    } else {
        Err(BlockError::WitnessCommitment)
    }
}

fn check_weight(spec: &ChainSpec, weight: u64) -> Result<(), BlockError> {
    let limit = spec.limits.max_block_weight;
    if weight > limit {
        return Err(BlockError::Weight { weight, limit });
    }
    Ok(())
}

fn coinbase(block: &impl BlockContents) -> Option<&Transaction> {
    block.body().next()
}

/// The hash in the last output that is a commitment to the witnesses (Bitcoin Core's
/// `GetWitnessCommitmentIndex`). More bytes may follow it.
fn witness_commitment(coinbase: &Transaction) -> Option<&[u8; 32]> {
    coinbase.output.iter().rev().find_map(|output| {
        output
            .script_pubkey
            .as_bytes()
            .strip_prefix(&COMMITMENT_PREFIX)?
            .first_chunk()
    })
}

fn size_without_transactions(block: &impl BlockContents) -> usize {
    Header::SIZE + VarInt::from(block.txids().len()).size()
}

/// Whether other lists of leaves have the same merkle root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tree {
    Unambiguous,
    /// Two equal nodes are a pair: the list is that of a valid tree with its end repeated.
    Ambiguous,
}

/// The root of a merkle tree. A row with an odd number of nodes pairs its last one with itself.
fn merkle_root(mut row: Vec<sha256d::Hash>) -> (sha256d::Hash, Tree) {
    let mut tree = Tree::Unambiguous;
    while row.len() > 1 {
        if row.chunks_exact(2).any(|pair| pair[0] == pair[1]) {
            tree = Tree::Ambiguous;
        }
        let parents = row.len().div_ceil(2);
        for parent in 0..parents {
            let left = row[2 * parent];
            let right = row.get(2 * parent + 1).copied().unwrap_or(left);
            row[parent] = hash_pair(left.as_byte_array(), right.as_byte_array());
        }
        row.truncate(parents);
    }
    (
        row.first()
            .copied()
            .unwrap_or_else(sha256d::Hash::all_zeros),
        tree,
    )
}

fn hash_pair(left: &[u8; 32], right: &[u8; 32]) -> sha256d::Hash {
    let mut node = [0; MERKLE_NODE_SIZE];
    node[..32].copy_from_slice(left);
    node[32..].copy_from_slice(right);
    sha256d::Hash::hash(&node)
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
