//! The peers of our chain that we are connected to, and what is known about them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use pyrite_consensus::bitcoin::BlockHash;

use crate::TipSummary;
use crate::address::host_and_port;
use crate::bandwidth::Traffic;
use crate::message_bytes::{MessageBytes, PING_BYTES};

/// What is known about a connected peer.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerInfo {
    /// Number of the connection, from 1 in the order of connecting.
    pub id: u64,
    /// The peer's libp2p id.
    pub peer_id: String,
    /// Its address as `host:port`; of an inbound peer, the port it connected from.
    pub address: String,
    /// Whether the peer connected to us.
    pub inbound: bool,
    /// Whether we connected to it because we were told to.
    pub manual: bool,
    /// When, in Unix seconds.
    pub connected_at: u64,
    /// What it says its software is.
    pub user_agent: String,
    /// Height of its tip when it connected, once it has told.
    pub height: Option<u32>,
    /// Its tip as far as we know.
    pub best_hash: Option<BlockHash>,
    /// Height of its tip as far as we know.
    pub best_height: Option<u32>,
    /// Height of the last header that we have in common with it.
    pub synced_headers: Option<u32>,
    /// Height of the last block that we have in common with it.
    pub synced_blocks: Option<u32>,
    /// Last round-trip time in milliseconds.
    pub ping_ms: Option<f64>,
    /// Shortest round-trip time in milliseconds.
    pub min_ping_ms: Option<f64>,
    /// Bytes sent on this connection.
    pub bytes_sent: u64,
    /// Bytes received on this connection.
    pub bytes_received: u64,
    /// Bytes sent by kind of message. Blocks and transactions of others that gossip passed on are not among them.
    pub sent_by_message: MessageBytes,
    /// Bytes received by kind of message.
    pub received_by_message: MessageBytes,
    /// When something was last sent, in Unix seconds.
    pub last_send: u64,
    /// When something was last received, in Unix seconds.
    pub last_recv: u64,
    /// When it last gave us a new valid block, in Unix seconds; 0 for never.
    pub last_block_time: u64,
    /// When it last gave us a new valid transaction, in Unix seconds; 0 for never.
    pub last_transaction_time: u64,
}

/// One connected peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) id: u64,
    pub(crate) connection: ConnectionId,
    pub(crate) address: Multiaddr,
    pub(crate) inbound: bool,
    pub(crate) manual: bool,
    pub(crate) connected_at: u64,
    pub(crate) user_agent: String,
    /// Where it listens, as far as it is to be believed.
    pub(crate) listens_on: Vec<Multiaddr>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) sent: MessageBytes,
    pub(crate) received: MessageBytes,
    pub(crate) start_height: Option<u32>,
    pub(crate) tip: Option<TipSummary>,
    pub(crate) synced_headers: Option<u32>,
    pub(crate) synced_blocks: Option<u32>,
    pub(crate) ping_ms: Option<f64>,
    pub(crate) min_ping_ms: Option<f64>,
    pub(crate) failed_pings: u32,
    pub(crate) last_block_time: u64,
    pub(crate) last_transaction_time: u64,
}

impl Peer {
    fn info(&self, peer: &PeerId) -> PeerInfo {
        let at_least_connected = |time: u64| time.max(self.connected_at);
        PeerInfo {
            id: self.id,
            peer_id: peer.to_string(),
            address: host_and_port(&self.address),
            inbound: self.inbound,
            manual: self.manual,
            connected_at: self.connected_at,
            user_agent: self.user_agent.clone(),
            height: self.start_height,
            best_hash: self.tip.map(|tip| tip.hash),
            best_height: self.tip.map(|tip| tip.height.0),
            synced_headers: self.synced_headers,
            synced_blocks: self.synced_blocks,
            ping_ms: self.ping_ms,
            min_ping_ms: self.min_ping_ms,
            bytes_sent: self.traffic.sent.load(Ordering::Relaxed),
            bytes_received: self.traffic.received.load(Ordering::Relaxed),
            sent_by_message: self.sent.clone(),
            received_by_message: self.received.clone(),
            last_send: at_least_connected(self.traffic.last_sent.load(Ordering::Relaxed)),
            last_recv: at_least_connected(self.traffic.last_received.load(Ordering::Relaxed)),
            last_block_time: self.last_block_time,
            last_transaction_time: self.last_transaction_time,
        }
    }

    /// Notes a round-trip time.
    pub(crate) fn pinged(&mut self, milliseconds: f64) {
        self.failed_pings = 0;
        self.sent.add("ping", PING_BYTES);
        self.received.add("pong", PING_BYTES);
        self.ping_ms = Some(milliseconds);
        self.min_ping_ms = Some(
            self.min_ping_ms
                .map_or(milliseconds, |best| best.min(milliseconds)),
        );
    }
}

/// The connected peers.
#[derive(Debug, Default)]
pub(crate) struct PeerTable {
    pub(crate) peers: HashMap<PeerId, Peer>,
    last_id: u64,
}

impl PeerTable {
    /// The next peer's number.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// All peers, by number.
    pub(crate) fn infos(&self) -> Vec<PeerInfo> {
        let mut infos: Vec<PeerInfo> = self
            .peers
            .iter()
            .map(|(peer_id, peer)| peer.info(peer_id))
            .collect();
        infos.sort_by_key(|info| info.id);
        infos
    }

    /// The peer of that number.
    pub(crate) fn by_id(&self, id: u64) -> Option<PeerId> {
        self.peers
            .iter()
            .find(|(_, peer)| peer.id == id)
            .map(|(peer_id, _)| *peer_id)
    }

    /// The peer at that address, as `host:port` or multiaddr, with or without its id.
    pub(crate) fn by_address(&self, text: &str) -> Option<PeerId> {
        let plain = text.split("/p2p/").next().unwrap_or(text);
        self.peers
            .iter()
            .find(|(_, peer)| {
                host_and_port(&peer.address) == plain || peer.address.to_string() == plain
            })
            .map(|(peer_id, _)| *peer_id)
    }

    /// Connections that we made.
    pub(crate) fn outbound(&self) -> usize {
        self.peers.values().filter(|peer| !peer.inbound).count()
    }
}
