//! The swarm: transport, the behaviours of one node, and their settings.

use std::sync::Arc;
use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, Transport};
use libp2p::core::upgrade::Version;
use libp2p::gossipsub::{
    self, IdentityTransform, MessageAuthenticity, PeerScoreParams, PeerScoreThresholds,
    TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{
    PeerId, Swarm, connection_limits, dns, identify, mdns, noise, ping, swarm, tcp, yamux,
};

use crate::bandwidth::Meter;
use crate::gate::Gate;
use crate::protocol::codec::SyncCodec;
use crate::protocol::gossip::{self, MAX_FRAME_BYTES};
use crate::protocol::names::Names;
use crate::{NetworkConfig, NetworkError};

/// A request or its response fails after this time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests of one connection at a time, in both directions together.
const MAX_STREAMS: usize = 64;
/// A connection must be encrypted and multiplexed after this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How often meshes are maintained.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Heartbeats for which a message may be validated and still be forwarded: 30 s.
const HISTORY: usize = 60;
/// Half-open connections in each direction.
const MAX_PENDING: u32 = 64;
/// Connections of one peer, before the superfluous ones are closed.
const MAX_PER_PEER: u32 = 4;
/// Longer than any run; connections are closed by us alone.
const NO_IDLE_TIMEOUT: Duration = Duration::from_secs(u32::MAX as u64);

pub(crate) type Gossip = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// The behaviours of a node. The gate comes first: what it denies reaches no other.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gate: Gate,
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) gossip: Gossip,
    pub(crate) sync: request_response::Behaviour<SyncCodec>,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

/// Builds the swarm; it does not listen yet.
pub(crate) fn build_swarm(
    config: &NetworkConfig,
    names: &Names,
    key: &Keypair,
    meter: &Arc<Meter>,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let local = key.public().to_peer_id();
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING))
        .with_max_pending_outgoing(Some(MAX_PENDING))
        .with_max_established_per_peer(Some(MAX_PER_PEER));
    let identify = identify::Config::new(names.identify().to_owned(), key.public())
        .with_agent_version(config.user_agent.clone())
        .with_push_listen_addr_updates(true)
        .with_cache_size(0);
    let requests = request_response::Config::default()
        .with_request_timeout(REQUEST_TIMEOUT)
        .with_max_concurrent_streams(MAX_STREAMS);
    let behaviour = Behaviour {
        gate: Gate::new(config.max_peers),
        limits: connection_limits::Behaviour::new(limits),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(PING_INTERVAL)
                .with_timeout(PING_TIMEOUT),
        ),
        gossip: build_gossip(names)?,
        sync: request_response::Behaviour::new([(names.sync(), ProtocolSupport::Full)], requests),
        mdns: Toggle::from(config.mdns.then(|| build_mdns(local)).flatten()),
    };
    let settings =
        swarm::Config::with_tokio_executor().with_idle_connection_timeout(NO_IDLE_TIMEOUT);
    Ok(Swarm::new(
        build_transport(key, meter)?,
        behaviour,
        local,
        settings,
    ))
}

fn build_transport(
    key: &Keypair,
    meter: &Arc<Meter>,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let noise = noise::Config::new(key).map_err(|error| NetworkError::Config {
        reason: format!("noise: {error}"),
    })?;
    let tcp = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    match dns::tokio::Transport::system(tcp()) {
        Ok(transport) => Ok(secure(transport, noise, Arc::clone(meter))),
        Err(error) => {
            tracing::warn!(%error, "no DNS: peers can be reached by their numeric addresses only");
            Ok(secure(tcp(), noise, Arc::clone(meter)))
        }
    }
}

fn secure<T>(
    transport: T,
    noise: noise::Config,
    meter: Arc<Meter>,
) -> Boxed<(PeerId, StreamMuxerBox)>
where
    T: Transport + Send + Unpin + 'static,
    T::Output: futures::AsyncRead + futures::AsyncWrite + Send + Unpin + 'static,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
{
    transport
        .map(move |stream, endpoint| meter.wrap(stream, &endpoint))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .timeout(HANDSHAKE_TIMEOUT)
        .boxed()
}

fn build_mdns(local: PeerId) -> Option<mdns::tokio::Behaviour> {
    match mdns::tokio::Behaviour::new(mdns::Config::default(), local) {
        Ok(behaviour) => Some(behaviour),
        Err(error) => {
            tracing::warn!(%error, "no mDNS: peers on the local network will not be found by themselves");
            None
        }
    }
}

fn build_gossip(names: &Names) -> Result<Gossip, NetworkError> {
    let config_error = |reason: &dyn std::fmt::Display| NetworkError::Config {
        reason: format!("gossip: {reason}"),
    };
    let (blocks, transactions) = (names.blocks(), names.transactions());
    // A network of a few nodes is one full mesh; a larger one keeps about eight links each.
    let config = gossipsub::ConfigBuilder::default()
        .protocol_id_prefix(names.gossip())
        .heartbeat_initial_delay(HEARTBEAT)
        .heartbeat_interval(HEARTBEAT)
        .mesh_n(8)
        .mesh_n_low(5)
        .mesh_n_high(12)
        .mesh_outbound_min(2)
        .gossip_lazy(6)
        .history_length(HISTORY)
        .history_gossip(6)
        .duplicate_cache_time(Duration::from_secs(120))
        .flood_publish(true)
        .validate_messages()
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(|message| gossip::message_id(message.topic.as_str(), &message.data))
        .max_transmit_size(MAX_FRAME_BYTES)
        .max_publish_messages(500)
        .max_ihave_messages_heartbeat(50)
        .prune_backoff(Duration::from_secs(10))
        .connection_handler_queue_len(2048)
        .publish_queue_duration(Duration::from_secs(10))
        .forward_queue_duration(Duration::from_secs(5))
        .build()
        .map_err(|error| config_error(&error))?;
    let topics = [blocks.hash(), transactions.hash()];
    let filter = WhitelistSubscriptionFilter(topics.into_iter().collect());
    let mut gossip =
        Gossip::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
            .map_err(|error| config_error(&error))?;
    let (mut params, thresholds) = score_params();
    params.topics.insert(blocks.hash(), topic_params(1.0));
    params.topics.insert(transactions.hash(), topic_params(0.5));
    gossip
        .with_peer_score(params, thresholds)
        .map_err(|error| config_error(&error))?;
    for topic in [blocks, transactions] {
        gossip
            .subscribe(&topic)
            .map_err(|error| config_error(&error))?;
    }
    Ok(gossip)
}

/// Scores count invalid messages and broken promises. Peers on one address, few messages and slow
/// starts, all normal in a private network, cost nothing.
fn score_params() -> (PeerScoreParams, PeerScoreThresholds) {
    let params = PeerScoreParams {
        topic_score_cap: 50.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -1.0,
        behaviour_penalty_threshold: 10.0,
        behaviour_penalty_decay: 0.9,
        slow_peer_weight: 0.0,
        retain_score: Duration::from_secs(600),
        ..PeerScoreParams::default()
    };
    let thresholds = PeerScoreThresholds {
        gossip_threshold: -20.0,
        publish_threshold: -40.0,
        graylist_threshold: -80.0,
        ..PeerScoreThresholds::default()
    };
    (params, thresholds)
}

fn topic_params(weight: f64) -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: weight,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 300.0,
        first_message_deliveries_weight: 0.5,
        first_message_deliveries_decay: 0.9,
        first_message_deliveries_cap: 20.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -100.0,
        invalid_message_deliveries_decay: 0.99,
        ..TopicScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gossip_settings_are_valid() {
        let names = Names::new("regtest", "0011223344556677").unwrap();
        let gossip = build_gossip(&names).unwrap();
        assert_eq!(gossip.topics().count(), 2);
    }
}
