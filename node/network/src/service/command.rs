//! Commands to the swarm task, from handles and from the sync task.

use std::sync::Arc;
use std::time::Instant;

use libp2p::{Multiaddr, PeerId};
use pyrite_consensus::bitcoin::Transaction;
use tokio::sync::oneshot;

use super::Service;
use crate::NetworkError;
use crate::address::{host_and_port, is_believable, split_peer_id};
use crate::blocked::Blocked;
use crate::handle::{AddMode, AddedPeer, DisconnectTarget};
use crate::misbehaviour::{Judgement, Offence};
use crate::peer_book::{Addition, MAX_ADDED};
use crate::protocol::gossip::{Kind, encode_transaction};
use crate::protocol::message::{MAX_PEER_ADDRESSES, Request, Response};

/// More transactions than this at once come from an exchange of mempools, which others make too.
const MAX_REPUBLISHED: usize = 100;

/// A command. Where there is a reply, it is sent when the command is carried out.
#[derive(Debug)]
pub(crate) enum Command {
    /// Publish an encoded message.
    Announce(Kind, Vec<u8>),
    /// Our mempool took transactions in answer to a request.
    AcceptedTransactions(Vec<Arc<Transaction>>),
    AddPeer {
        address: Multiaddr,
        mode: AddMode,
        reply: oneshot::Sender<Result<(), NetworkError>>,
    },
    AddedPeers {
        reply: oneshot::Sender<Vec<AddedPeer>>,
    },
    Disconnect {
        target: DisconnectTarget,
        reply: oneshot::Sender<Result<(), NetworkError>>,
    },
    SetActive {
        active: bool,
        reply: oneshot::Sender<()>,
    },
    SetBlocked {
        blocked: Blocked,
        reply: oneshot::Sender<()>,
    },
    /// Ask a peer; `None` when there is no answer.
    Request {
        peer: PeerId,
        request: Request,
        reply: oneshot::Sender<Option<Response>>,
    },
    Punish {
        peer: PeerId,
        offence: Offence,
        reason: String,
    },
    /// A transaction that the peer of that number sent earlier breaks a rule.
    Blame { number: u64, reason: String },
    /// Disconnect a peer that does not do its part.
    Drop(PeerId),
    /// A peer told us of others.
    Learn {
        from: PeerId,
        peers: Vec<(PeerId, Vec<Multiaddr>)>,
    },
}

impl Service {
    /// Carries a command out. Nobody need be there any more to hear a reply.
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::Announce(kind, message) => self.publish(kind, message),
            Command::AcceptedTransactions(transactions) => self.on_accepted(&transactions),
            Command::AddPeer {
                address,
                mode,
                reply,
            } => {
                let _ = reply.send(self.add_peer(address, mode));
            }
            Command::AddedPeers { reply } => {
                let _ = reply.send(self.added_peers());
            }
            Command::Disconnect { target, reply } => {
                let _ = reply.send(self.disconnect(&target));
            }
            Command::SetActive { active, reply } => {
                self.set_active(active);
                let _ = reply.send(());
            }
            Command::SetBlocked { blocked, reply } => {
                self.set_blocked(blocked);
                let _ = reply.send(());
            }
            Command::Request {
                peer,
                request,
                reply,
            } => self.send_request(peer, request, reply),
            Command::Punish {
                peer,
                offence,
                reason,
            } => self.punish(peer, offence, &reason),
            Command::Blame { number, reason } => {
                let peer = self.shared.table().by_id(number);
                if let Some(peer) = peer {
                    self.punish(peer, Offence::InvalidData, &reason);
                }
            }
            Command::Drop(peer) => self.close(&peer),
            Command::Learn { from, peers } => self.learn(from, peers),
        }
    }

    fn add_peer(&mut self, given: Multiaddr, mode: AddMode) -> Result<(), NetworkError> {
        let (address, expected) = split_peer_id(given.clone());
        match mode {
            AddMode::Add => match self.book.add(address, expected, Instant::now()) {
                Addition::Done => self.dial_due(),
                Addition::Known => return Err(NetworkError::AlreadyAdded { address: given }),
                Addition::Full => return Err(NetworkError::TooManyPeers { limit: MAX_ADDED }),
            },
            AddMode::OneTry => self.dial(&address, expected),
            AddMode::Remove => {
                // As in Bitcoin Core, the connection stays.
                if !self.book.remove(&address) {
                    return Err(NetworkError::NotAdded { address: given });
                }
            }
        }
        Ok(())
    }

    fn added_peers(&self) -> Vec<AddedPeer> {
        let table = self.shared.table();
        let added = self.book.added().into_iter();
        let with_connection = added.map(|(address, peer)| AddedPeer {
            connection: peer
                .and_then(|peer| table.peers.get(&peer))
                .map(|entry| (host_and_port(&entry.address), entry.inbound)),
            address: host_and_port(&address),
        });
        with_connection.collect()
    }

    fn disconnect(&mut self, target: &DisconnectTarget) -> Result<(), NetworkError> {
        let peer = {
            let table = self.shared.table();
            match target {
                DisconnectTarget::Address(address) => table.by_address(address),
                DisconnectTarget::Id(id) => table.by_id(*id),
            }
        };
        let peer = peer.ok_or_else(|| NetworkError::NotConnected {
            target: target.to_string(),
        })?;
        self.close(&peer);
        Ok(())
    }

    fn set_active(&mut self, active: bool) {
        self.swarm.behaviour_mut().gate.active = active;
        self.shared.set_active(active);
        if active {
            self.book.retry_all(Instant::now());
            self.dial_due();
            return;
        }
        let connected: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in connected {
            self.close(&peer);
        }
    }

    fn set_blocked(&mut self, blocked: Blocked) {
        let connected: Vec<PeerId> = {
            let table = self.shared.table();
            let is_blocked = |peer: &PeerId, address: &Multiaddr| {
                blocked.peers.contains(peer) || blocked.has_address(address)
            };
            let peers = table.peers.iter();
            let peers = peers.filter(|(peer, entry)| is_blocked(peer, &entry.address));
            peers.map(|(peer, _)| *peer).collect()
        };
        // Some are not in the table yet.
        for peer in blocked.peers.iter().chain(&connected) {
            self.close(peer);
        }
        self.swarm.behaviour_mut().gate.blocked = blocked;
        self.book.retry_all(Instant::now());
        self.dial_due();
    }

    /// Notes an offence; at a certain score the peer is disconnected and refused.
    pub(super) fn punish(&mut self, peer: PeerId, offence: Offence, reason: &str) {
        let misbehaviour = &mut self.swarm.behaviour_mut().gate.misbehaviour;
        match misbehaviour.punish(peer, offence, Instant::now()) {
            Judgement::Tolerated => tracing::debug!(%peer, reason, "misbehaviour"),
            Judgement::Banned => {
                tracing::warn!(%peer, reason, "peer banned for ten minutes");
                self.close(&peer);
            }
        }
    }

    fn learn(&mut self, from: PeerId, peers: Vec<(PeerId, Vec<Multiaddr>)>) {
        let teller = self
            .shared
            .table()
            .peers
            .get(&from)
            .map(|entry| entry.address.clone());
        let Some(teller) = teller else { return };
        let now = Instant::now();
        for (peer, addresses) in peers {
            if peer == self.shared.local_peer_id {
                continue;
            }
            for address in addresses.into_iter().take(MAX_PEER_ADDRESSES) {
                let (address, _) = split_peer_id(address);
                if is_believable(&address, &teller) {
                    self.book.discover(address, peer, now);
                }
            }
        }
    }

    fn on_accepted(&mut self, transactions: &[Arc<Transaction>]) {
        if transactions.len() <= MAX_REPUBLISHED {
            for transaction in transactions {
                self.publish(Kind::Transaction, encode_transaction(transaction));
            }
        }
    }
}
