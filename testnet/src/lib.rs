//! Private networks: several nodes, each a process of its own, on a chain made for them. The launcher
//! behind `pyrite testnet` and the harness that tests of several nodes use are the same code.

mod cluster;
pub mod command;
mod create;
mod error;
mod layout;
mod live;
mod process;
mod status;
mod table;

pub use cluster::Cluster;
pub use create::{Account, MiningShare, NetworkOptions, PortChoice};
pub use error::TestnetError;
pub use layout::{NetworkFile, NodeEntry};
pub use status::{NetworkStatus, NodeStatus};
