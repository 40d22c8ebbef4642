//! The order of eviction: the package that pays least goes first.

use std::cmp::Ordering;

use pyrite_consensus::bitcoin::{Amount, Txid};

use crate::MempoolEntry;
use crate::fee_rate::compare_rates;

/// An entry's place in the order of eviction: the higher of its own fee rate and that of it with all
/// its descendants, so that a child that pays well protects its parents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    fees: Amount,
    size: u64,
    sequence: u64,
    txid: Txid,
}

impl Score {
    pub(super) fn of(entry: &MempoolEntry) -> Self {
        let (fees, size) = match compare_rates(
            entry.fee,
            entry.vsize,
            entry.descendant_fees,
            entry.descendant_size,
        ) {
            Ordering::Greater => (entry.fee, entry.vsize),
            Ordering::Less | Ordering::Equal => (entry.descendant_fees, entry.descendant_size),
        };
        Self {
            fees,
            size,
            sequence: entry.sequence,
            txid: entry.txid,
        }
    }

    /// Whose it is.
    pub(super) fn txid(&self) -> Txid {
        self.txid
    }
}

impl Ord for Score {
    /// By rate; of equals the latest goes first.
    fn cmp(&self, other: &Self) -> Ordering {
        compare_rates(self.fees, self.size, other.fees, other.size)
            .then_with(|| other.sequence.cmp(&self.sequence))
            .then_with(|| self.txid.cmp(&other.txid))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}
