//! How soon devices have new work after a new tip: a histogram of bounded size.

use std::time::Duration;

/// Buckets for each doubling of the time: a value is known to an eighth.
const STEPS: u64 = 8;

/// Doublings of a microsecond: the last bucket begins above an hour.
const DOUBLINGS: usize = 33;

/// Times in buckets whose widths grow with them.
#[derive(Clone, Debug)]
pub(super) struct LatencyHistogram {
    counts: [u64; DOUBLINGS * STEPS as usize],
    samples: u64,
    max: Duration,
}

/// How soon devices had new work after new tips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencySummary {
    /// How often a device changed to a new tip.
    pub samples: u64,
    /// Half of the times were not above this; `None` without samples.
    pub median: Option<Duration>,
    /// 99 of 100 were not above this.
    pub p99: Option<Duration>,
    /// The longest.
    pub max: Option<Duration>,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self {
            counts: [0; DOUBLINGS * STEPS as usize],
            samples: 0,
            max: Duration::ZERO,
        }
    }
}

impl LatencyHistogram {
    pub(super) fn record(&mut self, latency: Duration) {
        let index = bucket(latency).min(self.counts.len() - 1);
        self.counts[index] = self.counts[index].saturating_add(1);
        self.samples = self.samples.saturating_add(1);
        self.max = self.max.max(latency);
    }

    pub(super) fn summary(&self) -> LatencySummary {
        LatencySummary {
            samples: self.samples,
            median: self.quantile(50),
            p99: self.quantile(99),
            max: (self.samples > 0).then_some(self.max),
        }
    }

    /// The end of the bucket that so many percent of the samples reach, and no more than the longest.
    fn quantile(&self, percent: u64) -> Option<Duration> {
        let wanted = u128::from(self.samples) * u128::from(percent);
        let wanted = u64::try_from(wanted.div_ceil(100)).unwrap_or(u64::MAX);
        let mut seen = 0_u64;
        let index = self.counts.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= wanted
        });
        index
            .filter(|_| self.samples > 0)
            .map(|index| bucket_end(index).min(self.max))
    }
}

/// The first `STEPS` buckets are a microsecond wide, the next as many too, and from there each `STEPS` twice as wide as those
/// before.
fn bucket(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    let doubling = micros.max(STEPS).ilog2() - STEPS.ilog2();
    let step = micros >> doubling;
    usize::try_from(u64::from(doubling) * STEPS + step).unwrap_or(usize::MAX)
}

/// Above every time of the bucket.
fn bucket_end(index: usize) -> Duration {
    let index = index as u64; // below a small constant
    let doubling = (index / STEPS).saturating_sub(1);
    let step = index - doubling * STEPS;
    Duration::from_micros((step + 1) << doubling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket_end(0), Duration::from_micros(1));
        for index in 0..200 {
            let end = bucket_end(index);
            assert_eq!(bucket(end), index + 1, "the next begins where {index} ends");
            assert_eq!(bucket(end - Duration::from_nanos(1)), index);
        }
    }

    #[test]
    fn quantiles_are_known_to_an_eighth() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.summary(), LatencySummary::default());
        for millis in 1..=1_000 {
            histogram.record(Duration::from_millis(millis));
        }
        let summary = histogram.summary();
        assert_eq!(summary.samples, 1_000);
        assert_eq!(summary.max, Some(Duration::from_secs(1)));
        let near = |found: Option<Duration>, exact: f64| {
            let found = found.unwrap().as_secs_f64();
            assert!(
                (exact..=exact * 1.125).contains(&found),
                "{found} for {exact}"
            );
        };
        near(summary.median, 0.5);
        near(summary.p99, 0.99);
    }

    #[test]
    fn one_sample_is_every_quantile() {
        let mut histogram = LatencyHistogram::default();
        let only = Duration::from_micros(1_234);
        histogram.record(only);
        let summary = histogram.summary();
        assert_eq!((summary.median, summary.p99), (Some(only), Some(only)));
    }

    #[test]
    fn what_is_too_long_for_it_is_in_the_last_bucket() {
        let mut histogram = LatencyHistogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.summary().max, Some(Duration::MAX));
        assert!(histogram.summary().median.unwrap() > Duration::from_secs(3_600));
    }
}
