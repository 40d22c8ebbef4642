//! Peers that may not connect, until a time: by peer id, where Bitcoin Core bans addresses, because nodes of a
//! private network share one.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pyrite_network::PeerId;

/// Bans that are kept at most; a client can't make the list grow without end.
const MAX_BANS: usize = 10_000;

/// When a ban was made and when it ends, Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ban {
    pub(super) created: u64,
    pub(super) until: u64,
}

/// Why a ban was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BanError {
    /// The peer is banned already.
    Already,
    /// There are too many.
    Full,
}

/// The bans in force.
#[derive(Debug, Default)]
pub(super) struct Bans(Mutex<BTreeMap<PeerId, Ban>>);

impl Bans {
    /// Bans a peer; `now` in Unix seconds.
    pub(super) fn add(&self, peer: PeerId, ban: Ban, now: u64) -> Result<(), BanError> {
        let mut bans = self.in_force(now);
        if bans.contains_key(&peer) {
            return Err(BanError::Already);
        }
        if bans.len() >= MAX_BANS {
            return Err(BanError::Full);
        }
        bans.insert(peer, ban);
        Ok(())
    }

    /// Lifts a ban. Says whether there was one.
    pub(super) fn remove(&self, peer: &PeerId, now: u64) -> bool {
        self.in_force(now).remove(peer).is_some()
    }

    /// Lifts every ban.
    pub(super) fn clear(&self) {
        self.in_force(0).clear();
    }

    /// The bans in force.
    pub(super) fn list(&self, now: u64) -> Vec<(PeerId, Ban)> {
        self.in_force(now)
            .iter()
            .map(|(peer, ban)| (*peer, *ban))
            .collect()
    }

    /// The bans, without those that have ended.
    fn in_force(&self, now: u64) -> std::sync::MutexGuard<'_, BTreeMap<PeerId, Ban>> {
        let mut bans = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        bans.retain(|_, ban| ban.until > now);
        bans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends_by_itself_or_is_lifted() {
        let bans = Bans::default();
        let (first, second) = (PeerId::random(), PeerId::random());
        let ban = Ban {
            created: 100,
            until: 200,
        };
        assert_eq!(bans.add(first, ban, 100), Ok(()));
        assert_eq!(bans.add(first, ban, 150), Err(BanError::Already));
        assert_eq!(bans.list(199), [(first, ban)]);
        assert_eq!(bans.list(200), []);
        assert!(!bans.remove(&first, 200));
        assert_eq!(bans.add(first, Ban { until: 300, ..ban }, 200), Ok(()));
        assert_eq!(bans.add(second, Ban { until: 300, ..ban }, 200), Ok(()));
        assert!(bans.remove(&first, 200));
        assert_eq!(bans.list(200).len(), 1);
        bans.clear();
        assert_eq!(bans.list(0), []);
    }
}
