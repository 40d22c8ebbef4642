//! What the RPC methods work on: the handles of every part of the node.

use std::path::PathBuf;
use std::sync::Arc;

use pyrite_chain::{ChainHandle, ChainReader, Clock, PruneMode};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::ScriptBuf;
use pyrite_index::Indexes;
use pyrite_mempool::{MempoolFile, MempoolHandle, OrphanPool};
use pyrite_miner::{BlockSchedule, MinerHandle, MinerSettings, WorkSource};
use pyrite_network::NetworkHandle;
use pyrite_wallet::WalletHandle;

/// The handles that the RPC methods use, and what they need to know of the node.
#[derive(Clone)]
pub struct RpcContext {
    /// The chain's rules.
    pub spec: Arc<ChainSpec>,
    /// Commands to the chain's writer.
    pub chain: ChainHandle,
    /// The chain's state.
    pub reader: ChainReader,
    /// Whether old blocks are deleted.
    pub prune_mode: PruneMode,
    /// The indexes that are on.
    pub indexes: Indexes,
    /// Unconfirmed transactions.
    pub mempool: MempoolHandle,
    /// Their file, over a restart.
    pub mempool_file: Arc<MempoolFile>,
    /// Transactions of peers that wait for their parents.
    pub orphans: OrphanPool,
    /// The peer-to-peer network.
    pub network: NetworkHandle,
    /// The built-in miner.
    pub miner: MinerHandle,
    /// Templates, and the door for solved blocks.
    pub work: Arc<dyn WorkSource>,
    /// Whom the coinbase pays that `getblocktemplate` makes for clients that ask for one.
    pub template_payout: Option<ScriptBuf>,
    /// The node's wallet.
    pub wallet: WalletHandle,
    /// Follows the chain and the mempool with the wallet, and returns when it has caught up. Blocking.
    pub sync_wallet: Arc<dyn Fn() + Send + Sync>,
    /// The current time.
    pub clock: Clock,
    /// Asks the node to stop; returns at once.
    pub shutdown: Arc<dyn Fn() + Send + Sync>,
    /// When the node started, Unix seconds.
    pub started_at: u64,
    /// What the node calls itself to its peers, such as `/Pyrite:0.1.0/`.
    pub user_agent: String,
    /// What `startmining` uses where the caller says nothing.
    pub mining_defaults: MinerSettings,
    /// Blocks by the clock, if the node makes them.
    pub block_schedule: Option<BlockSchedule>,
    /// The chain's directory inside the data directory.
    pub data_dir: PathBuf,
    /// Where the node's log is.
    pub log_path: PathBuf,
}
