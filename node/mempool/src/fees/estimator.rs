//! The estimator: it is told of transactions and blocks, and answers from what it saw. The algorithm is
//! that of Bitcoin Core's `CBlockPolicyEstimator`. No clock, no chain.

use std::collections::HashMap;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Txid;

use super::buckets::{as_float, bucket_of};
use super::search::{BucketRange, HorizonEstimate};
use super::stats::HorizonStats;
use super::{EstimatesError, FeeHorizon};
use crate::FeeRate;

/// What was learned longer ago than this, in blocks, does not stretch the reach of estimates.
const OLDEST_HISTORY: u32 = 6 * 1_008;

/// Learns from the mempool and the blocks what a transaction has to pay.
#[derive(Clone, Debug)]
pub struct FeeEstimator {
    /// The highest block that it has seen.
    best: Height,
    /// The first block since the start that confirmed a transaction that was tracked.
    first_recorded: Option<Height>,
    /// The blocks that an earlier run learned from.
    earlier: Option<Span>,
    /// Transactions of the mempool whose confirmation will count.
    tracked: HashMap<Txid, Tracked>,
    /// In the order of `FeeHorizon::ALL`.
    horizons: [HorizonStats; 3],
}

/// Blocks that were learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Height,
    pub(super) last: Height,
}

impl Span {
    fn blocks(self) -> u32 {
        self.last.0.saturating_sub(self.first.0)
    }
}

#[derive(Clone, Copy, Debug)]
struct Tracked {
    /// The tip's height when it came.
    height: Height,
    bucket: usize,
    rate: f64,
}

/// What one horizon says of a target and a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawEstimate {
    /// The rate; `None` when no range of rates passed.
    pub rate: Option<FeeRate>,
    /// The lowest range that passed.
    pub pass: Option<BucketRange>,
    /// The highest range below it that failed.
    pub fail: Option<BucketRange>,
}

impl FeeEstimator {
    /// One that knows nothing. `tip` is the chain's height.
    #[must_use]
    pub fn new(tip: Height) -> Self {
        Self::with_history(tip, None, FeeHorizon::ALL.map(HorizonStats::new))
    }

    pub(super) fn with_history(
        best: Height,
        earlier: Option<Span>,
        horizons: [HorizonStats; 3],
    ) -> Self {
        Self {
            best,
            first_recorded: None,
            earlier,
            tracked: HashMap::new(),
            horizons,
        }
    }

    /// A transaction came to the mempool at `height`, the tip's. The caller leaves out those that say
    /// nothing of what it takes to be mined: with unconfirmed parents, in a package, while the chain is
    /// behind, or back from a block. One that came at another height than the last block's is ignored.
    pub fn transaction_added(&mut self, txid: Txid, height: Height, rate: FeeRate) {
        if height != self.best || self.tracked.contains_key(&txid) {
            return;
        }
        let bucket = bucket_of(rate);
        for stats in &mut self.horizons {
            stats.add(height, bucket);
        }
        let tracked = Tracked {
            height,
            bucket,
            rate: as_float(rate),
        };
        self.tracked.insert(txid, tracked);
    }

    /// A transaction left the mempool, and not for a block.
    pub fn transaction_removed(&mut self, txid: &Txid) {
        if let Some(tracked) = self.untrack(txid) {
            let waited = self.best.0.saturating_sub(tracked.height.0);
            for stats in &mut self.horizons {
                stats.record_left(waited, tracked.bucket);
            }
        }
    }

    /// A block came at `height` with these transactions of the mempool. A block that is not above the
    /// highest seen, as after a reorganisation, teaches nothing.
    pub fn block_connected(&mut self, height: Height, confirmed: &[Txid]) {
        if height <= self.best {
            for txid in confirmed {
                self.untrack(txid);
            }
            return;
        }
        self.advance_to(height);
        let mut is_recorded = false;
        for txid in confirmed {
            let Some(tracked) = self.untrack(txid) else {
                continue;
            };
            let blocks = height.0.saturating_sub(tracked.height.0);
            for stats in &mut self.horizons {
                stats.record_confirmed(blocks, tracked.bucket, tracked.rate);
            }
            is_recorded = true;
        }
        if is_recorded {
            self.first_recorded.get_or_insert(height);
        }
    }

    /// Blocks up to `height` came, with none of the mempool's transactions.
    pub fn advance_to(&mut self, height: Height) {
        if height <= self.best {
            return;
        }
        for stats in &mut self.horizons {
            stats.advance(self.best, height);
        }
        self.best = height;
    }

    /// Takes the transactions that still wait for ones that left, as before an end: what an estimator
    /// that reads this one's averages can't see confirmed any more.
    pub fn forget_unconfirmed(&mut self) {
        let waiting: Vec<Txid> = self.tracked.keys().copied().collect();
        for txid in waiting {
            self.transaction_removed(&txid);
        }
    }

    /// The rate at which `threshold` of the transactions were confirmed within `target` blocks, by one
    /// horizon. `None` for a target that it does not track.
    #[must_use]
    pub fn estimate_raw_fee(
        &self,
        target: u32,
        threshold: f64,
        horizon: FeeHorizon,
    ) -> Option<RawEstimate> {
        let HorizonEstimate { median, pass, fail } = self.ask(horizon, target, threshold)?;
        Some(RawEstimate {
            rate: median.map(rounded).filter(|rate| *rate != FeeRate::ZERO),
            pass,
            fail,
        })
    }

    /// The highest block that it has seen.
    #[must_use]
    pub fn best_height(&self) -> Height {
        self.best
    }

    /// How many transactions of the mempool it watches.
    #[must_use]
    pub fn tracked_count(&self) -> usize {
        self.tracked.len()
    }

    pub(super) fn median(&self, horizon: FeeHorizon, target: u32, threshold: f64) -> Option<f64> {
        self.ask(horizon, target, threshold)?.median
    }

    /// The furthest target that can be answered yet: half of the blocks that were learned from, so that
    /// there was time to fail.
    pub(super) fn max_usable_target(&self) -> u32 {
        let longest = self.current_span().max(self.earlier_span());
        (longest / 2).min(FeeHorizon::Long.max_target())
    }

    /// The blocks that the next run should know of: this run's, unless the earlier ones' are many more.
    pub(super) fn history(&self) -> Option<Span> {
        match self.first_recorded {
            Some(first) if self.current_span() > self.earlier_span() / 2 => Some(Span {
                first,
                last: self.best,
            }),
            _ => self.earlier,
        }
    }

    pub(super) fn horizons(&self) -> &[HorizonStats; 3] {
        &self.horizons
    }

    /// That it does not know more blocks than the chain has, as after the chain was deleted.
    ///
    /// # Errors
    /// It does.
    pub fn check_below(&self, tip: Height) -> Result<(), EstimatesError> {
        if self.best > tip {
            return Err(EstimatesError::AboveTip {
                height: self.best,
                tip,
            });
        }
        Ok(())
    }

    fn ask(&self, horizon: FeeHorizon, target: u32, threshold: f64) -> Option<HorizonEstimate> {
        let stats = match horizon {
            FeeHorizon::Short => &self.horizons[0],
            FeeHorizon::Medium => &self.horizons[1],
            FeeHorizon::Long => &self.horizons[2],
        };
        stats.estimate(target, threshold, self.best)
    }

    fn untrack(&mut self, txid: &Txid) -> Option<Tracked> {
        let tracked = self.tracked.remove(txid)?;
        for stats in &mut self.horizons {
            stats.remove(tracked.height, tracked.bucket, self.best);
        }
        Some(tracked)
    }

    fn current_span(&self) -> u32 {
        let last = self.best;
        self.first_recorded
            .map_or(0, |first| Span { first, last }.blocks())
    }

    fn earlier_span(&self) -> u32 {
        self.earlier
            .filter(|span| self.best.0.saturating_sub(span.last.0) <= OLDEST_HISTORY)
            .map_or(0, Span::blocks)
    }
}

/// A median as a rate. Medians are averages of rates, and so never negative nor too large.
pub(super) fn rounded(median: f64) -> FeeRate {
    FeeRate(median.round() as u64)
}
