//! A Pyrite node: configuration, data directory, and the wiring of chain, mempool, network, wallet,
//! miner and RPC. The binary and the testnet launcher are built on it.

mod chain_access;
mod data_dir;
mod debug_log;
mod error;
mod export;
mod fee_estimates;
mod import;
mod logging;
mod mempool_keeper;
mod mining_accounts;
mod node;
mod notifications;
mod options;
mod pruner;
mod reindex;
mod relay;
mod scheduled_blocks;
mod template_follower;
#[cfg(test)]
mod test_chain;
mod wallet_follower;

pub use data_dir::{DataDir, RuntimeInfo, find_running};
pub use debug_log::{Console, DebugLog, DebugLogConfig, LongFile, init_debug_log};
pub use error::NodeError;
pub use export::{Existing, ExportEnd, export_blocks};
pub use fee_estimates::StaleEstimates;
pub use import::{
    ImportEnd, ImportProgress, ImportReport, import_block_files, import_headers_up_to,
};
pub use logging::{LogTarget, init_logging};
pub use node::{Node, NodeHandles, StopHandle};
pub use notifications::{NotificationConfig, NotifyCommands, PublisherConfig, Topic, ZmqAddress};
pub use options::{
    MiningOptions, NetworkActivity, NodeConfig, NodeOptions, NotificationOptions, Reindex,
    RpcAccess, RpcCookie, Secret, db_cache_bytes, default_data_dir, load_chain_spec,
    parse_duration,
};

/// Whom the node dials.
pub use pyrite_network::Dialing;

/// What `--block-every` and `--block-timing` say.
pub use pyrite_miner::{BlockSchedule, BlockTiming};
