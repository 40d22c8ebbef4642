//! Hash-rate accounting: hashes by the second, and means over windows of them.

use std::time::Duration;

/// Seconds that a meter looks back: the longest window, and the running second.
const BUCKETS: usize = 901;

/// The length of time that a rate is the mean of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// 10 seconds.
    TenSeconds,
    /// 1 minute.
    OneMinute,
    /// 15 minutes.
    FifteenMinutes,
}

impl Window {
    /// Its length in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::TenSeconds => 10,
            Self::OneMinute => 60,
            Self::FifteenMinutes => 900,
        }
    }
}

/// Hash rates over all windows, in hashes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HashRates {
    /// Over 10 seconds.
    pub ten_seconds: f64,
    /// Over a minute.
    pub one_minute: f64,
    /// Over 15 minutes.
    pub fifteen_minutes: f64,
}

impl HashRates {
    /// The sum of two devices' rates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            ten_seconds: self.ten_seconds + other.ten_seconds,
            one_minute: self.one_minute + other.one_minute,
            fifteen_minutes: self.fifteen_minutes + other.fifteen_minutes,
        }
    }
}

/// Counts hashes. Times are distances from its start and never go back.
#[derive(Clone, Debug)]
pub struct HashMeter {
    /// Hashes in a second, at the second's number modulo the length.
    buckets: Box<[u64]>,
    latest_second: u64,
    total: u64,
}

impl Default for HashMeter {
    fn default() -> Self {
        Self::new()
    }
}

impl HashMeter {
    /// A meter that starts now.
    pub fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS].into_boxed_slice(),
            latest_second: 0,
            total: 0,
        }
    }

    /// Counts hashes that were done just before `at`.
    pub fn record(&mut self, at: Duration, hashes: u64) {
        let second = at.as_secs().max(self.latest_second);
        let idle = self.latest_second + 1..=second;
        // After so many idle seconds every bucket is out of date; clearing each once is enough.
        for outdated in idle.take(BUCKETS) {
            self.buckets[bucket(outdated)] = 0;
        }
        self.latest_second = second;
        let bucket = &mut self.buckets[bucket(second)];
        *bucket = bucket.saturating_add(hashes);
        self.total = self.total.saturating_add(hashes);
    }

    /// Hashes since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The mean rate over the window before `at`, in hashes per second; since the start where that is
    /// not so long ago.
    pub fn rate(&self, at: Duration, window: Window) -> f64 {
        let second = at.as_secs();
        let first = second.saturating_sub(window.seconds());
        let hashes: u64 = (first..=second).map(|second| self.hashes_in(second)).sum();
        let covered = at.saturating_sub(Duration::from_secs(first));
        if covered.is_zero() {
            return 0.0;
        }
        // Past 2^53 hashes in 15 minutes a float rounds, which a rate may.
        hashes as f64 / covered.as_secs_f64()
    }

    /// The rates over all windows.
    pub fn rates(&self, at: Duration) -> HashRates {
        HashRates {
            ten_seconds: self.rate(at, Window::TenSeconds),
            one_minute: self.rate(at, Window::OneMinute),
            fifteen_minutes: self.rate(at, Window::FifteenMinutes),
        }
    }

    fn hashes_in(&self, second: u64) -> u64 {
        let is_held = second <= self.latest_second && self.latest_second - second < BUCKETS as u64; // a small constant
        if is_held {
            self.buckets[bucket(second)]
        } else {
            0
        }
    }
}

fn bucket(second: u64) -> usize {
    // The remainder is below a `usize` constant.
    (second % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A meter of a device that does `rate` hashes a second from the start to `end`, in tenths.
    fn steady(rate: u64, end_s: u64) -> HashMeter {
        let mut meter = HashMeter::new();
        for tenth in 0..end_s * 10 {
            // Recorded in the middle of each tenth.
            meter.record(Duration::from_millis(tenth * 100 + 50), rate / 10);
        }
        meter
    }

    #[test]
    fn is_right_from_the_first_moment() {
        let mut meter = HashMeter::new();
        assert_eq!(meter.rate(Duration::ZERO, Window::TenSeconds), 0.0);
        meter.record(at(0.25), 1_000);
        for window in [
            Window::TenSeconds,
            Window::OneMinute,
            Window::FifteenMinutes,
        ] {
            assert_eq!(meter.rate(at(0.5), window), 2_000.0);
        }
        assert_eq!(meter.total(), 1_000);
    }

    #[test]
    fn a_steady_rate_is_the_same_in_every_window() {
        for end_s in [1, 9, 10, 11, 59, 61, 899, 900, 901, 2_000] {
            let rates = steady(5_000, end_s).rates(Duration::from_secs(end_s));
            assert_eq!(
                rates,
                HashRates {
                    ten_seconds: 5_000.0,
                    one_minute: 5_000.0,
                    fifteen_minutes: 5_000.0
                },
                "after {end_s} s"
            );
        }
    }

    #[test]
    fn short_windows_follow_a_change_first() {
        let mut meter = steady(1_000, 1_000);
        for second in 1_000..1_010 {
            meter.record(at(second as f64 + 0.5), 4_000);
        }
        let rates = meter.rates(Duration::from_secs(1_010));
        assert_eq!(rates.ten_seconds, 4_000.0);
        assert_eq!(rates.one_minute, 1_500.0);
        assert!((rates.fifteen_minutes - 1_033.3).abs() < 0.1);
    }

    #[test]
    fn falls_to_zero_when_idle() {
        let meter = steady(1_000, 5);
        assert_eq!(
            meter.rate(Duration::from_secs(10), Window::TenSeconds),
            500.0
        );
        assert_eq!(meter.rate(Duration::from_secs(16), Window::TenSeconds), 0.0);
        assert!(meter.rate(Duration::from_secs(16), Window::OneMinute) > 0.0);
        assert_eq!(
            meter.rate(Duration::from_secs(10_000), Window::FifteenMinutes),
            0.0
        );
        assert_eq!(meter.total(), 5_000);
    }

    #[test]
    fn old_hashes_do_not_come_back_after_a_long_rest() {
        let mut meter = steady(1_000, 950);
        meter.record(Duration::from_secs(5_000), 77);
        assert_eq!(
            meter.rate(Duration::from_secs(5_000), Window::FifteenMinutes),
            77.0 / 900.0
        );
    }

    #[test]
    fn devices_add_up() {
        let one = HashRates {
            ten_seconds: 1.0,
            one_minute: 2.0,
            fifteen_minutes: 3.0,
        };
        let other = HashRates {
            ten_seconds: 10.0,
            one_minute: 20.0,
            fifteen_minutes: 30.0,
        };
        let sum = HashRates {
            ten_seconds: 11.0,
            one_minute: 22.0,
            fifteen_minutes: 33.0,
        };
        assert_eq!(one.plus(other), sum);
    }
}
