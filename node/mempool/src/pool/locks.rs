//! Which entries a lower tip could make invalid: those that spend a coinbase, or wait for a height or a time.

use std::collections::BTreeSet;

use pyrite_consensus::Height;

use super::graph::Slot;

/// The tip that an entry was last found valid on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValidSince {
    /// Its height.
    pub(crate) height: Height,
    /// Its median time past, Unix seconds.
    pub(crate) median_time: u32,
}

/// The entries whose validity depends on height or time, by the tip that they were found valid on: at that
/// height and time, or later ones, they stay so.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks {
    by_height: BTreeSet<(u32, Slot)>,
    by_time: BTreeSet<(u32, Slot)>,
}

impl Locks {
    pub(super) fn insert(&mut self, slot: Slot, since: ValidSince) {
        self.by_height.insert((since.height.0, slot));
        self.by_time.insert((since.median_time, slot));
    }

    pub(super) fn remove(&mut self, slot: Slot, since: ValidSince) {
        self.by_height.remove(&(since.height.0, slot));
        self.by_time.remove(&(since.median_time, slot));
    }

    /// Entries that a tip of this height and median time past could make invalid.
    pub(super) fn doubtful_at(&self, tip: ValidSince) -> BTreeSet<Slot> {
        let lower = self.by_height.range((tip.height.0 + 1, Slot::FIRST)..);
        let earlier = self
            .by_time
            .range((tip.median_time.saturating_add(1), Slot::FIRST)..);
        lower.chain(earlier).map(|(_, slot)| *slot).collect()
    }
}
