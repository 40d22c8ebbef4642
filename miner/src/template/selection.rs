//! Which chunks go into a block: those that pay best, as long as there is room.
//!
//! A chunk is taken whole or not at all. One that does not fit is skipped, because a smaller one behind it may; the
//! walk ends when the block is as good as full, as in Bitcoin Core's `addChunks`.

use std::collections::HashSet;

use pyrite_consensus::bitcoin::Txid;

use super::{Candidate, CandidateChunk};

/// So many chunks in a row that are left out end the walk, if the block is nearly full. Bitcoin Core's figure.
const MAX_FAILURES: usize = 1_000;

/// With less room than this a block is nearly full, in weight units. Bitcoin Core's figure.
const NEARLY_FULL: u64 = 4_000;

/// Room in the block for transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) weight: u64,
    pub(super) sigop_cost: u64,
}

/// Chooses from chunks by falling fee rate; parents come before their children. A transaction that is not eligible keeps
/// its chunk out, and what is left out keeps out whatever depends on it.
pub(super) fn select(
    chunks: &[CandidateChunk],
    is_eligible: impl Fn(&Candidate) -> bool,
    mut budget: Budget,
    min_fee_rate_sat_per_kvb: u64,
) -> Vec<&Candidate> {
    let mut selected = Vec::new();
    let mut left_out = LeftOut::default();
    let mut failures = 0;
    for chunk in chunks {
        if !pays(chunk, min_fee_rate_sat_per_kvb) {
            break;
        }
        let needed = needed(chunk);
        let is_possible = needed.weight <= budget.weight
            && needed.sigop_cost <= budget.sigop_cost
            && chunk.transactions.iter().all(&is_eligible)
            && !left_out.is_spent_by(chunk);
        if is_possible {
            budget.weight -= needed.weight;
            budget.sigop_cost -= needed.sigop_cost;
            selected.extend(&chunk.transactions);
            failures = 0;
        } else {
            left_out.add(chunk);
            failures += 1;
            if failures > MAX_FAILURES && budget.weight < NEARLY_FULL {
                break;
            }
        }
    }
    selected
}

/// Whether a chunk pays at least this rate. A virtual byte is four weight units.
fn pays(chunk: &CandidateChunk, min_fee_rate_sat_per_kvb: u64) -> bool {
    i128::from(chunk.fee) * 4_000 >= i128::from(min_fee_rate_sat_per_kvb) * i128::from(chunk.weight)
}

/// The room that a chunk takes.
fn needed(chunk: &CandidateChunk) -> Budget {
    let sum = |figure: fn(&Candidate) -> u64| {
        let figures = chunk.transactions.iter().map(figure);
        figures.fold(0, u64::saturating_add)
    };
    Budget {
        weight: sum(|candidate| candidate.weight),
        sigop_cost: sum(|candidate| candidate.sigop_cost),
    }
}

/// The transactions that were left out.
#[derive(Default)]
struct LeftOut(HashSet<Txid>);

impl LeftOut {
    fn add(&mut self, chunk: &CandidateChunk) {
        self.0
            .extend(chunk.transactions.iter().map(|candidate| candidate.txid));
    }

    fn is_spent_by(&self, chunk: &CandidateChunk) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut inputs = chunk
            .transactions
            .iter()
            .flat_map(|candidate| &candidate.tx.input);
        inputs.any(|input| self.0.contains(&input.previous_output.txid))
    }
}
