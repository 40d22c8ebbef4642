//! The gate: which connections may exist at all.
//!
//! A behaviour without a protocol. It denies connections while the network is inactive, to and from
//! peers that are blocked, by who or where they are, or refused, and beyond the limit on peers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::blocked::Blocked;
use crate::misbehaviour::Misbehaviour;

/// Connections that we make by ourselves; added peers come on top.
pub(crate) const TARGET_OUTBOUND: usize = 8;

/// Why a connection is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The network is set inactive.
    Inactive,
    /// The peer, or its address, is blocked.
    Blocked,
    /// The peer misbehaved, or is of another chain.
    Refused,
    /// There are as many peers as allowed.
    Full,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactive => "the network is inactive",
            Self::Blocked => "the peer is blocked",
            Self::Refused => "the peer is refused for a while",
            Self::Full => "there are enough peers",
        })
    }
}

impl std::error::Error for Denied {}

/// The gate's state.
pub(crate) struct Gate {
    pub(crate) active: bool,
    pub(crate) blocked: Blocked,
    pub(crate) misbehaviour: Misbehaviour,
    max_peers: usize,
    /// Who made the first connection with each connected peer.
    established: HashMap<PeerId, Endpoint>,
}

impl Gate {
    pub(crate) fn new(max_peers: usize) -> Self {
        Self {
            active: true,
            blocked: Blocked::default(),
            misbehaviour: Misbehaviour::default(),
            max_peers,
            established: HashMap::new(),
        }
    }

    /// Whether a connection with that peer may exist.
    pub(crate) fn admits(&self, peer: &PeerId, now: Instant) -> Result<(), Denied> {
        if !self.active {
            Err(Denied::Inactive)
        } else if self.blocked.peers.contains(peer) {
            Err(Denied::Blocked)
        } else if self.misbehaviour.is_refused(peer, now) {
            Err(Denied::Refused)
        } else if self.established.len() >= self.max_peers && !self.established.contains_key(peer) {
            Err(Denied::Full)
        } else {
            Ok(())
        }
    }

    /// Whether that peer may connect to us. Some places are left for peers of our own choice: otherwise
    /// whoever connects often enough decides what we see of the network.
    fn admits_inbound(&self, peer: &PeerId, now: Instant) -> Result<(), Denied> {
        self.admits(peer, now)?;
        let reserved = TARGET_OUTBOUND.min(self.max_peers / 4);
        let inbound = self.established.values().filter(|side| side.is_listener());
        if inbound.count() >= self.max_peers - reserved && !self.established.contains_key(peer) {
            return Err(Denied::Full);
        }
        Ok(())
    }

    /// Whether a connection with somebody at that address may exist.
    fn admits_address(&self, address: &Multiaddr) -> Result<(), Denied> {
        match self.blocked.has_address(address) {
            true => Err(Denied::Blocked),
            false => Ok(()),
        }
    }

    fn admit(&self, peer: &PeerId) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        self.admits(peer, Instant::now())
            .map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if self.active {
            self.admits_address(remote).map_err(ConnectionDenied::new)
        } else {
            Err(ConnectionDenied::new(Denied::Inactive))
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admits_inbound(&peer, Instant::now())
            .map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        // Of several, one that is not blocked may be reached.
        let is_blocked = |address| self.admits_address(address).is_err();
        if !addresses.is_empty() && addresses.iter().all(is_blocked) {
            return Err(ConnectionDenied::new(Denied::Blocked));
        }
        match peer {
            Some(peer) => self.admit(&peer).map(|_| Vec::new()),
            None if self.active => Ok(Vec::new()),
            None => Err(ConnectionDenied::new(Denied::Inactive)),
        }
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admits_address(address)
            .map_err(ConnectionDenied::new)?;
        self.admit(&peer)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => {
                let side = event.endpoint.to_endpoint();
                self.established.entry(event.peer_id).or_insert(side);
            }
            FromSwarm::ConnectionClosed(event) if event.remaining_established == 0 => {
                self.established.remove(&event.peer_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocked::AddressRange;
    use crate::misbehaviour::Offence;

    #[test]
    fn the_gate_denies_for_each_reason() {
        let (mut gate, now) = (Gate::new(2), Instant::now());
        let [a, b, c] = [(); 3].map(|()| PeerId::random());
        assert_eq!(gate.admits(&a, now), Ok(()));
        gate.blocked.peers.insert(a);
        assert_eq!(gate.admits(&a, now), Err(Denied::Blocked));
        gate.blocked.peers.clear();
        gate.misbehaviour.punish(a, Offence::InvalidData, now);
        assert_eq!(gate.admits(&a, now), Err(Denied::Refused));
        gate.established
            .extend([(b, Endpoint::Dialer), (a, Endpoint::Listener)]);
        assert_eq!(gate.admits(&c, now), Err(Denied::Full));
        assert_eq!(gate.admits(&b, now), Ok(()));
        gate.active = false;
        assert_eq!(gate.admits(&b, now), Err(Denied::Inactive));
    }

    #[test]
    fn blocked_addresses_are_denied_in_both_directions() {
        let mut gate = Gate::new(2);
        let [there, elsewhere] =
            ["/ip4/10.0.0.7/tcp/1", "/ip4/10.0.0.8/tcp/1"].map(|text| text.parse().unwrap());
        let number = ConnectionId::new_unchecked(1);
        let local: Multiaddr = "/ip4/10.0.0.1/tcp/1".parse().unwrap();
        let inbound = |gate: &mut Gate, remote: &Multiaddr| {
            gate.handle_pending_inbound_connection(number, &local, remote)
                .is_ok()
        };
        let outbound = |gate: &mut Gate, addresses: &[Multiaddr]| {
            gate.handle_pending_outbound_connection(number, None, addresses, Endpoint::Dialer)
                .is_ok()
        };
        assert!(inbound(&mut gate, &there));
        let [first, last] = ["10.0.0.0", "10.0.0.7"].map(|text| text.parse().unwrap());
        gate.blocked.addresses = vec![AddressRange { first, last }];
        assert!(!inbound(&mut gate, &there));
        assert!(inbound(&mut gate, &elsewhere));
        assert!(!outbound(&mut gate, std::slice::from_ref(&there)));
        assert!(outbound(&mut gate, &[there.clone(), elsewhere]));
        assert!(outbound(&mut gate, &[]));
        let peer = PeerId::random();
        let established = gate.handle_established_outbound_connection(
            number,
            peer,
            &there,
            Endpoint::Dialer,
            PortUse::New,
        );
        assert!(established.is_err());
    }

    #[test]
    fn peers_that_connect_to_us_leave_places_for_those_that_we_choose() {
        let (mut gate, now) = (Gate::new(12), Instant::now());
        let connected: Vec<PeerId> = (0..9).map(|_| PeerId::random()).collect();
        let inbound = connected.iter().map(|peer| (*peer, Endpoint::Listener));
        gate.established.extend(inbound);
        let other = PeerId::random();
        assert_eq!(gate.admits_inbound(&other, now), Err(Denied::Full));
        assert_eq!(gate.admits(&other, now), Ok(()), "we may dial it");
        assert_eq!(gate.admits_inbound(&connected[0], now), Ok(()));
        gate.established.insert(connected[0], Endpoint::Dialer);
        assert_eq!(gate.admits_inbound(&other, now), Ok(()));
    }
}
