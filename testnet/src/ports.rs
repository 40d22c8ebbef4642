//! Ports for nodes that will listen on them a moment later, in a process of their own.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::TestnetError;

/// Where the search for a user's RPC ports begins.
const FIRST_RPC_PORT: u16 = 19_332;
/// Where the search for a user's peer-to-peer ports begins.
const FIRST_P2P_PORT: u16 = 19_432;
/// Ports for tests: below those that the system gives to whoever connects (32,768 and up on Linux, 49,152 and up
/// elsewhere), so that no connection takes one between its choice and the start of its node.
const UNSHARED: std::ops::Range<u16> = 20_000..32_768;
/// How far apart the searches of processes with neighbouring numbers begin. It shares no factor with the number of
/// [`UNSHARED`] ports.
const STRIDE: u32 = 257;

/// Where ports come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// The first free ones of a fixed range: easy to remember.
    Fixed,
    /// Each once in the life of this process: tests that run side by side, and nodes that start again.
    Unshared,
}

/// An RPC port and a peer-to-peer port for each node, all free at this moment.
pub(crate) fn choose_ports(
    nodes: usize,
    choice: PortChoice,
) -> Result<Vec<(u16, u16)>, TestnetError> {
    match choice {
        PortChoice::Unshared => (0..nodes)
            .map(|_| Ok((unshared_port()?, unshared_port()?)))
            .collect::<io::Result<_>>(),
        PortChoice::Fixed => fixed_ports(nodes),
    }
    .map_err(TestnetError::NoPort)
}

/// A port that nobody listens on and that this process gets only once.
///
/// # Errors
/// All of the range are taken.
pub fn unshared_port() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let range = u32::from(UNSHARED.end - UNSHARED.start);
    let first = std::process::id() % range * STRIDE;
    for _ in 0..range {
        let place = (first + NEXT.fetch_add(1, Ordering::Relaxed) % range) % range;
        // The remainder of a division by the length of a range of 16-bit numbers.
        let port = UNSHARED.start + u16::try_from(place).unwrap_or(0);
        if listen(port).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other(format!(
        "all from {} to {} are taken",
        UNSHARED.start,
        UNSHARED.end - 1
    )))
}

fn fixed_ports(nodes: usize) -> io::Result<Vec<(u16, u16)>> {
    // Listeners stay open until all ports are chosen, so that none is chosen twice.
    let rpc = first_free(nodes, FIRST_RPC_PORT)?;
    let p2p = first_free(nodes, FIRST_P2P_PORT)?;
    let number = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    rpc.iter()
        .zip(&p2p)
        .map(|(rpc, p2p)| Ok((number(rpc)?, number(p2p)?)))
        .collect()
}

fn first_free(count: usize, first: u16) -> io::Result<Vec<TcpListener>> {
    let free: Vec<_> = (first..=u16::MAX)
        .filter_map(|port| listen(port).ok())
        .take(count)
        .collect();
    if free.len() == count {
        Ok(free)
    } else {
        Err(io::Error::other(format!("all from {first} on are taken")))
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_are_distinct() {
        for choice in [PortChoice::Fixed, PortChoice::Unshared] {
            let ports = choose_ports(10, choice).unwrap();
            let all: BTreeSet<u16> = ports.iter().flat_map(|(rpc, p2p)| [*rpc, *p2p]).collect();
            assert_eq!(all.len(), 20, "{choice:?}");
        }
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_left_out_and_none_comes_twice() {
        let mut seen = BTreeSet::new();
        let _held: Vec<_> = (0..50)
            .map(|_| {
                let port = unshared_port().unwrap();
                assert!(seen.insert(port) && UNSHARED.contains(&port), "{port}");
                listen(port)
            })
            .collect();
    }
}
