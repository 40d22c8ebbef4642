//! What the tests of all the client libraries need: a node to drive, and coins that they can sign for.

mod key;
mod node;
mod port;

pub use key::Key;
pub use node::{Node, Peers, bitcoind};
pub use port::unshared_port;
