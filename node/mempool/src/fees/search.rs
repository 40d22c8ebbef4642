//! The search for the lowest fee rate that is still good enough, from the highest bucket downwards.
//! Buckets are taken together until they hold enough transactions to be judged.

use super::buckets::{lower_end, upper_end};
use super::stats::Averages;

/// A range of fee rates, and what became of its transactions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketRange {
    /// The rate above which it begins, in satoshis per 1,000 virtual bytes.
    pub start_sat_per_kvb: f64,
    /// The rate with which it ends.
    pub end_sat_per_kvb: f64,
    /// Transactions that were confirmed within the target.
    pub within_target: f64,
    /// Transactions that were confirmed.
    pub total_confirmed: f64,
    /// Transactions that wait for the target or longer.
    pub in_mempool: f64,
    /// Transactions that left without a block after the target.
    pub left_mempool: f64,
}

/// What one horizon has to say about a target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HorizonEstimate {
    /// The typical rate of the lowest range that passed, in satoshis per 1,000 virtual bytes.
    pub(super) median: Option<f64>,
    /// The lowest range that passed.
    pub(super) pass: Option<BucketRange>,
    /// The highest range below it that did not, or that holds too little to be judged.
    pub(super) fail: Option<BucketRange>,
}

/// What became of some transactions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) within: f64,
    pub(super) confirmed: f64,
    pub(super) waiting: f64,
    pub(super) left: f64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.within += other.within;
        self.confirmed += other.confirmed;
        self.waiting += other.waiting;
        self.left += other.left;
    }

    /// The share that was confirmed in time.
    fn success(&self) -> f64 {
        self.within / (self.confirmed + self.left + self.waiting)
    }
}

/// Buckets that are judged together.
#[derive(Clone, Copy, Debug)]
struct Range {
    highest: usize,
    lowest: usize,
    tally: Tally,
}

impl Range {
    fn told(&self) -> BucketRange {
        BucketRange {
            start_sat_per_kvb: lower_end(self.lowest),
            end_sat_per_kvb: upper_end(self.highest),
            within_target: self.tally.within,
            total_confirmed: self.tally.confirmed,
            in_mempool: self.tally.waiting,
            left_mempool: self.tally.left,
        }
    }

    /// The average rate of the bucket in which the middle one of the range's confirmed transactions is.
    fn median(&self, averages: &Averages) -> Option<f64> {
        let confirmed = &averages.confirmed[self.lowest..=self.highest];
        let mut left = confirmed.iter().sum::<f64>() / 2.0;
        for (count, rates) in confirmed.iter().zip(&averages.rate_sums[self.lowest..]) {
            if *count > 0.0 && *count >= left {
                return Some(rates / count);
            }
            left -= count;
        }
        None
    }
}

/// A search under way. Buckets come from the highest to the lowest.
#[derive(Debug)]
pub(super) struct Search {
    threshold: f64,
    sufficient: f64,
    /// Confirmed transactions since the last judgement. Ranges are cut by them alone, so that they are
    /// the same for every target.
    unjudged: f64,
    range: Option<Range>,
    passed: Option<Range>,
    failed: Option<Range>,
}

impl Search {
    pub(super) fn new(threshold: f64, sufficient: f64) -> Self {
        Self {
            threshold,
            sufficient,
            unjudged: 0.0,
            range: None,
            passed: None,
            failed: None,
        }
    }

    /// Takes the next lower bucket.
    pub(super) fn take(&mut self, bucket: usize, tally: Tally) {
        let range = self.range.get_or_insert(Range {
            highest: bucket,
            lowest: bucket,
            tally: Tally::default(),
        });
        range.lowest = bucket;
        range.tally.add(tally);
        self.unjudged += tally.confirmed;
        if self.unjudged < self.sufficient {
            return;
        }
        self.unjudged = 0.0;
        if range.tally.success() < self.threshold {
            // A range that fails goes on growing: with the next buckets it may pass after all.
            self.failed.get_or_insert(*range);
        } else {
            self.failed = None;
            self.passed = self.range.take();
        }
    }

    pub(super) fn finish(self, averages: &Averages) -> HorizonEstimate {
        let median = self.passed.and_then(|range| range.median(averages));
        HorizonEstimate {
            median,
            pass: self.passed.map(|range| range.told()),
            fail: self.failed.or(self.range).map(|range| range.told()),
        }
    }
}
