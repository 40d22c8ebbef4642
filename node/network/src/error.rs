//! Why the network cannot start, or cannot do what it was asked to.

use std::io;
use std::path::PathBuf;

use libp2p::Multiaddr;

/// Why the network cannot start, or cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The node's key cannot be read or written.
    #[error("cannot use the node key file {path}: {source}", path = path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The node's key file holds something else.
    #[error(
        "the node key file {path} is corrupt: {reason}; restore it, or remove it to get a new key",
        path = path.display()
    )]
    CorruptKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An address cannot be listened on: most often its port is taken.
    #[error("cannot listen for peers on {address}: {source}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the system said.
        source: io::Error,
    },
    /// A text is not the address of a peer.
    #[error("'{text}' is not a peer's address: {reason} (expected host:port or /ip4/…/tcp/…)")]
    Address {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The chain's name, identity or the like cannot be used.
    #[error("bad network configuration: {reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// The peer is in the list of peers already.
    #[error("peer {address} is added already")]
    AlreadyAdded {
        /// The address as it was given.
        address: Multiaddr,
    },
    /// The peer is not in the list of peers.
    #[error("peer {address} has not been added")]
    NotAdded {
        /// The address as it was given.
        address: Multiaddr,
    },
    /// There is no connected peer of that address or number.
    #[error("peer {target} is not connected")]
    NotConnected {
        /// The address or number.
        target: String,
    },
    /// The list of peers is full.
    #[error("the list of added peers is full ({limit})")]
    TooManyPeers {
        /// Its size.
        limit: usize,
    },
    /// The network is shut down.
    #[error("the network is shut down")]
    Stopped,
}
