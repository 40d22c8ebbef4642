//! With whom a node has no connections: peers, and ranges of addresses.

use std::collections::HashSet;
use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Addresses from the first to the last, both included, of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// The lowest of them.
    pub first: IpAddr,
    /// The highest of them.
    pub last: IpAddr,
}

impl AddressRange {
    fn contains(&self, address: IpAddr) -> bool {
        // Every address of IPv4 is less than any of IPv6.
        let address = address.to_canonical();
        self.first <= address && address <= self.last
    }
}

/// With whom no connection may exist, in either direction.
#[derive(Clone, Debug, Default)]
pub struct Blocked {
    /// By who they are.
    pub peers: HashSet<PeerId>,
    /// By where they are. Names are not looked up: a peer that is dialed by its name is not blocked by its address.
    pub addresses: Vec<AddressRange>,
}

impl Blocked {
    /// These peers, and no addresses.
    #[must_use]
    pub fn peers(peers: impl IntoIterator<Item = PeerId>) -> Self {
        Self {
            peers: peers.into_iter().collect(),
            addresses: Vec::new(),
        }
    }

    /// Whether an address is blocked.
    pub(crate) fn has_address(&self, address: &Multiaddr) -> bool {
        let address = match address.iter().next() {
            Some(Protocol::Ip4(address)) => IpAddr::V4(address),
            Some(Protocol::Ip6(address)) => IpAddr::V6(address),
            _ => return false,
        };
        self.addresses.iter().any(|range| range.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_blocked_from_the_first_to_the_last() {
        let range = |first: &str, last: &str| AddressRange {
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
        };
        let blocked = Blocked {
            peers: HashSet::new(),
            addresses: vec![
                range("10.0.1.0", "10.0.1.255"),
                range("2001:db8::", "2001:db8::ffff"),
            ],
        };
        for (address, is_blocked) in [
            ("/ip4/10.0.0.255/tcp/1", false),
            ("/ip4/10.0.1.0/tcp/1", true),
            ("/ip4/10.0.1.255/tcp/1", true),
            ("/ip4/10.0.2.0/tcp/1", false),
            ("/ip6/::ffff:10.0.1.7/tcp/1", true),
            ("/ip6/2001:db8::7/tcp/1", true),
            ("/ip6/2001:db8::1:0/tcp/1", false),
            ("/dns4/localhost/tcp/1", false),
            ("/memory/1", false),
        ] {
            let address: Multiaddr = address.parse().unwrap();
            assert_eq!(blocked.has_address(&address), is_blocked, "{address}");
        }
    }
}
