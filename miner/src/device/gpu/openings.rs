//! One opening of a device at a time. Who stops mining does not wait for an opening, so the next start may find one that still goes on:
//! it waits its turn, and has the tuning that the other found.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::patience::Patience;
use crate::GpuError;

/// Between two looks at the time.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The devices that are being opened.
static OPENINGS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static CHANGED: Condvar = Condvar::new();

/// The right to open a device, until it is dropped.
#[derive(Debug)]
pub(super) struct Opening {
    key: String,
}

impl Opening {
    /// Waits until nobody else opens the device, for so long at most.
    pub(super) fn begin(key: &str, within: Duration) -> Result<Self, GpuError> {
        let mut patience = Patience::new(within, BETWEEN_LOOKS, Instant::now());
        let mut openings = OPENINGS.lock().unwrap_or_else(PoisonError::into_inner);
        while !openings.insert(key.to_owned()) {
            let waited = CHANGED.wait_timeout(openings, BETWEEN_LOOKS);
            openings = waited.unwrap_or_else(PoisonError::into_inner).0;
            if patience.is_over(Instant::now()) {
                return Err(GpuError::Hangs {
                    device: key.to_owned(),
                    waited_s: within.as_secs(),
                });
            }
        }
        Ok(Self {
            key: key.to_owned(),
        })
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut openings = OPENINGS.lock().unwrap_or_else(PoisonError::into_inner);
        openings.remove(&self.key);
        CHANGED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_secs(120);

    #[test]
    fn the_second_waits_for_the_first() {
        let first = Opening::begin("one card", PATIENT).unwrap();
        let hung = Opening::begin("one card", Duration::from_millis(1));
        assert!(matches!(hung, Err(GpuError::Hangs { .. })));
        let other = Opening::begin("another card", PATIENT);
        assert!(other.is_ok());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Opening::begin("one card", PATIENT).is_ok());
            drop(first);
            assert!(second.join().unwrap());
        });
    }
}
