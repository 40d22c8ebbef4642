//! The task that owns the swarm: connections, gossip, requests. It never blocks; what asks the chain
//! runs on blocking threads and comes back as a future.

mod command;
mod connections;
mod gossip;
mod requests;
mod slots;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use libp2p::core::transport::ListenerId;
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, identify, mdns};
use pyrite_consensus::bitcoin::CompactTarget;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

pub(crate) use command::Command;

use self::connections::Connection;
use self::gossip::{Lane, Recent};
use self::slots::Slots;
use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::peer_book::PeerBook;
use crate::protocol::message::Response;
use crate::protocol::names::Names;
use crate::shared::Shared;
use crate::sync::Hint;
use crate::{ChainAccess, Dialing, NetworkError};

/// How often dials that are due are made.
const TICK: Duration = Duration::from_millis(250);
/// Requests of peers that are answered at a time.
const MAX_ANSWERS: usize = 16;
/// How long the start waits for the listeners.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// What the task is made with.
pub(crate) struct Parts {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) names: Names,
    pub(crate) chain: Arc<dyn ChainAccess>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) hints: mpsc::Sender<Hint>,
    pub(crate) pow_limit: CompactTarget,
    pub(crate) dialing: Dialing,
    pub(crate) max_peers: usize,
}

/// The state of the task.
pub(crate) struct Service {
    swarm: Swarm<Behaviour>,
    names: Names,
    chain: Arc<dyn ChainAccess>,
    shared: Arc<Shared>,
    hints: mpsc::Sender<Hint>,
    pow_limit: CompactTarget,
    policy: Dialing,
    max_peers: usize,

    book: PeerBook,
    connections: HashMap<ConnectionId, Connection>,
    /// Dials under way, by the address in the book.
    dialing: HashMap<ConnectionId, Multiaddr>,
    /// Peers of other chains that were warned of.
    warned: HashSet<(PeerId, String)>,

    recent: Recent,
    blocks: Lane,
    transactions: Lane,
    checks: FuturesUnordered<gossip::Check>,

    /// Our requests that wait for their answers.
    waiting: HashMap<OutboundRequestId, oneshot::Sender<Option<Response>>>,
    answers: FuturesUnordered<requests::Answer>,
    answering: Slots<InboundRequestId>,
    answer_permits: Arc<Semaphore>,
}

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            swarm: parts.swarm,
            names: parts.names,
            chain: parts.chain,
            shared: parts.shared,
            hints: parts.hints,
            pow_limit: parts.pow_limit,
            policy: parts.dialing,
            max_peers: parts.max_peers,
            book: PeerBook::default(),
            connections: HashMap::new(),
            dialing: HashMap::new(),
            warned: HashSet::new(),
            recent: Recent::default(),
            blocks: Lane::blocks(),
            transactions: Lane::transactions(),
            checks: FuturesUnordered::new(),
            waiting: HashMap::new(),
            answers: FuturesUnordered::new(),
            answering: Slots::default(),
            answer_permits: Arc::new(Semaphore::new(MAX_ANSWERS)),
        }
    }

    pub(crate) fn book(&mut self) -> &mut PeerBook {
        &mut self.book
    }

    /// Listens on the addresses, and returns once all of them are up.
    pub(crate) async fn listen(&mut self, addresses: &[Multiaddr]) -> Result<(), NetworkError> {
        let mut pending: HashMap<ListenerId, Multiaddr> = HashMap::new();
        for address in addresses {
            let listener =
                self.swarm
                    .listen_on(address.clone())
                    .map_err(|error| NetworkError::Listen {
                        address: address.clone(),
                        source: transport_error(error),
                    })?;
            pending.insert(listener, address.clone());
        }
        let deadline = tokio::time::Instant::now() + LISTEN_TIMEOUT;
        while let Some((listener, address)) = pending.iter().next() {
            let (listener, address) = (*listener, address.clone());
            let Ok(event) = tokio::time::timeout_at(deadline, self.swarm.select_next_some()).await
            else {
                let source = std::io::ErrorKind::TimedOut.into();
                return Err(NetworkError::Listen { address, source });
            };
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    pending.remove(listener_id);
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    reason,
                    ..
                } if *listener_id == listener => {
                    let source = match reason {
                        Ok(()) => std::io::ErrorKind::NotConnected.into(),
                        Err(error) => std::io::Error::new(error.kind(), error.to_string()),
                    };
                    return Err(NetworkError::Listen { address, source });
                }
                _ => {}
            }
            self.on_swarm_event(event);
        }
        Ok(())
    }

    /// Runs until `stop` turns true, or nobody can send commands any more.
    pub(crate) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                Some(checked) = self.checks.next() => self.on_checked(checked),
                Some(answered) = self.answers.next() => self.on_answered(answered),
                _ = tick.tick() => self.on_tick(),
            }
        }
        self.shut_down(commands).await;
    }

    /// Fails everything that waits, and lets what runs in the chain end.
    async fn shut_down(mut self, commands: mpsc::Receiver<Command>) {
        drop(commands);
        self.waiting.clear();
        self.shared.set_active(false);
        {
            let mut table = self.shared.table();
            table.peers.clear();
        }
        self.shared.listening().clear();
        self.shared.peers_changed.notify_one();
        let Self {
            swarm,
            mut checks,
            mut answers,
            ..
        } = self;
        drop(swarm);
        while checks.next().await.is_some() {}
        while answers.next().await.is_some() {}
    }

    fn on_tick(&mut self) {
        self.close_silent_connections();
        self.dial_due();
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.on_connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                self.on_closed(peer_id, connection_id, cause.as_ref());
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                error,
                ..
            } => {
                self.on_dial_failed(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error,
                ..
            } => {
                tracing::debug!(from = %send_back_addr, %error, "inbound connection failed");
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening for peers");
                self.shared.listening().push(address);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.shared
                    .listening()
                    .retain(|listening| *listening != address);
            }
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                if let Err(error) = reason {
                    tracing::error!(%error, ?addresses, "a listener closed");
                }
                self.shared
                    .listening()
                    .retain(|listening| !addresses.contains(listening));
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener failed"),
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gate(never) | BehaviourEvent::Limits(never) => match never {},
            BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                peer_id,
                info,
            }) => {
                self.on_identified(peer_id, connection_id, info);
            }
            BehaviourEvent::Identify(identify::Event::Error { peer_id, error, .. }) => {
                tracing::debug!(peer = %peer_id, %error, "identify failed");
            }
            BehaviourEvent::Identify(_) => {}
            BehaviourEvent::Ping(event) => self.on_ping(&event),
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Sync(event) => self.on_request_event(event),
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => self.on_mdns(found),
            BehaviourEvent::Mdns(mdns::Event::Expired(_)) => {}
        }
    }
}

/// What the future of a check or answer yields.
type Done<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

fn transport_error(error: libp2p::TransportError<std::io::Error>) -> std::io::Error {
    match error {
        libp2p::TransportError::Other(error) => error,
        libp2p::TransportError::MultiaddrNotSupported(_) => std::io::Error::new(
            std::io::ErrorKind::Unsupported,
            "not an address of ours: /ip4/…/tcp/…",
        ),
    }
}

/// A hint may be lost when the other task is busy: the periodic exchanges find out the same.
fn hint(hints: &mpsc::Sender<Hint>, hint: Hint) {
    if hints.try_send(hint).is_err() {
        tracing::debug!("the sync task is busy, a hint is lost");
    }
}
