//! Tells a device that its job is out of date.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A job's ticket: valid for as long as the work's generation stays what it was.
#[derive(Clone, Debug)]
pub struct Cancel {
    generation: Arc<AtomicU64>,
    expected: u64,
}

impl Cancel {
    /// A ticket for the generation `expected`.
    pub fn new(generation: Arc<AtomicU64>, expected: u64) -> Self {
        Self {
            generation,
            expected,
        }
    }

    /// A ticket that stays valid, for searches that nothing interrupts.
    pub fn never() -> Self {
        Self::new(Arc::new(AtomicU64::new(0)), 0)
    }

    /// Whether the search should end. A device asks at least once in a millisecond.
    pub fn is_cancelled(&self) -> bool {
        self.generation.load(Ordering::Acquire) != self.expected
    }
}
