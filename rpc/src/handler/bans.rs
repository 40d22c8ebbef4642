//! Who may not connect, until a time: addresses and subnets, as in Bitcoin Core, and peers by their id, because the nodes of
//! a private network share one address.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyrite_network::{AddressRange, Blocked, PeerId};

use crate::auth::Subnet;

/// Bans that are kept at most; a client can't make the list grow without end.
const MAX_BANS: usize = 10_000;

/// Who is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Banned {
    /// Whoever has one of these addresses.
    Addresses(Subnet),
    /// A peer, wherever it is.
    Peer(PeerId),
}

impl Banned {
    /// Who is meant by an address, a subnet or a peer id; `None` if it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(subnet) => Some(Self::Addresses(subnet)),
            Err(_) => text.parse().ok().map(Self::Peer),
        }
    }
}

impl fmt::Display for Banned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(subnet) => subnet.fmt(formatter),
            Self::Peer(peer) => peer.fmt(formatter),
        }
    }
}

/// When a ban was made and when it ends, Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ban {
    pub(super) created: u64,
    pub(super) until: u64,
}

/// Why a ban was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BanError {
    /// Who is named is banned already.
    Already,
    /// There are too many.
    Full,
}

/// The bans in force.
#[derive(Debug, Default)]
pub(super) struct Bans(Mutex<BTreeMap<Banned, Ban>>);

impl Bans {
    /// Bans somebody; `now` in Unix seconds. A single address, named without a length (`alone`), is banned already by any
    /// subnet that it is of.
    pub(super) fn add(
        &self,
        banned: Banned,
        alone: Option<IpAddr>,
        ban: Ban,
        now: u64,
    ) -> Result<(), BanError> {
        let mut bans = self.in_force(now);
        let is_of = |other: &Banned| match (other, alone) {
            (Banned::Addresses(subnet), Some(address)) => subnet.contains(address),
            _ => false,
        };
        if bans.contains_key(&banned) || bans.keys().any(is_of) {
            return Err(BanError::Already);
        }
        if bans.len() >= MAX_BANS {
            return Err(BanError::Full);
        }
        bans.insert(banned, ban);
        Ok(())
    }

    /// Lifts a ban. Says whether there was one.
    pub(super) fn remove(&self, banned: &Banned, now: u64) -> bool {
        self.in_force(now).remove(banned).is_some()
    }

    /// Lifts every ban.
    pub(super) fn clear(&self) {
        self.in_force(0).clear();
    }

    /// The bans in force.
    pub(super) fn list(&self, now: u64) -> Vec<(Banned, Ban)> {
        let bans = self.in_force(now);
        bans.iter().map(|(banned, ban)| (*banned, *ban)).collect()
    }

    /// The same as the network takes it.
    pub(super) fn blocked(&self, now: u64) -> Blocked {
        let mut blocked = Blocked::default();
        for banned in self.in_force(now).keys() {
            match banned {
                Banned::Peer(peer) => {
                    blocked.peers.insert(*peer);
                }
                Banned::Addresses(subnet) => blocked.addresses.push(AddressRange {
                    first: subnet.first(),
                    last: subnet.last(),
                }),
            }
        }
        blocked
    }

    /// The bans, without those that have ended.
    fn in_force(&self, now: u64) -> MutexGuard<'_, BTreeMap<Banned, Ban>> {
        let mut bans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bans.retain(|_, ban| ban.until > now);
        bans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAN: Ban = Ban {
        created: 100,
        until: 200,
    };

    #[test]
    fn a_ban_ends_by_itself_or_is_lifted() {
        let bans = Bans::default();
        let [first, second] = [(); 2].map(|()| Banned::Peer(PeerId::random()));
        let longer = Ban { until: 300, ..BAN };
        assert_eq!(bans.add(first, None, BAN, 100), Ok(()));
        assert_eq!(bans.add(first, None, BAN, 150), Err(BanError::Already));
        assert_eq!(bans.list(199), [(first, BAN)]);
        assert_eq!(bans.list(200), []);
        assert!(!bans.remove(&first, 200));
        assert_eq!(bans.add(first, None, longer, 200), Ok(()));
        assert_eq!(bans.add(second, None, longer, 200), Ok(()));
        assert!(bans.remove(&first, 200));
        assert_eq!(bans.list(200).len(), 1);
        bans.clear();
        assert_eq!(bans.list(0), []);
    }

    #[test]
    fn an_address_is_banned_by_its_subnet_and_a_subnet_by_itself_alone() {
        let bans = Bans::default();
        let add = |text: &str| {
            let banned = Banned::read(text).unwrap();
            bans.add(banned, text.parse().ok(), BAN, 100)
        };
        assert_eq!(add("10.0.1.0/24"), Ok(()));
        assert_eq!(add("10.0.1.7"), Err(BanError::Already));
        assert_eq!(add("10.0.1.7/255.255.255.0"), Err(BanError::Already));
        assert_eq!(add("10.0.1.7/32"), Ok(()));
        assert_eq!(add("10.0.0.0/16"), Ok(()));
        assert_eq!(add("::1"), Ok(()));
        let shown = bans.list(100).into_iter();
        let shown: Vec<String> = shown.map(|(banned, _)| banned.to_string()).collect();
        assert_eq!(
            shown,
            ["10.0.0.0/16", "10.0.1.0/24", "10.0.1.7/32", "::1/128"]
        );
        let range = bans.blocked(100).addresses[1];
        assert_eq!(range.last.to_string(), "10.0.1.255");
        assert!(bans.remove(&Banned::read("10.0.1.7").unwrap(), 100));
        assert_eq!(Banned::read("10.0.1.7/33"), None);
    }
}
