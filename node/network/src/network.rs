//! Starting the network.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::{mpsc, watch};

use crate::address::split_peer_id;
use crate::bandwidth::Meter;
use crate::behaviour::build_swarm;
use crate::peer_book::{Addition, MAX_ADDED};
use crate::protocol::names::Names;
use crate::service::{Parts, Service};
use crate::shared::Shared;
use crate::sync::{Net, SyncTask};
use crate::{ChainAccess, NetworkConfig, NetworkError, NetworkHandle, key};

/// Commands that wait for the swarm task.
const COMMANDS: usize = 1024;
/// Hints that wait for the sync task.
const HINTS: usize = 1024;

/// The network of one node.
#[derive(Debug)]
pub struct Network;

impl Network {
    /// Starts the network on the current tokio runtime; when it returns, all listeners are up.
    ///
    /// # Errors
    /// When the configuration is bad, the key file is unusable or corrupt, or an address cannot be
    /// listened on.
    pub async fn start(
        config: NetworkConfig,
        chain: Arc<dyn ChainAccess>,
    ) -> Result<NetworkHandle, NetworkError> {
        let names = Names::new(&config.chain_name, &config.identity)?;
        let key_path = config.key_path.clone();
        let key = blocking(move || key::load_or_create(&key_path)).await??;
        let tip_of = Arc::clone(&chain);
        let tip = blocking(move || tip_of.tip()).await?;
        for address in &config.listen {
            probe(address)?;
        }
        let meter = Arc::new(Meter::default());
        let swarm = build_swarm(&config, &names, &key, &meter)?;
        let shared = Arc::new(Shared::new(*swarm.local_peer_id(), meter));
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        let (hints, hint_queue) = mpsc::channel(HINTS);
        let (stop, stopped) = watch::channel(false);
        let mut service = Service::new(Parts {
            swarm,
            names,
            chain: Arc::clone(&chain),
            shared: Arc::clone(&shared),
            hints,
            pow_limit: config.pow_limit,
            dialing: config.dialing,
            max_peers: config.max_peers,
        });
        for peer in &config.peers {
            let (address, expected) = split_peer_id(peer.clone());
            // An address given twice is one peer.
            if service.book().add(address, expected, Instant::now()) == Addition::Full {
                return Err(NetworkError::TooManyPeers { limit: MAX_ADDED });
            }
        }
        service.listen(&config.listen).await?;
        tracing::info!(
            peer_id = %shared.local_peer_id,
            chain = config.chain_name,
            genesis = %config.genesis_hash,
            mdns = config.mdns,
            "network started"
        );
        let net = Net::new(
            commands.clone(),
            chain,
            Arc::clone(&shared),
            config.pow_limit,
        );
        let sync = SyncTask::new(net, tip);
        let tasks = vec![
            tokio::spawn(service.run(command_queue, stopped.clone())),
            tokio::spawn(sync.run(hint_queue, stopped)),
        ];
        Ok(NetworkHandle::new(commands, shared, stop, tasks))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NetworkError> {
    let result = tokio::task::spawn_blocking(work).await;
    result.map_err(|error| NetworkError::Config {
        reason: error.to_string(),
    })
}

/// Finds out whether a port is taken. libp2p's listeners allow others of the same user to share theirs,
/// so that a second node on one port would go unnoticed; the standard library's do not.
fn probe(address: &Multiaddr) -> Result<(), NetworkError> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => std::net::IpAddr::from(ip),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) if port != 0 => match TcpListener::bind((ip, port)) {
            Ok(_) => Ok(()),
            Err(source) => Err(NetworkError::Listen {
                address: address.clone(),
                source,
            }),
        },
        _ => Ok(()),
    }
}
