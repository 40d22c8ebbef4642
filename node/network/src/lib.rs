//! The peer-to-peer network: libp2p connections, gossip of blocks and transactions, and sync.
//!
//! One task owns the libp2p swarm (`service`), another drives the synchronisation (`sync`). Neither
//! knows a database or a mempool: they ask and tell the node through [`ChainAccess`], whose methods may
//! block and are never called on the async runtime's own threads. The names of all protocols and topics carry the
//! chain's identity, so nodes of different chains exchange nothing but the refusal.

mod access;
mod address;
mod bandwidth;
mod behaviour;
mod blocked;
mod config;
mod error;
mod gate;
mod handle;
mod key;
mod message_bytes;
mod misbehaviour;
mod network;
mod peer_book;
mod peer_table;
mod protocol;
mod service;
mod shared;
mod sync;
mod validation;

pub use access::{ChainAccess, TipSummary, Verdict};
pub use address::parse_peer_address;
pub use blocked::{AddressRange, Blocked};
pub use config::{Dialing, NetworkConfig};
pub use error::NetworkError;
pub use handle::{AddMode, AddedPeer, DisconnectTarget, NetworkHandle, NetworkTotals};
pub use libp2p::{Multiaddr, PeerId, multiaddr};
pub use message_bytes::MessageBytes;
pub use network::Network;
pub use peer_table::PeerInfo;
