//! How long calls took: counts in classes that grow with the time, so that any number of calls takes the same memory
//! and each time is known to 3 %.

use std::time::Duration;

use serde_json::{Value, json};

/// Classes in each doubling of the time.
const STEPS: u64 = 32;
/// As many as there are for 64 bits of microseconds.
const CLASSES: usize = 64 * STEPS as usize;

/// Times of calls.
#[derive(Clone)]
pub(in crate::bench) struct Latencies {
    counts: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            counts: vec![0; CLASSES],
            count: 0,
            longest: Duration::ZERO,
        }
    }
}

impl Latencies {
    pub(in crate::bench) fn add(&mut self, time: Duration) {
        self.counts[class(micros(time))] += 1;
        self.count += 1;
        self.longest = self.longest.max(time);
    }

    /// Adds another's calls.
    pub(in crate::bench) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    pub(in crate::bench) fn count(&self) -> u64 {
        self.count
    }

    /// The time within which so many of a thousand calls were answered.
    fn quantile(&self, per_mille: u64) -> Duration {
        let wanted = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (class, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_micros(upper_bound(class)).min(self.longest);
            }
        }
        self.longest
    }

    /// `p50, p99, at most` in milliseconds.
    pub(in crate::bench) fn text(&self) -> String {
        format!(
            "p50 {:.2} ms, p99 {:.2} ms, at most {:.2} ms",
            millis(self.quantile(500)),
            millis(self.quantile(990)),
            millis(self.longest)
        )
    }

    pub(in crate::bench) fn json(&self) -> Value {
        json!({
            "count": self.count,
            "p50_ms": millis(self.quantile(500)),
            "p90_ms": millis(self.quantile(900)),
            "p99_ms": millis(self.quantile(990)),
            "p999_ms": millis(self.quantile(999)),
            "max_ms": millis(self.longest),
        })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The class of a time in microseconds: exact below `STEPS`, then the leading bits.
fn class(micros: u64) -> usize {
    let doublings = (micros / STEPS).checked_ilog2().map_or(0, |log| log + 1);
    let shift = doublings.saturating_sub(1);
    let class = u64::from(shift) * STEPS + (micros >> shift);
    usize::try_from(class)
        .unwrap_or(CLASSES - 1)
        .min(CLASSES - 1)
}

/// The greatest time of a class, in microseconds.
fn upper_bound(class: usize) -> u64 {
    let class = class as u64;
    let shift = (class / STEPS).saturating_sub(1);
    let leading = class - shift * STEPS;
    u64::try_from((u128::from(leading) + 1).wrapping_shl(u32::try_from(shift).unwrap_or(64)) - 1)
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_a_class_that_is_little_wider() {
        for micros in (0..5_000).chain((0..60).map(|bits| (1 << bits) + 1)) {
            let bound = upper_bound(class(micros));
            assert!(bound >= micros, "{micros} {bound}");
            assert!(bound - micros <= micros / STEPS, "{micros} {bound}");
            assert!(
                micros == 0 || upper_bound(class(micros) - 1) < micros,
                "{micros}"
            );
        }
        assert_eq!(upper_bound(class(u64::MAX)), u64::MAX);
    }

    #[test]
    fn quantiles_are_those_of_all_calls() {
        let mut all = Latencies::default();
        let mut slow = Latencies::default();
        for call in 1..=99 {
            all.add(Duration::from_micros(call));
        }
        slow.add(Duration::from_millis(7));
        all.merge(&slow);
        assert_eq!(all.count(), 100);
        assert!(all.quantile(500) >= Duration::from_micros(50));
        assert!(all.quantile(500) <= Duration::from_micros(52));
        assert!(all.quantile(990) < Duration::from_micros(103));
        assert_eq!(all.quantile(1000), Duration::from_millis(7));
    }
}
