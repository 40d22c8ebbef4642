//! How long a driver may be silent before it counts as hung.
//!
//! OpenCL on the processor runs only when nobody else wants the processor, and so does who waits for it. On a busy machine both stand
//! still for as long as the others please, which is no fault of the driver: a look that comes late counts for no more than one in time.

use std::time::{Duration, Instant};

/// A look counts for this many times the time between two looks at most.
const LATEST: u32 = 2;

/// Time that is left to a driver.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    left: Duration,
    most_per_look: Duration,
    last: Instant,
}

impl Patience {
    /// A silence that begins at `now` and may last for `total`, where somebody looks every `between_looks`.
    pub(super) fn new(total: Duration, between_looks: Duration, now: Instant) -> Self {
        Self {
            left: total,
            most_per_look: between_looks * LATEST,
            last: now,
        }
    }

    /// Takes note of a look in vain, and says whether it was the last.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.last);
        self.last = now;
        self.left = self.left.saturating_sub(since.min(self.most_per_look));
        self.left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// How long it lasts when looks come this far apart.
    fn lasts(apart: Duration) -> Duration {
        let start = Instant::now();
        let mut patience = Patience::new(200 * MS, MS, start);
        let mut now = start + apart;
        while !patience.is_over(now) {
            now += apart;
        }
        now - start
    }

    #[test]
    fn looks_in_time_count_in_full() {
        assert_eq!(lasts(MS), 200 * MS);
        assert_eq!(lasts(2 * MS), 200 * MS);
    }

    #[test]
    fn on_a_busy_machine_it_lasts_longer() {
        assert_eq!(lasts(20 * MS), 2_000 * MS);
        // Nobody had a turn for a minute: that is one look.
        let start = Instant::now();
        let mut patience = Patience::new(200 * MS, MS, start);
        assert!(!patience.is_over(start + 60_000 * MS));
    }
}
