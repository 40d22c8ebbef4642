//! Why a node does not start or stops early. Every message is one line that names the cause.

use std::io;
use std::path::PathBuf;

/// Why a node does not start, or stops early.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration file can't be read.
    #[error("configuration file {}: {source}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration file is not what it should be: an unknown key, a wrong type, bad TOML.
    #[error("configuration file {}: {detail}", path.display())]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// Line, key and reason.
        detail: String,
    },
    /// A setting has a value that it can't have.
    #[error("{setting}: {detail}")]
    Setting {
        /// The flag or key.
        setting: &'static str,
        /// The value and the reason.
        detail: String,
    },
    /// A ZMQ publisher can't listen: most often its port is taken.
    #[error("cannot publish over ZMQ at {address}: {source}")]
    Zmq {
        /// The address, as it was given.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another node runs on the directory.
    #[error("{} is in use by another node", path.display())]
    InUse {
        /// The chain's folder.
        path: PathBuf,
    },
    /// No built-in chain has that name, and no file either.
    #[error("chain {name}: neither a built-in chain ({builtin}) nor a readable file: {source}")]
    UnknownChain {
        /// What was asked for.
        name: String,
        /// The built-in names.
        builtin: String,
        /// What the system said about the file.
        source: io::Error,
    },
    /// The chain spec's file is invalid.
    #[error("chain spec {}: {source}", path.display())]
    ChainSpec {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: pyrite_consensus::SpecError,
    },
    /// A file or directory of the data directory can't be used.
    #[error("{}: {source}", path.display())]
    DataDir {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No running node was found in the data directory.
    #[error("{}", detail)]
    NotRunning {
        /// Where it was looked for.
        detail: String,
    },
    /// The chain can't be opened or failed while it ran.
    #[error("{}: {source}", path.display())]
    Chain {
        /// The database.
        path: PathBuf,
        /// The reason.
        source: pyrite_chain::ChainError,
    },
    /// A header of block files breaks a rule.
    #[error("the headers of the files are refused: {error}")]
    Headers {
        /// The reason.
        error: pyrite_chain::SubmitError,
    },
    /// An index can't be opened or failed while the node ran.
    #[error("index {0}")]
    Index(#[from] pyrite_index::IndexError),
    /// The wallet.
    #[error("wallet: {0}")]
    Wallet(#[from] pyrite_wallet::WalletError),
    /// The network.
    #[error("network: {0}")]
    Network(#[from] pyrite_network::NetworkError),
    /// The RPC server.
    #[error("RPC: {0}")]
    Rpc(#[from] pyrite_rpc::RpcError),
    /// The miner.
    #[error("miner: {0}")]
    Miner(#[from] pyrite_miner::MinerError),
    /// The accounts of mining.
    #[error("accounts of mining: {0}")]
    Ledger(#[from] pyrite_miner::LedgerError),
    /// A block file that is imported.
    #[error("{} at byte {offset}: {detail}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// Where the refused record starts.
        offset: u64,
        /// The reason.
        detail: String,
    },
    /// Blocks were pruned, and the node is to keep all of them.
    #[error(
        "{}: blocks were pruned: start with --prune, or with --reindex, which downloads the whole chain again",
        path.display()
    )]
    Pruned {
        /// The database.
        path: PathBuf,
    },
    /// No block of a database can be read.
    #[error(
        "{}: no block can be read: {detail}; what remains is to move this directory aside and start without \
         --reindex, which downloads the whole chain again",
        path.display()
    )]
    Lost {
        /// The database.
        path: PathBuf,
        /// The reason.
        detail: String,
    },
    /// Somebody asked for the end before the node was ready.
    #[error("interrupted while {work}; the next start goes on from there")]
    Interrupted {
        /// What was under way.
        work: &'static str,
    },
    /// A block that can't be exported.
    #[error("block at height {height}: {detail}")]
    Export {
        /// Its height.
        height: u32,
        /// The reason.
        detail: String,
    },
}
