//! What one horizon knows: averages of what was confirmed and of what left, which decay from block to
//! block, and how many transactions wait since which block.

use std::fmt;

use pyrite_consensus::Height;

use super::FeeHorizon;
use super::buckets::COUNT;
use super::search::{HorizonEstimate, Search, Tally};

/// Less than this of a transaction is nothing.
const FADED: f64 = 1e-9;

/// Sums that decay at each block. The tables have a row of buckets for each period.
#[derive(Clone)]
pub(super) struct Averages {
    /// The rates of all confirmed transactions together, by bucket.
    pub(super) rate_sums: Vec<f64>,
    /// Confirmed transactions, by bucket.
    pub(super) confirmed: Vec<f64>,
    /// Those that were confirmed within so many periods.
    pub(super) within: Vec<f64>,
    /// Transactions that left without a block after waiting for at least so many periods.
    pub(super) left: Vec<f64>,
}

/// One horizon's knowledge.
#[derive(Clone)]
pub(super) struct HorizonStats {
    horizon: FeeHorizon,
    averages: Averages,
    waiting: Waiting,
}

/// Transactions that are in the mempool, by the height at which they came: a ring with a row of buckets
/// for each block.
#[derive(Clone)]
struct Waiting {
    slots: Vec<u32>,
    /// Those that came before the ring's oldest block.
    longer: Vec<u32>,
}

impl Averages {
    pub(super) fn new(horizon: FeeHorizon) -> Self {
        Self {
            rate_sums: vec![0.0; COUNT],
            confirmed: vec![0.0; COUNT],
            within: vec![0.0; COUNT * horizon.periods()],
            left: vec![0.0; COUNT * horizon.periods()],
        }
    }

    fn multiply(&mut self, factor: f64) {
        let Self {
            rate_sums,
            confirmed,
            within,
            left,
        } = self;
        for value in [&mut *confirmed, within, left].into_iter().flatten() {
            *value *= factor;
            // What has faded away is nothing, long before a float can't hold it any more.
            if *value < FADED {
                *value = 0.0;
            }
        }
        for (sum, count) in rate_sums.iter_mut().zip(confirmed) {
            *sum = if *count > 0.0 { *sum * factor } else { 0.0 };
        }
    }
}

impl HorizonStats {
    pub(super) fn new(horizon: FeeHorizon) -> Self {
        Self::with_averages(horizon, Averages::new(horizon))
    }

    /// Averages of an earlier run; nothing waits.
    pub(super) fn with_averages(horizon: FeeHorizon, averages: Averages) -> Self {
        Self {
            horizon,
            averages,
            waiting: Waiting {
                slots: vec![0; COUNT * horizon.slots()],
                longer: vec![0; COUNT],
            },
        }
    }

    pub(super) fn averages(&self) -> &Averages {
        &self.averages
    }

    /// Blocks came after `from`, up to `to`.
    pub(super) fn advance(&mut self, from: Height, to: Height) {
        let blocks = to.0.saturating_sub(from.0);
        // More rounds of the ring than one change nothing.
        let rolled = blocks.min(self.horizon.max_target());
        for height in to.0 - rolled + 1..=to.0 {
            let row = self.row(Height(height));
            let Waiting { slots, longer } = &mut self.waiting;
            for (slot, longer) in slots[row].iter_mut().zip(longer) {
                *longer = longer.saturating_add(std::mem::take(slot));
            }
        }
        let exponent = i32::try_from(blocks).unwrap_or(i32::MAX);
        self.averages.multiply(self.horizon.decay().powi(exponent));
    }

    /// A transaction came at `height`.
    pub(super) fn add(&mut self, height: Height, bucket: usize) {
        let row = self.row(height);
        let slot = &mut self.waiting.slots[row][bucket];
        *slot = slot.saturating_add(1);
    }

    /// A transaction that came at `height` waits no more; the last block is at `best`.
    pub(super) fn remove(&mut self, height: Height, bucket: usize, best: Height) {
        let count = if best.0.saturating_sub(height.0) >= self.horizon.max_target() {
            &mut self.waiting.longer[bucket]
        } else {
            let row = self.row(height);
            &mut self.waiting.slots[row][bucket]
        };
        *count = count.saturating_sub(1);
    }

    /// A transaction was confirmed by the `blocks`th block after it came.
    pub(super) fn record_confirmed(&mut self, blocks: u32, bucket: usize, rate: f64) {
        let first = table_index(blocks.div_ceil(self.horizon.scale())).saturating_sub(1);
        for period in first..self.horizon.periods() {
            self.averages.within[period * COUNT + bucket] += 1.0;
        }
        self.averages.confirmed[bucket] += 1.0;
        self.averages.rate_sums[bucket] += rate;
    }

    /// A transaction left without a block, `blocks` blocks after it came. Only whole periods count
    /// against its rate.
    pub(super) fn record_left(&mut self, blocks: u32, bucket: usize) {
        let waited = table_index(blocks / self.horizon.scale());
        for period in 0..waited.min(self.horizon.periods()) {
            self.averages.left[period * COUNT + bucket] += 1.0;
        }
    }

    /// The lowest rate whose transactions were confirmed within `target` blocks often enough. `None`
    /// for a target that is not tracked.
    pub(super) fn estimate(
        &self,
        target: u32,
        threshold: f64,
        best: Height,
    ) -> Option<HorizonEstimate> {
        let mut search = Search::new(threshold, self.horizon.sufficient());
        let tallies = self.tallies(target, best)?;
        for (bucket, tally) in tallies.into_iter().enumerate().rev() {
            search.take(bucket, tally);
        }
        Some(search.finish(&self.averages))
    }

    /// What became of each bucket's transactions. `None` for a target that is not tracked.
    pub(super) fn tallies(&self, target: u32, best: Height) -> Option<Vec<Tally>> {
        if !(1..=self.horizon.max_target()).contains(&target) {
            return None;
        }
        let first = (table_index(target.div_ceil(self.horizon.scale())) - 1) * COUNT;
        let within = &self.averages.within[first..first + COUNT];
        let left = &self.averages.left[first..first + COUNT];
        let waiting = self.waiting_since(target, best);
        let tally = |bucket: usize| Tally {
            within: within[bucket],
            confirmed: self.averages.confirmed[bucket],
            waiting: waiting[bucket],
            left: left[bucket],
        };
        Some((0..COUNT).map(tally).collect())
    }

    /// Transactions that wait for `target` blocks or longer, by bucket.
    fn waiting_since(&self, target: u32, best: Height) -> Vec<f64> {
        let mut sums: Vec<f64> = self.waiting.longer.iter().copied().map(f64::from).collect();
        // A shorter chain has nothing that waits longer.
        for age in target..self.horizon.max_target().min(best.0.saturating_add(1)) {
            let row = self.row(Height(best.0 - age));
            for (sum, count) in sums.iter_mut().zip(&self.waiting.slots[row]) {
                *sum += f64::from(*count);
            }
        }
        sums
    }

    /// The ring's row for a block.
    fn row(&self, height: Height) -> std::ops::Range<usize> {
        let slot = table_index(height.0 % self.horizon.max_target());
        slot * COUNT..(slot + 1) * COUNT
    }
}

impl fmt::Debug for HorizonStats {
    /// Short: the tables have tens of thousands of numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let confirmed: f64 = self.averages.confirmed.iter().sum();
        f.debug_struct("HorizonStats")
            .field("horizon", &self.horizon)
            .field("confirmed", &confirmed)
            .finish_non_exhaustive()
    }
}

/// A small number of blocks or periods as a place in a table.
fn table_index(count: u32) -> usize {
    usize::try_from(count).expect("a machine that runs a node has 32 bits")
}
