//! The time, as an argument: the system's in the program, any in a test.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in Unix seconds. Clones are the same clock: what sets one sets all.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    source: Box<dyn Fn() -> u64 + Send + Sync>,
    /// The time at which the clock stands still; 0 when it goes.
    stopped_at: AtomicU64,
}

impl Clock {
    /// The system's clock. A time before 1970 reads as 0.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |elapsed| elapsed.as_secs())
        })
    }

    /// A clock that says what `f` returns.
    #[must_use]
    pub fn new(f: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(f),
            stopped_at: AtomicU64::new(0),
        }))
    }

    /// The present time in Unix seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        match self.0.stopped_at.load(Ordering::Relaxed) {
            0 => (self.0.source)(),
            time => time,
        }
    }

    /// Sets the clock to a time, at which it then stands still; 0 lets it go again (Bitcoin Core's `SetMockTime`).
    pub fn stop_at(&self, time: u64) {
        self.0.stopped_at.store(time, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_stopped_stands_still_for_all_who_have_it() {
        let clock = Clock::new(|| 7);
        let other = clock.clone();
        assert_eq!(other.now(), 7);
        clock.stop_at(1_000);
        assert_eq!(other.now(), 1_000);
        clock.stop_at(0);
        assert_eq!(other.now(), 7);
    }
}
