//! What the RPC methods work on: the handles of every part of the node.

use std::collections::BTreeSet;
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
use serde_json::{Value, json};

/// A topic that is published over ZMQ, for `getzmqnotifications`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZmqNotification {
    /// What is published, such as `pubhashblock`.
    pub kind: String,
    /// Where.
    pub address: String,
    /// How many messages wait for a subscriber.
    pub high_water_mark: usize,
}

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
    /// What is published over ZMQ.
    pub zmq_notifications: Vec<ZmqNotification>,
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
    /// The directories of the database and of the indexes.
    pub stores: Vec<PathBuf>,
    /// Where the node's log is.
    pub log_path: PathBuf,
    /// What Bitcoin Core took away and this node still answers, by the names that `-deprecatedrpc` takes.
    pub deprecated: BTreeSet<String>,
    /// Whether replies of Bitcoin Core's methods have fields of ours.
    pub own_fields: OwnFields,
}

/// Whether replies of Bitcoin Core's methods have fields that are not Bitcoin Core's, such as a chain's own name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnFields {
    /// They have.
    #[default]
    Shown,
    /// They have not: some clients take a field that they don't know for an error.
    Hidden,
}

impl RpcContext {
    /// Whether what goes by this name in `-deprecatedrpc` is still answered.
    pub(crate) fn answers_deprecated(&self, name: &str) -> bool {
        self.deprecated.contains(name)
    }

    /// Takes a field of ours out of a reply, if those are not shown.
    pub(crate) fn hide_own_field(&self, reply: &mut Value, name: &str) {
        if self.own_fields == OwnFields::Hidden
            && let Some(fields) = reply.as_object_mut()
        {
            fields.shift_remove(name);
        }
    }

    /// Warnings, of which there are none: a list, or as it once was, one text.
    pub(crate) fn warnings(&self) -> Value {
        if self.answers_deprecated("warnings") {
            json!("")
        } else {
            json!([])
        }
    }
}
