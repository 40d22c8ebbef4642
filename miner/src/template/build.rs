//! Builds a template: pure, from what the caller read.

use std::collections::HashMap;
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Amount, BlockHash, Script, Transaction, Txid, Wtxid};
use pyrite_consensus::transaction::check_transaction_in_chain;
use pyrite_consensus::{BlockContext, ChainSpec, HeaderChain, earliest_time, pow};

use super::block_template::{
    Frame, Segwit, Template, TemplateTransaction, reserved_sigop_cost, reserved_weight,
};
use super::selection::{Budget, select};

/// The version of every header: no bit of BIP-0009 signals anything.
const HEADER_VERSION: i32 = 0x2000_0000;

/// A transaction that could go into the block.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its fee.
    pub fee: Amount,
    /// Its weight (BIP-0141).
    pub weight: u64,
    /// Its sigop cost (BIP-0141).
    pub sigop_cost: u64,
    /// The unconfirmed transactions that it spends. One that is not among the candidates keeps it
    /// out of the block.
    pub depends: Vec<Txid>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateOptions {
    /// Packages that pay less than this, in satoshi per 1,000 virtual bytes, stay out. 0 by default:
    /// what the mempool took may be mined.
    pub min_fee_rate_sat_per_kvb: u64,
}

/// Builds a template on `tip` with the default options; see [`build_template_with`].
pub fn build_template(
    spec: &ChainSpec,
    tip: &TemplateTip<'_>,
    candidates: &[Candidate],
    payout: &Script,
    now: u64,
) -> Template {
    build_template_with(
        spec,
        tip,
        candidates,
        payout,
        now,
        &TemplateOptions::default(),
    )
}

/// Builds a template on `tip` that pays to `payout`, at the time `now` (Unix seconds).
///
/// Takes the candidates that pay best with their ancestors, within the limits of the block, and
/// leaves out what can't be in it: transactions that are not final, that carry a witness before
/// segwit, or whose parents are missing. The caller answers for the rest: candidates are valid on
/// `tip`, don't conflict, and their figures are right.
pub fn build_template_with(
    spec: &ChainSpec,
    tip: &TemplateTip<'_>,
    candidates: &[Candidate],
    payout: &Script,
    now: u64,
    options: &TemplateOptions,
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
        limits: spec.limits,
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
    let budget = Budget {
        weight: spec
            .limits
            .max_block_weight
            .saturating_sub(reserved_weight(payout)),
        sigop_cost: spec
            .limits
            .max_block_sigop_cost
            .saturating_sub(reserved_sigop_cost(payout)),
    };
    let selected = select(
        candidates,
        is_eligible,
        budget,
        options.min_fee_rate_sat_per_kvb,
    );
    let transactions = template_transactions(candidates, &selected);
    Template::assemble(frame, payout, transactions)
}

fn template_transactions(candidates: &[Candidate], selected: &[usize]) -> Vec<TemplateTransaction> {
    let mut positions: HashMap<Txid, usize> = HashMap::with_capacity(selected.len());
    let mut transactions = Vec::with_capacity(selected.len());
    for (position, index) in selected.iter().enumerate() {
        let candidate = &candidates[*index];
        let mut depends: Vec<usize> = candidate
            .depends
            .iter()
            .filter_map(|parent| positions.get(parent).copied())
            .collect();
        depends.sort_unstable();
        depends.dedup();
        positions.insert(candidate.txid, position);
        transactions.push(TemplateTransaction {
            tx: Arc::clone(&candidate.tx),
            txid: candidate.txid,
            wtxid: wtxid(candidate),
            fee: candidate.fee,
            weight: candidate.weight,
            sigop_cost: candidate.sigop_cost,
            depends,
        });
    }
    transactions
}

fn has_witness(tx: &Transaction) -> bool {
    tx.input.iter().any(|input| !input.witness.is_empty())
}

/// Without a witness the two ids are the same (BIP-0141), which saves a hash.
fn wtxid(candidate: &Candidate) -> Wtxid {
    if has_witness(&candidate.tx) {
        candidate.tx.compute_wtxid()
    } else {
        Wtxid::from_raw_hash(candidate.txid.to_raw_hash())
    }
}
