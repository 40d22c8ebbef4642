//! Addresses of peers: reading what people type, and which addresses from peers to believe.

use std::net::{IpAddr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::NetworkError;

/// The longest address text that is read.
const MAX_TEXT_LENGTH: usize = 512;

/// Reads a peer's address: a multiaddr with a TCP port, or `host:port`.
///
/// # Errors
/// [`NetworkError::Address`] when it is neither.
pub fn parse_peer_address(text: &str) -> Result<Multiaddr, NetworkError> {
    let error = |reason| NetworkError::Address {
        text: shorten(text, 64),
        reason,
    };
    if text.len() > MAX_TEXT_LENGTH {
        return Err(error("it is too long"));
    }
    if text.starts_with('/') {
        let address: Multiaddr = text
            .parse()
            .map_err(|_| error("it is not a valid multiaddr"))?;
        return if is_dialable(&address) {
            Ok(address)
        } else {
            Err(error("it names no host and TCP port"))
        };
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return socket_address(socket.ip(), socket.port()).ok_or_else(|| error("its port is 0"));
    }
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| error("it has no port"))?;
    let port: u16 = port
        .parse()
        .map_err(|_| error("its port is not a number up to 65535"))?;
    if port == 0 {
        return Err(error("its port is 0"));
    }
    let is_name = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_'));
    if !is_name {
        return Err(error("its host is not a name"));
    }
    Ok(Multiaddr::empty()
        .with(Protocol::Dns(host.into()))
        .with(Protocol::Tcp(port)))
}

fn socket_address(ip: IpAddr, port: u16) -> Option<Multiaddr> {
    (port != 0).then(|| Multiaddr::from(ip).with(Protocol::Tcp(port)))
}

fn is_dialable(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let host = matches!(
        parts.next(),
        Some(
            Protocol::Ip4(_)
                | Protocol::Ip6(_)
                | Protocol::Dns(_)
                | Protocol::Dns4(_)
                | Protocol::Dns6(_)
        )
    );
    let port = matches!(parts.next(), Some(Protocol::Tcp(port)) if port != 0);
    let end = match parts.next() {
        None => true,
        Some(Protocol::P2p(_)) => parts.next().is_none(),
        Some(_) => false,
    };
    host && port && end
}

/// Splits an address into the part to dial and the peer's id, where it names one.
pub(crate) fn split_peer_id(mut address: Multiaddr) -> (Multiaddr, Option<PeerId>) {
    let peer = match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    };
    if peer.is_some() {
        address.pop();
    }
    (address, peer)
}

/// The address as `host:port`, which is how Bitcoin's clients know it; the multiaddr if it has no such form.
pub(crate) fn host_and_port(address: &Multiaddr) -> String {
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => format!("{ip}:{port}"),
        (Some(Protocol::Ip6(ip)), Some(Protocol::Tcp(port))) => format!("[{ip}]:{port}"),
        (
            Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)),
            Some(Protocol::Tcp(port)),
        ) => format!("{name}:{port}"),
        _ => address.to_string(),
    }
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// Everywhere, or not known.
    Public,
}

pub(crate) fn reach(address: &Multiaddr) -> Reach {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) if ip.is_loopback() => Reach::Loopback,
        Some(Protocol::Ip4(ip)) if ip.is_private() || ip.is_link_local() => Reach::Private,
        Some(Protocol::Ip6(ip)) if ip.is_loopback() => Reach::Loopback,
        Some(Protocol::Ip6(ip)) if ip.is_unique_local() || ip.is_unicast_link_local() => {
            Reach::Private
        }
        _ => Reach::Public,
    }
}

/// Whether to believe an address that a peer told us, about itself or another.
///
/// A peer could make us dial machines that have nothing to do with the network. So only addresses of the
/// kind of network on which it talks to us count: loopback addresses from a peer on this machine, private ones
/// from this machine or a private network; other addresses must be configured.
pub(crate) fn is_believable(told: &Multiaddr, teller: &Multiaddr) -> bool {
    let numeric = matches!(
        told.iter().next(),
        Some(Protocol::Ip4(_) | Protocol::Ip6(_))
    );
    if !numeric || !is_dialable(told) {
        return false;
    }
    match reach(told) {
        Reach::Loopback => reach(teller) == Reach::Loopback,
        Reach::Private => reach(teller) <= Reach::Private,
        Reach::Public => false,
    }
}

/// At most `length` characters of a text from outside, safe to print.
pub(crate) fn shorten(text: &str, length: usize) -> String {
    text.chars()
        .take(length)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_type() {
        let peer = PeerId::random();
        for (text, expected) in [
            ("127.0.0.1:18444", "/ip4/127.0.0.1/tcp/18444".to_owned()),
            ("[::1]:18444", "/ip6/::1/tcp/18444".to_owned()),
            ("node-1.local:9", "/dns/node-1.local/tcp/9".to_owned()),
            ("/ip4/10.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1".to_owned()),
            (
                &format!("/dns4/a/tcp/2/p2p/{peer}"),
                format!("/dns4/a/tcp/2/p2p/{peer}"),
            ),
        ] {
            assert_eq!(parse_peer_address(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_not_an_address() {
        for text in [
            "",
            "host",
            "host:",
            ":1",
            "host:0",
            "127.0.0.1:0",
            "host:65536",
            "ho st:1",
            "/ip4/1.2.3.4",
            "/ip4/1.2.3.4/udp/1",
            "/nonsense",
            "/ip4/1.2.3.4/tcp/0",
            "/ip4/1.2.3.4/tcp/1/ws",
            &"a".repeat(600),
        ] {
            let error = parse_peer_address(text).unwrap_err();
            assert!(
                matches!(error, NetworkError::Address { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn host_and_port_reads_back() {
        for text in ["127.0.0.1:18444", "[::1]:18444", "node.local:9"] {
            assert_eq!(host_and_port(&parse_peer_address(text).unwrap()), text);
        }
    }

    #[test]
    fn only_addresses_of_the_tellers_own_network_are_believed() {
        let at = |text: &str| parse_peer_address(text).unwrap();
        let (here, lan, world) = (at("127.0.0.1:1"), at("192.168.1.1:1"), at("8.8.8.8:1"));
        assert!(is_believable(&here, &here));
        assert!(is_believable(&lan, &here));
        assert!(is_believable(&lan, &lan));
        assert!(!is_believable(&here, &lan));
        assert!(!is_believable(&lan, &world));
        assert!(!is_believable(&world, &here));
        assert!(!is_believable(&at("localhost:1"), &here));
    }

    #[test]
    fn peer_ids_are_split_off() {
        let peer = PeerId::random();
        let plain = parse_peer_address("127.0.0.1:1").unwrap();
        assert_eq!(split_peer_id(plain.clone()), (plain.clone(), None));
        assert_eq!(
            split_peer_id(plain.clone().with(Protocol::P2p(peer))),
            (plain, Some(peer))
        );
    }
}
