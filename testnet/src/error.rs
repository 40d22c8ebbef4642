//! Why a private network can't do what was asked.

use std::path::PathBuf;
use std::time::Duration;

/// Why a private network can't do what was asked. Messages are one line.
#[derive(Debug, thiserror::Error)]
pub enum TestnetError {
    /// A file or directory can't be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The network's description is not what `up` wrote.
    #[error("{}: {detail}", path.display())]
    BadFile {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The directory holds no network.
    #[error("no network in {}: make one with `pyrite testnet up --dir {}`", dir.display(), dir.display())]
    NoNetwork {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds a network already, of another shape.
    #[error("{}: the network there has {found} nodes, not {asked}: leave --nodes out, or take another --dir", dir.display())]
    OtherShape {
        /// The directory.
        dir: PathBuf,
        /// Nodes that it has.
        found: usize,
        /// Nodes that were asked for.
        asked: usize,
    },
    /// An argument has a value that it can't have.
    #[error("{argument}: {detail}")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// The value and the reason.
        detail: String,
    },
    /// There is no node of that number.
    #[error("no node {number}: the network has nodes 1 to {nodes}")]
    NoSuchNode {
        /// What was asked for.
        number: usize,
        /// How many there are.
        nodes: usize,
    },
    /// A node runs already.
    #[error("{name} runs already (process {pid})")]
    AlreadyRunning {
        /// The node.
        name: String,
        /// Its process.
        pid: i32,
    },
    /// A node does not run.
    #[error("{name} is not running")]
    NotRunning {
        /// The node.
        name: String,
    },
    /// A node ended while it started.
    #[error("{name} did not start: {reason}")]
    DidNotStart {
        /// The node.
        name: String,
        /// The last line that it wrote.
        reason: String,
    },
    /// A node did not do something in time.
    #[error("{name}: {what} took more than {} seconds", limit.as_secs())]
    TooSlow {
        /// The node.
        name: String,
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// No free port could be found.
    #[error("no free port: {0}")]
    NoPort(std::io::Error),
    /// A signal can't be sent.
    #[error("{name}: can't signal process {pid}: {source}")]
    Signal {
        /// The node.
        name: String,
        /// Its process.
        pid: i32,
        /// What the system said.
        source: nix::Error,
    },
    /// A node's RPC.
    #[error("{name}: {source}")]
    Rpc {
        /// The node.
        name: String,
        /// What went wrong.
        source: pyrite_rpc::ClientError,
    },
    /// The chain or the node's configuration.
    #[error(transparent)]
    Node(#[from] pyrite_node::NodeError),
    /// The wallets that are funded at the start.
    #[error("wallet: {0}")]
    Wallet(#[from] pyrite_wallet::WalletError),
}
