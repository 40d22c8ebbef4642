//! Connections: dialing, telling peers of our chain from others, one connection per peer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionError, ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId, identify, ping};
use rand::Rng as _;

use super::Service;
use crate::Dialing;
use crate::address::{is_believable, shorten, split_peer_id};
use crate::bandwidth::{Traffic, unix_time};
use crate::gate::TARGET_OUTBOUND;
use crate::message_bytes::MessageBytes;
use crate::peer_table::Peer;
use crate::protocol::message::MAX_PEER_ADDRESSES;
use crate::protocol::names;

/// A peer must say of which chain it is after this time.
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(15);
/// A peer that fails so many pings in a row is gone.
const MAX_FAILED_PINGS: u32 = 3;
/// Peers of other chains of which it is remembered that they were warned of.
const MAX_WARNED: usize = 1024;
const MAX_USER_AGENT: usize = 256;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    peer: PeerId,
    address: Multiaddr,
    inbound: bool,
    traffic: Arc<Traffic>,
    since: Instant,
    /// The address in the book that was dialed for it.
    dialed: Option<Multiaddr>,
}

impl Service {
    /// Makes the dials that are due.
    pub(super) fn dial_due(&mut self) {
        if !self.shared.is_active() {
            return;
        }
        let (connected, outbound) = {
            let table = self.shared.table();
            (table.peers.len(), table.outbound())
        };
        if connected >= self.max_peers {
            return;
        }
        let now = Instant::now();
        let wanted = match self.policy {
            Dialing::Everybody => TARGET_OUTBOUND.saturating_sub(outbound + self.dialing.len()),
            Dialing::NamedOnly => 0,
        };
        let swarm = &self.swarm;
        let gate = &swarm.behaviour().gate;
        let dials = self.book.due(wanted, now, |peer| {
            swarm.is_connected(peer) || gate.admits(peer, now).is_err()
        });
        for dial in dials {
            self.dial(&dial.address, dial.expected);
        }
    }

    /// Dials an address without its peer's id.
    pub(super) fn dial(&mut self, address: &Multiaddr, expected: Option<PeerId>) {
        // A new local port for each: the listener's would clash with a connection that is just closing.
        let options = match expected {
            Some(peer) => DialOpts::peer_id(peer)
                .addresses(vec![address.clone()])
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .allocate_new_port()
                .build(),
            None => DialOpts::unknown_peer_id()
                .address(address.clone())
                .allocate_new_port()
                .build(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dialing.insert(connection, address.clone());
            }
            Err(error) => {
                tracing::debug!(%address, %error, "dial failed");
                self.book.failed(address, Instant::now(), jitter());
            }
        }
    }

    pub(super) fn on_dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        let Some(address) = self.dialing.remove(&connection) else {
            return;
        };
        tracing::debug!(%address, %error, "dial failed");
        if matches!(error, DialError::LocalPeerId { .. }) {
            self.book.is_own(&address);
        } else {
            if let DialError::WrongPeerId { obtained, .. } = error {
                self.book.answered(&address, *obtained);
            }
            self.book.failed(&address, Instant::now(), jitter());
        }
    }

    pub(super) fn on_connected(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        endpoint: &ConnectedPoint,
    ) {
        let dialed = self.dialing.remove(&id);
        if let Some(address) = &dialed {
            self.book.answered(address, peer);
        }
        let connection = Connection {
            peer,
            address: split_peer_id(endpoint.get_remote_address().clone()).0,
            inbound: endpoint.is_listener(),
            traffic: self.shared.meter.claim(endpoint),
            since: Instant::now(),
            dialed,
        };
        self.connections.insert(id, connection);
        self.close_superfluous(&peer);
    }

    /// When two nodes dial each other at the same time, both keep the connection that the one with the
    /// smaller id made. Of several that we made, we keep the first.
    fn close_superfluous(&mut self, peer: &PeerId) {
        let mut ids: Vec<(bool, ConnectionId)> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.peer == *peer)
            .map(|(id, connection)| (connection.inbound, *id))
            .collect();
        ids.sort_unstable();
        let keep_inbound = *peer < self.shared.local_peer_id;
        let kept = ids
            .iter()
            .find(|(inbound, _)| *inbound == keep_inbound)
            .or(ids.first())
            .copied();
        for (inbound, id) in ids {
            // Which of several inbound ones stays is for the peer to say.
            let is_superfluous = kept.is_some_and(|(kept_inbound, kept_id)| {
                id != kept_id && (inbound != kept_inbound || !inbound)
            });
            if is_superfluous {
                tracing::debug!(%peer, "closing a second connection");
                self.swarm.close_connection(id);
            }
        }
    }

    pub(super) fn on_closed(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        cause: Option<&ConnectionError>,
    ) {
        let Some(closed) = self.connections.remove(&id) else {
            return;
        };
        let other = self
            .connections
            .iter()
            .find(|(_, connection)| connection.peer == peer);
        let now = Instant::now();
        let mut table = self.shared.table();
        let was_ready = table.peers.contains_key(&peer);
        if let Some((other_id, other)) = other {
            if let Some(entry) = table
                .peers
                .get_mut(&peer)
                .filter(|entry| entry.connection == id)
            {
                entry.connection = *other_id;
                entry.address = other.address.clone();
                entry.inbound = other.inbound;
                entry.manual = other
                    .dialed
                    .as_ref()
                    .is_some_and(|address| !self.book.is_discovered(address));
                entry.traffic = Arc::clone(&other.traffic);
            }
            drop(table);
            if let Some(address) = &closed.dialed {
                self.book.succeeded(address);
            }
            return;
        }
        table.peers.remove(&peer);
        drop(table);
        if let Some(address) = &closed.dialed {
            if was_ready {
                self.book.succeeded(address);
            } else {
                self.book.failed(address, now, jitter());
            }
        }
        self.book.disconnected(&peer, now, jitter());
        if was_ready {
            tracing::info!(
                %peer,
                address = %closed.address,
                cause = cause.map(tracing::field::display),
                "peer disconnected"
            );
            self.shared.peers_changed.notify_one();
        }
    }

    /// Closes all connections with a peer.
    pub(super) fn close(&mut self, peer: &PeerId) {
        // It is an error only where there is none.
        let _ = self.swarm.disconnect_peer_id(*peer);
    }

    pub(super) fn close_silent_connections(&mut self) {
        let table = self.shared.table();
        let silent: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, connection)| {
                connection.since.elapsed() > IDENTIFY_TIMEOUT
                    && !table.peers.contains_key(&connection.peer)
            })
            .map(|(id, _)| *id)
            .collect();
        drop(table);
        for id in silent {
            self.swarm.close_connection(id);
        }
    }

    pub(super) fn on_identified(&mut self, peer: PeerId, id: ConnectionId, info: identify::Info) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if info.protocol_version != self.names.identify() {
            self.refuse_other_chain(peer, &connection.address.clone(), &info.protocol_version);
            return;
        }
        let teller = connection.address.clone();
        let listens_on: Vec<Multiaddr> = info
            .listen_addrs
            .into_iter()
            .map(|address| split_peer_id(address).0)
            .filter(|address| is_believable(address, &teller))
            .take(MAX_PEER_ADDRESSES)
            .collect();
        let now = Instant::now();
        for address in &listens_on {
            self.book.discover(address.clone(), peer, now);
        }
        for connection in self
            .connections
            .values()
            .filter(|connection| connection.peer == peer)
        {
            if let Some(address) = &connection.dialed {
                self.book.succeeded(address);
            }
        }
        let user_agent = shorten(&info.agent_version, MAX_USER_AGENT);
        self.admit(peer, id, user_agent, listens_on);
    }

    /// Enters a peer of our chain into the table, or updates what is there.
    fn admit(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        user_agent: String,
        listens_on: Vec<Multiaddr>,
    ) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let manual = connection
            .dialed
            .as_ref()
            .is_some_and(|address| !self.book.is_discovered(address));
        let (mut sent, mut received) = (MessageBytes::default(), MessageBytes::default());
        sent.add_handshake(connection.traffic.sent.load(Ordering::Relaxed));
        received.add_handshake(connection.traffic.received.load(Ordering::Relaxed));
        let mut table = self.shared.table();
        if let Some(entry) = table.peers.get_mut(&peer) {
            entry.user_agent = user_agent;
            entry.listens_on = listens_on;
            return;
        }
        let number = table.next_id();
        tracing::info!(
            %peer,
            address = %connection.address,
            inbound = connection.inbound,
            user_agent,
            "peer connected"
        );
        let entry = Peer {
            id: number,
            connection: id,
            address: connection.address.clone(),
            inbound: connection.inbound,
            manual,
            connected_at: unix_time(),
            user_agent,
            listens_on,
            traffic: Arc::clone(&connection.traffic),
            sent,
            received,
            start_height: None,
            tip: None,
            synced_headers: None,
            synced_blocks: None,
            ping_ms: None,
            min_ping_ms: None,
            failed_pings: 0,
            last_block_time: 0,
            last_transaction_time: 0,
        };
        table.peers.insert(peer, entry);
        drop(table);
        self.shared.peers_changed.notify_one();
    }

    fn refuse_other_chain(&mut self, peer: PeerId, address: &Multiaddr, protocol_version: &str) {
        let theirs = names::describe(protocol_version);
        let ours = names::describe(self.names.identify());
        if self.warned.len() >= MAX_WARNED {
            self.warned.clear();
        }
        if self.warned.insert((peer, theirs.clone())) {
            tracing::warn!("refused peer {peer} at {address}: it is of {theirs}, we are of {ours}");
        } else {
            tracing::debug!(%peer, %address, theirs, "refused a peer of another chain again");
        }
        let gate = &mut self.swarm.behaviour_mut().gate;
        gate.misbehaviour.refuse_other_chain(peer, Instant::now());
        self.close(&peer);
    }

    pub(super) fn on_ping(&mut self, event: &ping::Event) {
        let mut is_gone = false;
        self.shared
            .update_peer(&event.peer, |entry| match &event.result {
                Ok(time) => entry.pinged(time.as_secs_f64() * 1000.0),
                Err(_) => {
                    entry.failed_pings += 1;
                    is_gone = entry.failed_pings >= MAX_FAILED_PINGS;
                }
            });
        if is_gone {
            tracing::info!(peer = %event.peer, "peer does not answer pings");
            self.close(&event.peer);
        }
    }

    pub(super) fn on_mdns(&mut self, found: Vec<(PeerId, Multiaddr)>) {
        let now = Instant::now();
        for (peer, address) in found {
            if peer != self.shared.local_peer_id {
                self.book.discover(split_peer_id(address).0, peer, now);
            }
        }
        self.dial_due();
    }
}

fn jitter() -> f64 {
    rand::thread_rng().gen_range(0.0..1.0)
}
