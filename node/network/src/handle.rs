//! The handle by which the node speaks to the network.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use libp2p::{Multiaddr, PeerId};
use pyrite_consensus::bitcoin::{Block, Transaction};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::blocked::Blocked;
use crate::protocol::gossip::{Kind, encode_block, encode_late_transaction, encode_transaction};
use crate::service::Command;
use crate::shared::Shared;
use crate::{NetworkError, PeerInfo};

/// How to add a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddMode {
    /// Connect, and keep reconnecting.
    Add,
    /// Try once.
    OneTry,
    /// Do not reconnect any more. A connection stays.
    Remove,
}

/// A peer that was added to stay connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedPeer {
    /// Its address, as `host:port`.
    pub address: String,
    /// Its connection: the address as in [`PeerInfo::address`], and whether the peer made it.
    pub connection: Option<(String, bool)>,
}

/// Which peer to disconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectTarget {
    /// The peer at this address, as in [`PeerInfo::address`], or as a multiaddr.
    Address(String),
    /// The peer of this number, [`PeerInfo::id`].
    Id(u64),
}

impl fmt::Display for DisconnectTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

/// Bytes of all connections since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkTotals {
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
}

/// Speaks to a running network. Clones are cheap; when the last one goes, the network ends.
#[derive(Clone, Debug)]
pub struct NetworkHandle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl NetworkHandle {
    pub(crate) fn new(
        commands: mpsc::Sender<Command>,
        shared: Arc<Shared>,
        stop: watch::Sender<bool>,
        tasks: Vec<JoinHandle<()>>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                commands,
                shared,
                stop,
                tasks: Mutex::new(tasks),
            }),
        }
    }

    /// Announces a new tip, our own or one from elsewhere: gossips the block, and tells peers the tip.
    ///
    /// Never blocks. What is lost when very many blocks come at once, peers find out within seconds.
    pub fn announce_block(&self, block: Arc<Block>) {
        // While thousands of old blocks are being fetched, nobody wants to hear of them.
        if !self.inner.shared.is_catching_up() {
            self.announce(Kind::Block, || encode_block(&block));
        }
        self.inner.shared.tip_changed.notify_one();
    }

    /// Announces a transaction that the mempool took. Never blocks.
    pub fn announce_transaction(&self, transaction: Arc<Transaction>) {
        self.announce(Kind::Transaction, || encode_transaction(&transaction));
    }

    /// Announces a transaction that the mempool took after it had gone round, when nobody could take it. Never blocks.
    pub fn announce_late_transaction(&self, transaction: Arc<Transaction>) {
        self.announce(Kind::LateTransaction, || {
            encode_late_transaction(&transaction)
        });
    }

    /// Tells that what the peer of that number ([`PeerInfo::id`]) sent earlier turned out to break a rule: it is banned, if it
    /// is still connected. Never blocks.
    pub fn blame(&self, number: u64, reason: String) {
        let commands = &self.inner.commands;
        if let Err(error) = commands.try_send(Command::Blame { number, reason }) {
            tracing::debug!(number, %error, "not blamed");
        }
    }

    /// The numbers of the connected peers ([`PeerInfo::id`]).
    pub fn peer_numbers(&self) -> Vec<u64> {
        let table = self.inner.shared.table();
        table.peers.values().map(|peer| peer.id).collect()
    }

    fn announce(&self, kind: Kind, message: impl FnOnce() -> Vec<u8>) {
        // With nobody there to hear it, it costs nothing: who connects later asks for what they lack.
        if self.connection_count() == 0 {
            return;
        }
        match self.inner.commands.try_reserve() {
            Ok(permit) => permit.send(Command::Announce(kind, message())),
            Err(error) => tracing::debug!(?kind, %error, "not announced"),
        }
    }

    async fn command<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NetworkError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inner.commands.send(command(reply)).await;
        sent.map_err(|_| NetworkError::Stopped)?;
        answer.await.map_err(|_| NetworkError::Stopped)
    }

    /// Adds or removes a peer, or tries one once. Whether the dial succeeds shows in [`Self::peers`].
    ///
    /// # Errors
    /// When the peer is added already, is not there to be removed, the list is full, or the network is
    /// shut down.
    pub async fn add_peer(&self, address: Multiaddr, mode: AddMode) -> Result<(), NetworkError> {
        self.command(|reply| Command::AddPeer {
            address,
            mode,
            reply,
        })
        .await?
    }

    /// The peers that were added, by configuration or since.
    ///
    /// # Errors
    /// When the network is shut down.
    pub async fn added_peers(&self) -> Result<Vec<AddedPeer>, NetworkError> {
        self.command(|reply| Command::AddedPeers { reply }).await
    }

    /// Disconnects a peer. An added one is dialed again later.
    ///
    /// # Errors
    /// When there is no such peer, or the network is shut down.
    pub async fn disconnect(&self, target: DisconnectTarget) -> Result<(), NetworkError> {
        self.command(|reply| Command::Disconnect { target, reply })
            .await?
    }

    /// Switches the network off and on: off disconnects everybody and refuses connections in both
    /// directions, on dials the known peers at once.
    pub async fn set_active(&self, active: bool) {
        // A network that is shut down is inactive for good.
        let _ = self
            .command(|reply| Command::SetActive { active, reply })
            .await;
    }

    /// Sets with whom no connection may exist, in place of those set before. Connections with
    /// them are closed; peers that are blocked no more are dialed at once.
    pub async fn set_blocked(&self, blocked: Blocked) {
        // There is nobody to block after the shutdown.
        let _ = self
            .command(|reply| Command::SetBlocked { blocked, reply })
            .await;
    }

    /// Whether the network is switched on.
    pub fn is_active(&self) -> bool {
        self.inner.shared.is_active()
    }

    /// The connected peers, in the order in which they connected.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.inner.shared.table().infos()
    }

    /// The number of connected peers.
    pub fn connection_count(&self) -> usize {
        self.inner.shared.table().peers.len()
    }

    /// The number of connected peers that connected to us.
    pub fn inbound_count(&self) -> usize {
        let table = self.inner.shared.table();
        table.peers.len() - table.outbound()
    }

    /// The addresses that are listened on, with the real ports.
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.inner.shared.listening().clone()
    }

    /// Our own id.
    pub fn local_peer_id(&self) -> PeerId {
        self.inner.shared.local_peer_id
    }

    /// Bytes of all connections since the start.
    pub fn totals(&self) -> NetworkTotals {
        let total = self.inner.shared.meter.total();
        NetworkTotals {
            bytes_sent: total.sent.load(Ordering::Relaxed),
            bytes_received: total.received.load(Ordering::Relaxed),
        }
    }

    /// Ends the network; when it returns, nothing of it uses the chain any more.
    pub async fn shutdown(&self) {
        self.inner.stop.send_replace(true);
        let mut tasks = self.inner.tasks.lock().await;
        for task in tasks.drain(..) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a network task failed");
            }
        }
    }
}
