//! What the clients of a flood tell each other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyrite_consensus::bitcoin::Txid;
use rand::Rng;

/// How many of the payments that were taken last are remembered.
const MAX_RECENT: usize = 4096;

/// What the clients of a flood share.
#[derive(Default)]
pub(super) struct Shared {
    /// The lowest fee rate that the mempool takes, as it said last.
    min_fee_sat_per_kvb: AtomicU64,
    recent: Mutex<VecDeque<Txid>>,
    is_over: AtomicBool,
    end: (Mutex<()>, Condvar),
}

impl Shared {
    /// Whether to stop.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Tells all to stop.
    pub(super) fn stop(&self) {
        let _guard = lock(&self.end.0);
        self.is_over.store(true, Ordering::Relaxed);
        self.end.1.notify_all();
    }

    /// Waits so long, or until all are told to stop.
    pub(super) fn wait(&self, time: Duration) {
        let guard = lock(&self.end.0);
        let _ = self
            .end
            .1
            .wait_timeout_while(guard, time, |()| !self.is_over());
    }

    pub(super) fn min_fee_sat_per_kvb(&self) -> u64 {
        self.min_fee_sat_per_kvb.load(Ordering::Relaxed)
    }

    pub(super) fn set_min_fee(&self, sat_per_kvb: u64) {
        self.min_fee_sat_per_kvb
            .store(sat_per_kvb, Ordering::Relaxed);
    }

    /// Notes a payment that the mempool took.
    pub(super) fn note_accepted(&self, txid: Txid) {
        let mut recent = lock(&self.recent);
        if recent.len() == MAX_RECENT {
            recent.pop_front();
        }
        recent.push_back(txid);
    }

    /// One of the payments that were taken last.
    pub(super) fn any_recent(&self, random: &mut impl Rng) -> Option<Txid> {
        let recent = lock(&self.recent);
        if recent.is_empty() {
            return None;
        }
        recent.get(random.gen_range(0..recent.len())).copied()
    }
}

/// Nothing panics while it holds one of these; if it did, what is in there is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
