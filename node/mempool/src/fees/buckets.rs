//! The ranges of fee rates in which transactions are counted. Each reaches five percent higher than the
//! one below it.

use std::sync::LazyLock;

use crate::FeeRate;

/// The upper end of the lowest bucket, in satoshis per 1,000 virtual bytes.
const LOWEST: f64 = 100.0;
/// No upper end is above this, but that of the last bucket.
const HIGHEST: f64 = 1e7;
/// How much higher each bucket ends than the one below it.
const SPACING: f64 = 1.05;
/// The upper end of the last bucket, which has none: Bitcoin Core's `INF_FEERATE`, which clients get to see.
const NO_END: f64 = 1e99;

/// How many buckets there are.
pub(super) const COUNT: usize = 237;

static UPPER_ENDS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let below_last = std::iter::successors(Some(LOWEST), |end| Some(end * SPACING))
        .take_while(|end| *end <= HIGHEST);
    below_last.chain([NO_END]).collect()
});

/// The highest rate of a bucket, in satoshis per 1,000 virtual bytes.
pub(super) fn upper_end(bucket: usize) -> f64 {
    UPPER_ENDS[bucket]
}

/// The rate above which a bucket begins.
pub(super) fn lower_end(bucket: usize) -> f64 {
    bucket.checked_sub(1).map_or(0.0, upper_end)
}

/// The bucket of a rate.
pub(super) fn bucket_of(rate: FeeRate) -> usize {
    let rate = as_float(rate);
    UPPER_ENDS.partition_point(|end| *end < rate).min(COUNT - 1)
}

/// A rate as a float: exact up to 2^53, which is more than all coins for one byte.
pub(super) fn as_float(rate: FeeRate) -> f64 {
    rate.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_by_five_percent() {
        assert_eq!(UPPER_ENDS.len(), COUNT);
        assert_eq!((lower_end(0), upper_end(0)), (0.0, 100.0));
        assert_eq!((lower_end(1), upper_end(1)), (100.0, 105.0));
        assert_eq!(upper_end(COUNT - 1), 1e99);
        assert!((9.5e6..=1e7).contains(&upper_end(COUNT - 2)));
    }

    #[test]
    fn an_upper_end_belongs_to_its_bucket() {
        for (rate, bucket) in [(0, 0), (99, 0), (100, 0), (101, 1), (105, 1), (106, 2)] {
            assert_eq!(bucket_of(FeeRate(rate)), bucket, "{rate}");
        }
        assert_eq!(bucket_of(FeeRate(10_000_001)), COUNT - 1);
        assert_eq!(bucket_of(FeeRate(u64::MAX)), COUNT - 1);
    }
}
