//! Transactions whose scripts have verified, with the rules they were verified under. Bounded.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use pyrite_consensus::bitcoin::Wtxid;
use pyrite_consensus::script::ScriptFlags;

/// Transactions in one generation: what fits a table of 2^18 places, 10 MB. There are two.
const GENERATION: usize = (1 << 18) / 8 * 7;

/// Remembers at least the last 229,376 transactions that were inserted, in 20 MB at most.
///
/// A transaction is known by its wtxid, which commits to everything that its scripts look at: itself
/// with its witnesses, and through its inputs the outputs that it spends. What is in the table was
/// verified, so nobody can put in what is invalid; the table's own random keys keep others from
/// choosing ids that collide in it.
pub(super) struct VerifiedScripts {
    generations: RwLock<Generations>,
    bound: usize,
}

#[derive(Default)]
struct Generations {
    current: HashMap<Wtxid, ScriptFlags>,
    previous: HashMap<Wtxid, ScriptFlags>,
}

impl Default for VerifiedScripts {
    fn default() -> Self {
        Self::with_bound(GENERATION)
    }
}

impl VerifiedScripts {
    fn with_bound(bound: usize) -> Self {
        Self {
            generations: RwLock::default(),
            bound,
        }
    }

    /// Whether a transaction's scripts have verified under `flags`, or under more than those: a flag
    /// only ever forbids.
    pub(super) fn contains(&self, wtxid: &Wtxid, flags: ScriptFlags) -> bool {
        let generations = self
            .generations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let Generations { current, previous } = &*generations;
        [current, previous]
            .into_iter()
            .any(|known| known.get(wtxid).is_some_and(|known| known.contains(flags)))
    }

    /// Notes that a transaction's scripts have verified under `flags`.
    pub(super) fn insert(&self, wtxid: Wtxid, flags: ScriptFlags) {
        let mut generations = self
            .generations
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Generations { current, previous } = &mut *generations;
        if current.len() >= self.bound && !current.contains_key(&wtxid) {
            std::mem::swap(current, previous);
            current.clear();
        }
        current.insert(wtxid, flags);
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::hashes::Hash;

    use super::*;

    fn wtxid(number: u8) -> Wtxid {
        Wtxid::from_byte_array([number; 32])
    }

    #[test]
    fn what_was_verified_under_more_flags_is_known_under_fewer() {
        let verified = VerifiedScripts::default();
        let both = ScriptFlags::P2SH | ScriptFlags::DERSIG;
        verified.insert(wtxid(1), both);
        for flags in [
            ScriptFlags::NONE,
            ScriptFlags::P2SH,
            ScriptFlags::DERSIG,
            both,
        ] {
            assert!(verified.contains(&wtxid(1), flags));
            assert!(!verified.contains(&wtxid(2), flags));
        }
        assert!(!verified.contains(&wtxid(1), both | ScriptFlags::TAPROOT));
        assert!(!verified.contains(&wtxid(1), ScriptFlags::WITNESS));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let verified = VerifiedScripts::with_bound(3);
        let known = |numbers: std::ops::Range<u8>| {
            numbers
                .filter(|number| verified.contains(&wtxid(*number), ScriptFlags::ALL))
                .collect::<Vec<_>>()
        };
        for number in 0..6 {
            verified.insert(wtxid(number), ScriptFlags::ALL);
        }
        assert_eq!(known(0..10), [0, 1, 2, 3, 4, 5]);
        verified.insert(wtxid(5), ScriptFlags::ALL);
        assert_eq!(known(0..10), [0, 1, 2, 3, 4, 5], "not a new one");
        verified.insert(wtxid(6), ScriptFlags::ALL);
        assert_eq!(known(0..10), [3, 4, 5, 6]);
    }
}
