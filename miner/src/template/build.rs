//! Builds a template: pure, from what the caller read.

use std::sync::Arc;

use pyrite_consensus::bitcoin::{Amount, BlockHash, Script, Transaction, Txid, Wtxid};
use pyrite_consensus::transaction::check_transaction_in_chain;
use pyrite_consensus::{BlockContext, ChainSpec, HeaderChain, earliest_time, pow};

use super::arrangement::arrange;
use super::block_template::{Bounds, Frame, Segwit, Template};
use super::selection::select;

/// The version of every header: no bit of BIP-0009 signals anything.
const HEADER_VERSION: i32 = 0x2000_0000;

/// A transaction that could go into the block.
#[derive(Clone, Debug)]
pub struct Candidate {
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
    /// Whether it spends no other candidate, and none spends it.
    pub is_alone: bool,
}

/// Transactions that go into the block together, or not at all.
#[derive(Clone, Debug)]
pub struct CandidateChunk {
    /// Their fees as the operator wants them to count, in satoshi: what ranks the chunk.
    pub fee: i64,
    /// Their weight as it counts for the rate: sigop-adjusted.
    pub weight: u64,
    /// The transactions, parents before their children.
    pub transactions: Vec<Candidate>,
}

/// The block that a template is built on.
#[derive(Clone, Copy)]
pub struct TemplateTip<'a> {
    /// The chain up to it.
    pub parent: &'a dyn HeaderChain,
    /// Its hash.
    pub hash: BlockHash,
}

/// What a miner may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateOptions {
    /// The most that a block weighs; the chain's own limit where that is lower.
    pub max_weight: u64,
    /// What of it is kept free for the header, the count of transactions and the coinbase.
    pub reserved_weight: u64,
    /// Chunks that pay less than this, in satoshi per 1,000 virtual bytes, stay out.
    pub min_fee_rate_sat_per_kvb: u64,
}

impl TemplateOptions {
    /// The least [`reserved_weight`](Self::reserved_weight), Bitcoin Core's figure.
    pub const MIN_RESERVED_WEIGHT: u64 = 2_000;
}

impl Default for TemplateOptions {
    /// Bitcoin Core's defaults.
    fn default() -> Self {
        Self {
            max_weight: 4_000_000,
            reserved_weight: 8_000,
            min_fee_rate_sat_per_kvb: 1,
        }
    }
}

/// Builds a template on `tip` with the default options; see [`build_template_with`].
pub fn build_template(
    spec: &ChainSpec,
    tip: &TemplateTip<'_>,
    chunks: &[CandidateChunk],
    payout: &Script,
    now: u64,
) -> Template {
    let options = TemplateOptions::default();
    build_template_with(spec, tip, chunks, payout, now, &options, None)
}

/// Builds a template on `tip` that pays to `payout`, at the time `now` (Unix seconds).
///
/// `chunks` come by falling fee rate, and what a chunk's transactions spend is in it, in one before it or confirmed.
/// Takes those that fit into the block, and leaves out what can't be in it: chunks with a transaction that is not
/// final, that carries a witness before segwit, or that spends what was left out. The caller answers for the rest:
/// candidates are valid on `tip`, don't conflict, and their ids and figures are right.
///
/// `former` is a template that this one comes after: what both have in common stays where it is as far as that can be, so
/// that who looks at one after the other need not begin at the start.
pub fn build_template_with(
    spec: &ChainSpec,
    tip: &TemplateTip<'_>,
    chunks: &[CandidateChunk],
    payout: &Script,
    now: u64,
    options: &TemplateOptions,
    former: Option<&Template>,
) -> Template {
    let context = BlockContext::new(tip.parent);
    let earliest = earliest_time(spec, tip.parent);
    let time = u32::try_from(now).unwrap_or(u32::MAX).max(earliest);
    // The bits of the template are right only on this side of the time at which the least difficulty begins.
    let (min_time, max_time) = match pow::min_difficulty_from(spec, tip.parent) {
        Some(from) if time >= from => (earliest.max(from), None),
        Some(from) => (earliest, Some(from.saturating_sub(1))),
        None => (earliest, None),
    };
    let frame = Frame {
        height: context.height,
        previous: tip.hash,
        version: HEADER_VERSION,
        bits: pow::next_bits(spec, tip.parent, time),
        time,
        min_time,
        max_time,
        subsidy: spec.subsidy(context.height),
        bounds: Bounds::new(&spec.limits, options),
        segwit: if context.height.0 >= spec.deployments.segwit {
            Segwit::Active
        } else {
            Segwit::Inactive
        },
    };
    let is_eligible = |candidate: &Candidate| {
        (frame.segwit == Segwit::Active || !has_witness(&candidate.tx))
            && check_transaction_in_chain(spec, &candidate.tx, &context).is_ok()
    };
    let budget = frame.bounds.budget(payout);
    let selected = select(
        chunks,
        is_eligible,
        budget,
        options.min_fee_rate_sat_per_kvb,
    );
    let former = former.filter(|former| former.previous == tip.hash);
    let settled = former.map_or(&[][..], Template::settled_transactions);
    let (transactions, settled) = arrange(&selected, settled);
    let mut template = Template::assemble(frame, payout, transactions);
    template.settled = settled;
    template
}

fn has_witness(tx: &Transaction) -> bool {
    tx.input.iter().any(|input| !input.witness.is_empty())
}
