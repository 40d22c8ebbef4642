//! What a network is started with.

use std::path::PathBuf;

use libp2p::Multiaddr;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget};

/// What [`Network::start`](crate::Network::start) needs to know.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The chain's name; with the identity it goes into every protocol's name.
    pub chain_name: String,
    /// The chain's identity, `ChainSpec::identity()`: hex, at least 16 digits.
    pub identity: String,
    /// Hash of the chain's genesis block.
    pub genesis_hash: BlockHash,
    /// The chain's easiest target: blocks from gossip whose header does not meet it are refused
    /// before their body is decoded.
    pub pow_limit: CompactTarget,
    /// The file of the node's ed25519 key; it is created, readable by the owner only, when missing.
    pub key_path: PathBuf,
    /// Addresses to listen on; empty for a node that only dials.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to.
    pub peers: Vec<Multiaddr>,
    /// Whether to look for peers of the same chain on the local network.
    pub mdns: bool,
    /// Whom to dial.
    pub dialing: Dialing,
    /// The most peers to be connected to, in both directions together.
    pub max_peers: usize,
    /// What peers see as our software, such as `/Pyrite:0.1.0/`.
    pub user_agent: String,
}

/// Whom a node dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialing {
    /// Peers that it was told to, and others that it learns of while it wants more.
    Everybody,
    /// Only peers that it was told to.
    NamedOnly,
}
