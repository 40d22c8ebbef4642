//! Private networks: several nodes, each a process of its own, on a chain made for them. The launcher
//! behind `pyrite testnet` and the harness that tests of several nodes use are the same code.

mod cluster;
pub mod command;
mod create;
mod error;
mod layout;
mod live;
mod ports;
mod process;
mod status;
mod table;

pub use cluster::Cluster;
pub use create::{Account, MiningShare, NetworkOptions};
pub use error::TestnetError;
pub use layout::{NetworkFile, NodeEntry};
pub use ports::{PortChoice, unshared_port};
pub use status::{NetworkStatus, NodeStatus};
