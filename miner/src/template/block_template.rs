//! A block but for its payout, extranonce, time and nonce, and how these complete it.

use std::sync::Arc;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, Script, ScriptBuf, Sequence, Transaction,
    TxIn, TxMerkleNode, TxOut, Txid, Witness, WitnessMerkleNode, Wtxid, transaction,
};
use pyrite_consensus::spec::Limits;
use pyrite_consensus::{Height, ProposedBlock, ProposedTransaction};

use super::selection::Budget;
use super::{Extranonce, TemplateOptions, coinbase_branch, root_from_branch};

/// What the coinbase says after the height and the extranonce.
const TAG: &[u8; 8] = b"/pyrite/";

/// The witness of the coinbase, which the commitment covers (BIP-0141).
const WITNESS_RESERVED_VALUE: [u8; 32] = [0; 32];

/// Start of the script of the witness commitment's output, after `OP_RETURN` and the length
/// (BIP-0141).
const COMMITMENT_HEADER: [u8; 4] = [0xaa, 0x21, 0xa9, 0xed];

/// More than the weight of header, count and coinbase without the payout script.
const COINBASE_WEIGHT_BOUND: u64 = 1_200;

/// Sigop cost kept free for the coinbase's outputs; Bitcoin Core's figure.
const RESERVED_SIGOP_COST: u64 = 400;

/// What a legacy sigop costs (BIP-0141).
const WITNESS_SCALE_FACTOR: u64 = 4;

/// From so many transactions on their two trees are hashed side by side: a thread costs as much as some hundred hashes.
const PARALLEL_FROM: usize = 1_000;

/// A transaction of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateTransaction {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with its witness.
    pub wtxid: Wtxid,
    /// Its fee.
    pub fee: Amount,
    /// Its weight (BIP-0141).
    pub weight: u64,
    /// Its sigop cost (BIP-0141).
    pub sigop_cost: u64,
    /// Positions in [`Template::transactions`] of the transactions that it spends, from 0 and in
    /// order (`depends` of BIP-0022 counts from 1).
    pub depends: Vec<usize>,
}

/// A block to be solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The block's height.
    pub height: Height,
    /// Its parent.
    pub previous: BlockHash,
    /// Its header's version.
    pub version: i32,
    /// Its header's target.
    pub bits: CompactTarget,
    /// A time for its header that was right when the template was built, Unix seconds.
    pub time: u32,
    /// The earliest time that its header may have: the parent's median time past and one second; later at
    /// the start of a retarget's interval, or for bits of the least difficulty.
    pub min_time: u32,
    /// The latest time that its header may have with these bits, where the chain has blocks of the least
    /// difficulty: later ones need another template.
    pub max_time: Option<u32>,
    /// What the coinbase pays: subsidy and fees.
    pub coinbase_value: Amount,
    /// To whom.
    pub payout: ScriptBuf,
    /// The transactions after the coinbase, parents before children.
    pub transactions: Arc<[TemplateTransaction]>,
    /// The mempool's sequence number when it had these transactions; `None` if the mempool was not asked, because it
    /// had not followed to the parent yet.
    pub mempool_sequence: Option<u64>,
    /// The script of the coinbase output that commits to the witnesses, once segwit is active.
    pub witness_commitment: Option<ScriptBuf>,
    /// Nodes of the merkle tree beside the way from the coinbase to the root, the lowest first.
    pub merkle_branch: Vec<TxMerkleNode>,
    /// Fees of all transactions.
    pub total_fees: Amount,
    /// Weight of the transactions and the reserve for header and coinbase.
    pub weight: u64,
    /// Sigop cost of the transactions and the reserve for the coinbase.
    pub sigop_cost: u64,
    subsidy: Amount,
    bounds: Bounds,
    /// So many transactions at the start are likely to be the start of the next template, too.
    pub(super) settled: usize,
}

/// What of a template does not depend on payout and transactions.
pub(super) struct Frame {
    pub(super) height: Height,
    pub(super) previous: BlockHash,
    pub(super) version: i32,
    pub(super) bits: CompactTarget,
    pub(super) time: u32,
    pub(super) min_time: u32,
    pub(super) max_time: Option<u32>,
    pub(super) subsidy: Amount,
    pub(super) bounds: Bounds,
    pub(super) segwit: Segwit,
}

/// What a block may weigh and cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    max_weight: u64,
    max_sigop_cost: u64,
    reserved_weight: u64,
}

/// Whether segwit is active at the block's height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segwit {
    Active,
    Inactive,
}

impl Template {
    pub(super) fn assemble(
        frame: Frame,
        payout: &Script,
        transactions: Arc<[TemplateTransaction]>,
    ) -> Self {
        let mut template = Self {
            height: frame.height,
            previous: frame.previous,
            version: frame.version,
            bits: frame.bits,
            time: frame.time,
            min_time: frame.min_time,
            max_time: frame.max_time,
            coinbase_value: frame.subsidy,
            payout: payout.to_owned(),
            transactions,
            mempool_sequence: None,
            witness_commitment: (frame.segwit == Segwit::Active).then(ScriptBuf::new),
            merkle_branch: Vec::new(),
            total_fees: Amount::ZERO,
            weight: 0,
            sigop_cost: 0,
            subsidy: frame.subsidy,
            bounds: frame.bounds,
            settled: 0,
        };
        template.measure();
        template.commit();
        template
    }

    /// The same block paid to somebody else. Only the coinbase changes, unless the script is so
    /// large that transactions have to give way to it.
    #[must_use]
    pub fn with_payout(&self, payout: &Script) -> Self {
        let mut template = self.clone();
        template.payout = payout.to_owned();
        let count = template.fitting();
        if count < self.transactions.len() {
            template.transactions = self.transactions[..count].into();
            template.settled = template.settled.min(count);
            template.commit();
        }
        template.measure();
        template
    }

    /// How many transactions from the first on have room beside the coinbase.
    fn fitting(&self) -> usize {
        let mut weight = self.bounds.reserved_weight(&self.payout);
        let mut sigop_cost = reserved_sigop_cost(&self.payout);
        let fits = |entry: &&TemplateTransaction| {
            weight = weight.saturating_add(entry.weight);
            sigop_cost = sigop_cost.saturating_add(entry.sigop_cost);
            weight <= self.bounds.max_weight && sigop_cost <= self.bounds.max_sigop_cost
        };
        self.transactions.iter().take_while(fits).count()
    }

    /// The same template, with the sequence number of the mempool that it was built from.
    #[must_use]
    pub fn at_sequence(mut self, mempool_sequence: u64) -> Self {
        self.mempool_sequence = Some(mempool_sequence);
        self
    }

    /// The coinbase with this extranonce.
    ///
    /// Its input script starts with the height (BIP-0034); its lock time and sequence make it unlike
    /// any coinbase of another height (BIP-0054).
    pub fn coinbase(&self, extranonce: impl Into<Extranonce>) -> Transaction {
        let script_sig = Builder::new()
            .push_int(i64::from(self.height.0))
            .push_slice(extranonce.into().as_bytes())
            .push_slice(TAG)
            .into_script();
        let payout = TxOut {
            value: self.coinbase_value,
            script_pubkey: self.payout.clone(),
        };
        let commitment = self.witness_commitment.clone().map(|script_pubkey| TxOut {
            value: Amount::ZERO,
            script_pubkey,
        });
        let witness = match commitment {
            Some(_) => Witness::from_slice(&[WITNESS_RESERVED_VALUE]),
            None => Witness::new(),
        };
        let parent_height = self.height.previous().unwrap_or(Height::GENESIS);
        Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::from_height(parent_height.0).unwrap_or(LockTime::ZERO),
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig,
                sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
                witness,
            }],
            output: std::iter::once(payout).chain(commitment).collect(),
        }
    }

    /// The header with this extranonce; costs one hash per level of the merkle tree.
    pub fn header(&self, extranonce: impl Into<Extranonce>, time: u32, nonce: u32) -> Header {
        self.header_over(&self.coinbase(extranonce), time, nonce)
    }

    /// The whole block.
    pub fn block(&self, extranonce: impl Into<Extranonce>, time: u32, nonce: u32) -> Block {
        let coinbase = self.coinbase(extranonce);
        let header = self.header_over(&coinbase, time, nonce);
        let others = self
            .transactions
            .iter()
            .map(|entry| entry.tx.as_ref().clone());
        Block {
            header,
            txdata: std::iter::once(coinbase).chain(others).collect(),
        }
    }

    /// The block as the rules look at it before it is mined: with this extranonce, and no proof of work.
    pub fn proposal(&self, extranonce: impl Into<Extranonce>) -> ProposedBlock {
        let coinbase = self.coinbase(extranonce);
        let header = self.header_over(&coinbase, self.time, 0);
        let others = self.transactions.iter().map(|entry| ProposedTransaction {
            tx: Arc::clone(&entry.tx),
            txid: entry.txid,
            wtxid: entry.wtxid,
        });
        ProposedBlock::new(
            header,
            std::iter::once(ProposedTransaction::new(coinbase)).chain(others),
        )
        .with_settled(self.settled)
    }

    /// The time for a header that is made at `now` (Unix seconds): within `min_time` and `max_time`.
    pub fn time_at(&self, now: u64) -> u32 {
        u32::try_from(now)
            .unwrap_or(u32::MAX)
            .min(self.max_time.unwrap_or(u32::MAX))
            .max(self.min_time)
    }

    /// Whether the bits are out of date at `now` (Unix seconds): a new template has easier ones.
    pub fn is_outdated(&self, now: u64) -> bool {
        self.max_time.is_some_and(|latest| now > u64::from(latest))
    }

    fn header_over(&self, coinbase: &Transaction, time: u32, nonce: u32) -> Header {
        Header {
            version: Version::from_consensus(self.version),
            prev_blockhash: self.previous,
            merkle_root: root_from_branch(coinbase.compute_txid(), &self.merkle_branch),
            time,
            bits: self.bits,
            nonce,
        }
    }

    /// Those that are likely to be the start of the next template, too.
    pub(super) fn settled_transactions(&self) -> &[TemplateTransaction] {
        &self.transactions[..self.settled]
    }

    /// Sums up fees, weight and sigops.
    fn measure(&mut self) {
        let fees = self.transactions.iter().map(|entry| entry.fee.to_sat());
        // Fees of coins that exist are far below 2^64; a sum of made-up ones stays an invalid value.
        self.total_fees = Amount::from_sat(fees.fold(0, u64::saturating_add));
        self.coinbase_value = self
            .subsidy
            .checked_add(self.total_fees)
            .unwrap_or(self.total_fees);
        self.weight = self.transactions.iter().map(|entry| entry.weight).fold(
            self.bounds.reserved_weight(&self.payout),
            u64::saturating_add,
        );
        self.sigop_cost = self
            .transactions
            .iter()
            .map(|entry| entry.sigop_cost)
            .fold(reserved_sigop_cost(&self.payout), u64::saturating_add);
    }

    pub(super) fn exceeds_bounds(&self) -> bool {
        self.weight > self.bounds.max_weight || self.sigop_cost > self.bounds.max_sigop_cost
    }

    /// Computes what commits to the transactions: the coinbase's merkle branch and, with segwit, the
    /// witness commitment.
    fn commit(&mut self) {
        let branch = |transactions: &[TemplateTransaction]| {
            coinbase_branch(transactions.iter().map(|entry| entry.txid))
        };
        let transactions = &self.transactions;
        let Some(script) = &mut self.witness_commitment else {
            self.merkle_branch = branch(transactions);
            return;
        };
        if transactions.len() < PARALLEL_FROM {
            self.merkle_branch = branch(transactions);
            *script = witness_commitment(transactions);
            return;
        }
        std::thread::scope(|scope| {
            scope.spawn(|| *script = witness_commitment(transactions));
            self.merkle_branch = branch(transactions);
        });
    }
}

impl Bounds {
    pub(super) fn new(limits: &Limits, options: &TemplateOptions) -> Self {
        Self {
            max_weight: options.max_weight.min(limits.max_block_weight),
            max_sigop_cost: limits.max_block_sigop_cost,
            reserved_weight: options.reserved_weight,
        }
    }

    /// The bounds that another node tells. It keeps no room for a coinbase but for its own.
    pub(super) fn of_offer(max_weight: u64, max_sigop_cost: u64) -> Self {
        Self {
            max_weight,
            max_sigop_cost,
            reserved_weight: 0,
        }
    }

    /// The room for transactions beside a coinbase that pays this script.
    pub(super) fn budget(&self, payout: &Script) -> Budget {
        Budget {
            weight: self.max_weight.saturating_sub(self.reserved_weight(payout)),
            sigop_cost: self
                .max_sigop_cost
                .saturating_sub(reserved_sigop_cost(payout)),
        }
    }

    /// Weight to keep free for header, count and coinbase.
    fn reserved_weight(&self, payout: &Script) -> u64 {
        let script_weight = script_len(payout).saturating_mul(WITNESS_SCALE_FACTOR);
        self.reserved_weight
            .max(script_weight.saturating_add(COINBASE_WEIGHT_BOUND))
    }
}

/// Sigop cost to keep free for the coinbase.
fn reserved_sigop_cost(payout: &Script) -> u64 {
    let sigops = u64::try_from(payout.count_sigops_legacy()).unwrap_or(u64::MAX);
    RESERVED_SIGOP_COST.max(sigops.saturating_mul(WITNESS_SCALE_FACTOR))
}

fn script_len(script: &Script) -> u64 {
    u64::try_from(script.len()).unwrap_or(u64::MAX)
}

/// The script that commits to the witnesses (BIP-0141). The coinbase's own wtxid counts as zeros.
fn witness_commitment(transactions: &[TemplateTransaction]) -> ScriptBuf {
    // A wtxid is hashed as a txid is, so the same tree code serves.
    let wtxids = transactions
        .iter()
        .map(|entry| Txid::from_raw_hash(entry.wtxid.to_raw_hash()));
    let root = root_from_branch(Txid::all_zeros(), &coinbase_branch(wtxids));
    let commitment = Block::compute_witness_commitment(
        &WitnessMerkleNode::from_raw_hash(root.to_raw_hash()),
        &WITNESS_RESERVED_VALUE,
    );
    let mut data = [0; 36];
    data[..4].copy_from_slice(&COMMITMENT_HEADER);
    data[4..].copy_from_slice(commitment.as_byte_array());
    ScriptBuf::new_op_return(data)
}
