//! Configuration: command line over environment over TOML file over defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use pyrite_chain::PruneMode;
use pyrite_consensus::bitcoin::{BlockHash, ScriptBuf};
use pyrite_consensus::{AddressError, ChainSpec};
use pyrite_index::IndexKind;
use pyrite_mempool::{MempoolConfig, Persistence};
use pyrite_miner::{BlockSchedule, MinerSettings, TemplateOptions};
use pyrite_network::{Dialing, Multiaddr};
use pyrite_rpc::{BindRule, OwnFields, RestMode};
use serde::Deserialize;

use self::file::{read_config_file, read_text};
pub use self::mining::MiningOptions;
pub use self::notifications::NotificationOptions;
pub use self::rpc::{RpcAccess, RpcCookie, Secret};
pub use self::schedule::parse_duration;
use crate::notifications::NotificationConfig;
use crate::{DataDir, LogTarget, NodeError, StaleEstimates};

mod file;
mod mempool;
mod mining;
mod notifications;
mod rpc;
mod schedule;

/// Where a node listens for JSON-RPC when nothing else is said.
const DEFAULT_RPC_BIND: &str = "127.0.0.1:9332";
/// Where a node listens for peers when nothing else is said.
const DEFAULT_LISTEN: &str = "/ip4/127.0.0.1/tcp/9333";
/// What a node calls itself to peers and clients.
const USER_AGENT: &str = concat!("/Pyrite:", env!("CARGO_PKG_VERSION"), "/");
const DEFAULT_MAX_PEERS: usize = 125;
const DEFAULT_DB_CACHE_MIB: usize = 450;
/// All the coins that there can be, in satoshi: no fee rate is higher.
const MAX_MONEY_SAT: u64 = 21_000_000 * 100_000_000;
/// Bitcoin Core's `MIN_DISK_SPACE_FOR_BLOCK_FILES`.
const MIN_PRUNE_MIB: i64 = 550;

/// The settings of a node. Every one is a flag, an environment variable and a key of the configuration file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct NodeOptions {
    /// The chain: pyrite, regtest, mainnet, or the path of a chain spec (TOML) [default: pyrite]
    #[arg(long, value_name = "SPEC", env = "PYRITE_CHAIN")]
    pub chain: Option<String>,
    /// Where the node keeps everything, in a folder for each chain [default: ~/.pyrite]
    #[arg(long, value_name = "DIR", env = "PYRITE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// A TOML file with any of these settings, by their names without the dashes in front
    #[arg(long, value_name = "FILE", env = "PYRITE_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Listen for peers here; may be given several times [default: /ip4/127.0.0.1/tcp/9333]
    #[arg(
        long,
        value_name = "MULTIADDR",
        env = "PYRITE_LISTEN",
        value_delimiter = ','
    )]
    pub listen: Vec<String>,
    /// Connect to this peer and stay connected; may be given several times
    #[arg(
        long,
        value_name = "MULTIADDR",
        env = "PYRITE_PEER",
        value_delimiter = ','
    )]
    pub peer: Vec<String>,
    /// Find peers on the local network by mDNS [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_MDNS", num_args = 0..=1, default_missing_value = "true")]
    pub mdns: Option<bool>,
    /// The most peers to be connected with [default: 125]
    #[arg(long, value_name = "N", env = "PYRITE_MAX_PEERS")]
    pub max_peers: Option<usize>,
    /// Serve JSON-RPC here; may be given several times [default: 127.0.0.1:9332]
    #[arg(
        long,
        value_name = "ADDR",
        env = "PYRITE_RPC_BIND",
        value_delimiter = ','
    )]
    #[serde(deserialize_with = "rpc::one_or_more")]
    pub rpc_bind: Vec<String>,
    /// A user of JSON-RPC beside the cookie's: USER:SALT$HASH, as `pyrite rpcauth USER` prints it; may be given several times
    #[arg(
        long,
        value_name = "LINE",
        env = "PYRITE_RPC_AUTH",
        value_delimiter = ','
    )]
    pub rpc_auth: Vec<String>,
    /// A user of JSON-RPC whose password stands in --rpc-password
    #[arg(long, value_name = "NAME", env = "PYRITE_RPC_USER")]
    pub rpc_user: Option<String>,
    /// The password; other programs can see flags, so rather give it in the environment or the file
    #[arg(
        long,
        value_name = "WORD",
        env = "PYRITE_RPC_PASSWORD",
        hide_env_values = true
    )]
    pub rpc_password: Option<Secret>,
    /// The methods that a user may call: USER:METHOD,METHOD. May be given several times; of several lists for one user, what is
    /// in all of them counts
    #[arg(
        long,
        value_name = "LIST",
        env = "PYRITE_RPC_WHITELIST",
        value_delimiter = ';'
    )]
    pub rpc_whitelist: Vec<String>,
    /// Users without a list may call nothing [default: true if there is a list]
    #[arg(long, value_name = "BOOL", env = "PYRITE_RPC_WHITELIST_DEFAULT", num_args = 0..=1, default_missing_value = "true")]
    pub rpc_whitelist_default: Option<bool>,
    /// Addresses that may use JSON-RPC beside this machine's: 1.2.3.4, 1.2.3.0/24, 1.2.3.0/255.255.255.0; may be given several
    /// times
    #[arg(
        long,
        value_name = "NET",
        env = "PYRITE_RPC_ALLOW_IP",
        value_delimiter = ','
    )]
    pub rpc_allow_ip: Vec<String>,
    /// Serve Bitcoin Core's REST interface beside JSON-RPC, to whoever reaches its port, without a password [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_REST", num_args = 0..=1, default_missing_value = "true")]
    pub rest: Option<bool>,
    /// Mine from the start, paying this address, or the node's own wallet if it says "wallet"
    #[arg(long, value_name = "ADDRESS", env = "PYRITE_MINE")]
    pub mine: Option<String>,
    /// Whom the blocks pay of miners that have the node make their coinbase (coinbasetxn in getblocktemplate), and so bring no
    /// address of their own
    #[arg(long, value_name = "ADDRESS", env = "PYRITE_TEMPLATE_PAYOUT")]
    pub template_payout: Option<String>,
    /// How to mine.
    #[command(flatten)]
    #[serde(skip)]
    pub mining: MiningOptions,
    /// Whom to tell what happens.
    #[command(flatten)]
    #[serde(skip)]
    pub notifications: NotificationOptions,
    /// Make a block every so often, whatever the hash power, instead of mining: 10s, 500ms, 2m. Blocks pay as --mine says,
    /// or the wallet. For chains of fixed difficulty, and others where blocks come no faster than the chain wants
    #[arg(long, value_name = "TIME", env = "PYRITE_BLOCK_EVERY")]
    pub block_every: Option<String>,
    /// How the blocks of --block-every are spread: exact, or poisson, as mining spreads them [default: exact]
    #[arg(long, value_name = "HOW", env = "PYRITE_BLOCK_TIMING")]
    pub block_timing: Option<String>,
    /// Hours after which a transaction leaves the mempool [default: 336]
    #[arg(long, value_name = "HOURS", env = "PYRITE_MEMPOOL_EXPIRY_HOURS")]
    pub mempool_expiry_hours: Option<u64>,
    /// Keep the mempool over a restart, in mempool.dat [default: true]
    #[arg(long, value_name = "BOOL", env = "PYRITE_PERSIST_MEMPOOL", num_args = 0..=1, default_missing_value = "true")]
    pub persist_mempool: Option<bool>,
    /// Take and relay what pays at least this, in satoshi per 1,000 virtual bytes [default: 100]
    #[arg(long, value_name = "SAT", env = "PYRITE_MIN_RELAY_FEE")]
    pub min_relay_fee: Option<u64>,
    /// What a replacement pays in addition for its own size, and how much the mempool's minimum rises when it is full, in
    /// satoshi per 1,000 virtual bytes [default: 100]
    #[arg(long, value_name = "SAT", env = "PYRITE_INCREMENTAL_RELAY_FEE")]
    pub incremental_relay_fee: Option<u64>,
    /// An output is dust if spending it at this rate costs more than it is worth, in satoshi per 1,000 virtual bytes
    /// [default: 3000]
    #[arg(long, value_name = "SAT", env = "PYRITE_DUST_RELAY_FEE")]
    pub dust_relay_fee: Option<u64>,
    /// Bytes of all data-carrying outputs of a transaction together; 0 for none such [default: 100000]
    #[arg(long, value_name = "BYTES", env = "PYRITE_DATA_CARRIER_BYTES")]
    pub data_carrier_bytes: Option<usize>,
    /// Relay outputs that list public keys themselves, up to three [default: true]
    #[arg(long, value_name = "BOOL", env = "PYRITE_PERMIT_BARE_MULTISIG", num_args = 0..=1, default_missing_value = "true")]
    pub permit_bare_multisig: Option<bool>,
    /// Virtual bytes that a signature operation counts for at least; 0 for none [default: 20]
    #[arg(long, value_name = "BYTES", env = "PYRITE_BYTES_PER_SIGOP")]
    pub bytes_per_sigop: Option<u64>,
    /// The most unconfirmed transactions that are linked with each other, 1 to 64 [default: 64]
    #[arg(long, value_name = "N", env = "PYRITE_CLUSTER_COUNT")]
    pub cluster_count: Option<usize>,
    /// The most that unconfirmed transactions which are linked with each other take, in 1,000 virtual bytes [default: 101]
    #[arg(long, value_name = "KVB", env = "PYRITE_CLUSTER_KVB")]
    pub cluster_kvb: Option<u64>,
    /// Take transactions that are valid but not standard; not on mainnet [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_ACCEPT_NONSTANDARD", num_args = 0..=1, default_missing_value = "true")]
    pub accept_nonstandard: Option<bool>,
    /// Bound of the mempool, in megabytes [default: 300]
    #[arg(long, value_name = "MB", env = "PYRITE_MEMPOOL_MB")]
    pub mempool_mb: Option<usize>,
    /// Where too little is known for a fee estimate, answer what it takes to be among the next blocks'
    /// transactions by what waits in the mempool now: for private and quiet networks [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_FEE_FALLBACK", num_args = 0..=1, default_missing_value = "true")]
    pub fee_fallback: Option<bool>,
    /// Use the fee estimates of the last run even if they are more than 60 hours old [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_ACCEPT_STALE_FEE_ESTIMATES", num_args = 0..=1, default_missing_value = "true")]
    pub accept_stale_fee_estimates: Option<bool>,
    /// The most that a block of ours weighs [default: 4000000]
    #[arg(long, value_name = "WEIGHT", env = "PYRITE_BLOCK_MAX_WEIGHT")]
    pub block_max_weight: Option<u64>,
    /// What of it is kept free for the header and the coinbase, at least 2000 [default: 8000]
    #[arg(long, value_name = "WEIGHT", env = "PYRITE_BLOCK_RESERVED_WEIGHT")]
    pub block_reserved_weight: Option<u64>,
    /// Blocks of ours leave out what pays less, in satoshi per 1,000 virtual bytes [default: 1]
    #[arg(long, value_name = "SAT", env = "PYRITE_BLOCK_MIN_FEE_RATE")]
    pub block_min_fee_rate: Option<u64>,
    /// Bound of the coins in memory, in MiB; the database takes half as much beside it, 16 to 112 MiB [default: 450]
    #[arg(long, value_name = "MIB", env = "PYRITE_DB_CACHE")]
    pub db_cache: Option<usize>,
    /// A block that is known to be valid: the scripts of its chain up to it are not verified, as long as
    /// its chain is the one with the most work [default: none]
    #[arg(long, value_name = "HASH", env = "PYRITE_ASSUME_VALID")]
    pub assume_valid: Option<BlockHash>,
    /// Delete old blocks: 1 by hand, with the RPC method pruneblockchain; 550 and more when blocks and undo data
    /// take more than so many MiB; 0 not at all [default: 0]
    #[arg(
        long,
        value_name = "N",
        env = "PYRITE_PRUNE",
        allow_negative_numbers = true
    )]
    pub prune: Option<i64>,
    /// Build the database anew from the blocks that are stored, also where it is damaged, and verify all
    #[arg(long)]
    #[serde(skip)]
    pub reindex: bool,
    /// Build the coins anew from the blocks that are stored, and verify all
    #[arg(long, conflicts_with = "reindex")]
    #[serde(skip)]
    pub reindex_chainstate: bool,
    /// Threads that verify scripts [default: all processors]
    #[arg(long, value_name = "N", env = "PYRITE_SCRIPT_THREADS")]
    pub script_threads: Option<usize>,
    /// Keep an index of all transactions, for getrawtransaction and gettxoutproof [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_TXINDEX", num_args = 0..=1, default_missing_value = "true")]
    pub txindex: Option<bool>,
    /// Keep compact filters of all blocks (BIP158), for getblockfilter and scanblocks [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_BLOCKFILTERINDEX", num_args = 0..=1, default_missing_value = "true")]
    pub blockfilterindex: Option<bool>,
    /// Keep the figures of the coins after every block, for gettxoutsetinfo [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_COINSTATSINDEX", num_args = 0..=1, default_missing_value = "true")]
    pub coinstatsindex: Option<bool>,
    /// Keep an index of what spends outputs, for gettxspendingprevout [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_TXOSPENDERINDEX", num_args = 0..=1, default_missing_value = "true")]
    pub txospenderindex: Option<bool>,
    /// Keep an index of addresses, for getaddressbalance and its like [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_ADDRESSINDEX", num_args = 0..=1, default_missing_value = "true")]
    pub addressindex: Option<bool>,
    /// Log to the file only, not to stderr [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_QUIET", num_args = 0..=1, default_missing_value = "true")]
    pub quiet: Option<bool>,
}

/// Where mining pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payout {
    /// A new address of the node's own wallet.
    Wallet,
    /// A given script.
    Script(ScriptBuf),
}

/// Whether the network is on from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkActivity {
    /// It is.
    On,
    /// `setnetworkactive` switches it on.
    Off,
}

/// What is built anew at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reindex {
    /// Nothing.
    Nothing,
    /// Everything, from the blocks.
    All,
    /// The coins, from the blocks.
    Coins,
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The chain.
    pub spec: Arc<ChainSpec>,
    /// Where its files are.
    pub data_dir: DataDir,
    /// Where to listen for peers.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected with.
    pub peers: Vec<Multiaddr>,
    /// Whether to find peers by mDNS.
    pub mdns: bool,
    /// Whom to dial.
    pub dialing: Dialing,
    /// Whether the network is on from the start.
    pub network_activity: NetworkActivity,
    /// The most peers.
    pub max_peers: usize,
    /// Where to serve JSON-RPC.
    pub rpc_bind: Vec<SocketAddr>,
    /// Whether it must be served at all of them.
    pub rpc_bind_rule: BindRule,
    /// Who may use it.
    pub rpc_access: RpcAccess,
    /// Where the RPC cookie is.
    pub rpc_cookie: RpcCookie,
    /// The mode of its file, if others than its owner may read it.
    pub rpc_cookie_mode: Option<u32>,
    /// Fields and methods that Bitcoin Core took away and that are to be there all the same, as `-deprecatedrpc` names them.
    pub deprecated_rpc: Vec<String>,
    /// Whether replies of Bitcoin Core's methods have fields of ours.
    pub own_fields: OwnFields,
    /// The log file of whoever starts the node, if it is not in the data directory's place for logs. Clients are told of it.
    pub log_file: Option<PathBuf>,
    /// What the node calls itself to peers and clients.
    pub user_agent: String,
    /// Whether to serve the REST interface there too.
    pub rest: RestMode,
    /// Whether to mine from the start, and for whom.
    pub mine: Option<Payout>,
    /// Whom the coinbase pays that `getblocktemplate` makes.
    pub template_payout: Option<ScriptBuf>,
    /// How to mine.
    pub mining: MinerSettings,
    /// Whom to tell what happens.
    pub notifications: NotificationConfig,
    /// Blocks by the clock, instead of mining from the start.
    pub block_schedule: Option<BlockSchedule>,
    /// What the mempool takes, and its bounds.
    pub mempool: MempoolConfig,
    /// Whether the mempool outlives the node.
    pub mempool_persistence: Persistence,
    /// What to do with old fee estimates.
    pub stale_fee_estimates: StaleEstimates,
    /// How the blocks that are to be mined are built.
    pub block_template: TemplateOptions,
    /// Bound of the coins in memory, in bytes.
    pub coins_cache_bytes: usize,
    /// A block whose chain's scripts are not verified up to it.
    pub assume_valid: Option<BlockHash>,
    /// Whether old blocks are deleted.
    pub pruning: PruneMode,
    /// What is built anew at the start.
    pub reindex: Reindex,
    /// Threads that verify scripts.
    pub script_threads: usize,
    /// The indexes to keep.
    pub indexes: Vec<IndexKind>,
    /// Where the log goes.
    pub log: LogTarget,
    /// A time at which the node's clock stands still from the start, Unix seconds.
    pub mock_time: Option<u64>,
    /// The height at which the node stops.
    pub stop_at_height: Option<u32>,
}

impl NodeOptions {
    /// Adds the configuration file's settings under these, fills in defaults, and checks them all.
    ///
    /// # Errors
    /// The first setting that is wrong, by its name.
    pub fn resolve(self) -> Result<NodeConfig, NodeError> {
        let options = match &self.config {
            Some(path) => {
                let file = read_config_file(path)?;
                self.or(file)
            }
            None => self,
        };
        let spec = load_chain_spec(options.chain.as_deref().unwrap_or("pyrite"))?;
        let indexes = options.indexes();
        let mempool = options.mempool(&spec)?;
        let mempool_persistence = options.mempool_persistence();
        let block_schedule = options.block_schedule(&spec)?;
        let (rpc_bind, rpc_access) = (options.rpc_bind()?, options.rpc_access()?);
        let root = match options.data_dir {
            Some(path) => path,
            None => default_data_dir()?,
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let listen = if options.listen.is_empty() {
            vec![DEFAULT_LISTEN.to_owned()]
        } else {
            options.listen
        };
        let mut peers = parse_peers("peer", &options.peer)?;
        peers.extend(parse_peers("bootstrap_peers", &spec.bootstrap_peers)?);
        Ok(NodeConfig {
            data_dir: DataDir::new(root, &spec.name),
            listen: listen
                .iter()
                .map(|text| parse_listen(text))
                .collect::<Result<_, _>>()?,
            peers,
            mdns: options.mdns.unwrap_or(false),
            dialing: Dialing::Everybody,
            network_activity: NetworkActivity::On,
            max_peers: in_range(
                "max-peers",
                options.max_peers.unwrap_or(DEFAULT_MAX_PEERS),
                1,
                10_000,
            )?,
            rpc_bind,
            rpc_bind_rule: BindRule::All,
            rpc_access,
            rpc_cookie: RpcCookie::InPlace,
            rpc_cookie_mode: None,
            deprecated_rpc: Vec::new(),
            own_fields: OwnFields::Shown,
            log_file: None,
            user_agent: USER_AGENT.to_owned(),
            rest: match options.rest {
                Some(true) => RestMode::On,
                Some(false) | None => RestMode::Off,
            },
            mine: options
                .mine
                .as_deref()
                .map(|text| parse_payout(&spec, text))
                .transpose()?,
            template_payout: options
                .template_payout
                .as_deref()
                .map(|text| parse_template_payout(&spec, text))
                .transpose()?,
            mining: options.mining.resolve()?,
            notifications: options.notifications.resolve()?,
            block_schedule,
            mempool,
            mempool_persistence,
            stale_fee_estimates: match options.accept_stale_fee_estimates {
                Some(true) => StaleEstimates::Accept,
                Some(false) | None => StaleEstimates::Ignore,
            },
            block_template: template_options(
                &spec,
                options.block_max_weight,
                options.block_reserved_weight,
                options.block_min_fee_rate,
            )?,
            coins_cache_bytes: db_cache_bytes(options.db_cache)?,
            assume_valid: options.assume_valid,
            pruning: pruning(options.prune.unwrap_or(0), &indexes)?,
            reindex: match (options.reindex, options.reindex_chainstate) {
                (true, _) => Reindex::All,
                (false, true) => Reindex::Coins,
                (false, false) => Reindex::Nothing,
            },
            script_threads: in_range(
                "script-threads",
                options.script_threads.unwrap_or(processors),
                1,
                1024,
            )?,
            indexes,
            log: if options.quiet.unwrap_or(false) {
                LogTarget::File
            } else {
                LogTarget::FileAndStderr
            },
            mock_time: None,
            stop_at_height: None,
            spec: Arc::new(spec),
        })
    }

    /// The indexes that are switched on.
    fn indexes(&self) -> Vec<IndexKind> {
        let is_on = |kind: &IndexKind| {
            let switch = match kind {
                IndexKind::Transactions => self.txindex,
                IndexKind::Filters => self.blockfilterindex,
                IndexKind::CoinStats => self.coinstatsindex,
                IndexKind::Spenders => self.txospenderindex,
                IndexKind::Addresses => self.addressindex,
            };
            switch.unwrap_or(false)
        };
        IndexKind::ALL.into_iter().filter(is_on).collect()
    }

    /// These settings, and where they are silent, the other's.
    fn or(self, other: Self) -> Self {
        Self {
            chain: self.chain.or(other.chain),
            data_dir: self.data_dir.or(other.data_dir),
            config: self.config,
            listen: non_empty_or(self.listen, other.listen),
            peer: non_empty_or(self.peer, other.peer),
            mdns: self.mdns.or(other.mdns),
            max_peers: self.max_peers.or(other.max_peers),
            rpc_bind: non_empty_or(self.rpc_bind, other.rpc_bind),
            rpc_auth: non_empty_or(self.rpc_auth, other.rpc_auth),
            rpc_user: self.rpc_user.or(other.rpc_user),
            rpc_password: self.rpc_password.or(other.rpc_password),
            rpc_whitelist: non_empty_or(self.rpc_whitelist, other.rpc_whitelist),
            rpc_whitelist_default: self.rpc_whitelist_default.or(other.rpc_whitelist_default),
            rpc_allow_ip: non_empty_or(self.rpc_allow_ip, other.rpc_allow_ip),
            rest: self.rest.or(other.rest),
            mine: self.mine.or(other.mine),
            template_payout: self.template_payout.or(other.template_payout),
            mining: self.mining.or(other.mining),
            notifications: self.notifications.or(other.notifications),
            block_every: self.block_every.or(other.block_every),
            block_timing: self.block_timing.or(other.block_timing),
            mempool_expiry_hours: self.mempool_expiry_hours.or(other.mempool_expiry_hours),
            persist_mempool: self.persist_mempool.or(other.persist_mempool),
            min_relay_fee: self.min_relay_fee.or(other.min_relay_fee),
            incremental_relay_fee: self.incremental_relay_fee.or(other.incremental_relay_fee),
            dust_relay_fee: self.dust_relay_fee.or(other.dust_relay_fee),
            data_carrier_bytes: self.data_carrier_bytes.or(other.data_carrier_bytes),
            permit_bare_multisig: self.permit_bare_multisig.or(other.permit_bare_multisig),
            bytes_per_sigop: self.bytes_per_sigop.or(other.bytes_per_sigop),
            cluster_count: self.cluster_count.or(other.cluster_count),
            cluster_kvb: self.cluster_kvb.or(other.cluster_kvb),
            accept_nonstandard: self.accept_nonstandard.or(other.accept_nonstandard),
            mempool_mb: self.mempool_mb.or(other.mempool_mb),
            fee_fallback: self.fee_fallback.or(other.fee_fallback),
            accept_stale_fee_estimates: self
                .accept_stale_fee_estimates
                .or(other.accept_stale_fee_estimates),
            block_max_weight: self.block_max_weight.or(other.block_max_weight),
            block_reserved_weight: self.block_reserved_weight.or(other.block_reserved_weight),
            block_min_fee_rate: self.block_min_fee_rate.or(other.block_min_fee_rate),
            db_cache: self.db_cache.or(other.db_cache),
            assume_valid: self.assume_valid.or(other.assume_valid),
            prune: self.prune.or(other.prune),
            reindex: self.reindex,
            reindex_chainstate: self.reindex_chainstate,
            script_threads: self.script_threads.or(other.script_threads),
            txindex: self.txindex.or(other.txindex),
            blockfilterindex: self.blockfilterindex.or(other.blockfilterindex),
            coinstatsindex: self.coinstatsindex.or(other.coinstatsindex),
            txospenderindex: self.txospenderindex.or(other.txospenderindex),
            addressindex: self.addressindex.or(other.addressindex),
            quiet: self.quiet.or(other.quiet),
        }
    }
}

/// The built-in chain of that name, or the chain spec in the file of that name.
///
/// # Errors
/// There is neither, or the file's spec is invalid.
pub fn load_chain_spec(name: &str) -> Result<ChainSpec, NodeError> {
    if let Some(spec) = ChainSpec::builtin(name) {
        return Ok(spec);
    }
    let path = PathBuf::from(name);
    let text = read_text(&path).map_err(|source| NodeError::UnknownChain {
        name: name.to_owned(),
        builtin: ChainSpec::BUILTIN.join(", "),
        source,
    })?;
    ChainSpec::from_toml(&text).map_err(|source| NodeError::ChainSpec { path, source })
}

/// The bytes of coins in memory that `--db-cache`, in MiB, or its default stands for.
///
/// # Errors
/// It is below 4 or above 65,536.
pub fn db_cache_bytes(mib: Option<usize>) -> Result<usize, NodeError> {
    let mib = in_range("db-cache", mib.unwrap_or(DEFAULT_DB_CACHE_MIB), 4, 65_536)?;
    Ok(mib << 20)
}

/// How blocks are built: the reserve fits into the block, and the block into the chain's limit.
fn template_options(
    spec: &ChainSpec,
    max_weight: Option<u64>,
    reserved_weight: Option<u64>,
    min_fee_rate: Option<u64>,
) -> Result<TemplateOptions, NodeError> {
    let (defaults, limit) = (TemplateOptions::default(), spec.limits.max_block_weight);
    let max_weight = max_weight.unwrap_or(defaults.max_weight.min(limit));
    let least = TemplateOptions::MIN_RESERVED_WEIGHT;
    let max_weight = in_range("block-max-weight", max_weight, least, limit)?;
    let reserved_weight = reserved_weight.unwrap_or(defaults.reserved_weight.min(max_weight));
    let min_fee_rate = min_fee_rate.unwrap_or(defaults.min_fee_rate_sat_per_kvb);
    Ok(TemplateOptions {
        max_weight,
        reserved_weight: in_range("block-reserved-weight", reserved_weight, least, max_weight)?,
        min_fee_rate_sat_per_kvb: in_range("block-min-fee-rate", min_fee_rate, 0, MAX_MONEY_SAT)?,
    })
}

/// Whether to prune: not below indexes that need all blocks.
fn pruning(number: i64, indexes: &[IndexKind]) -> Result<PruneMode, NodeError> {
    let mode = parse_prune(number)?;
    match indexes.iter().find(|index| !index.allows_pruning()) {
        Some(index) if mode != PruneMode::Off => Err(NodeError::Setting {
            setting: "prune",
            detail: format!("{} needs all blocks: use one or the other", index.option()),
        }),
        _ => Ok(mode),
    }
}

/// `~/.pyrite`.
///
/// # Errors
/// There is no home directory.
pub fn default_data_dir() -> Result<PathBuf, NodeError> {
    std::env::home_dir()
        .filter(|home| !home.as_os_str().is_empty())
        .map(|home| home.join(".pyrite"))
        .ok_or(NodeError::Setting {
            setting: "data-dir",
            detail: "no home directory: say where".to_owned(),
        })
}

fn non_empty_or<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
    if first.is_empty() { second } else { first }
}

fn in_range<T: PartialOrd + std::fmt::Display>(
    setting: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<T, NodeError> {
    if value < least || value > most {
        let detail = format!("{value} is not between {least} and {most}");
        return Err(NodeError::Setting { setting, detail });
    }
    Ok(value)
}

/// As Bitcoin Core reads `-prune`.
fn parse_prune(number: i64) -> Result<PruneMode, NodeError> {
    let wrong = |detail: String| NodeError::Setting {
        setting: "prune",
        detail,
    };
    match number {
        ..0 => Err(wrong(format!("{number} is negative"))),
        0 => Ok(PruneMode::Off),
        1 => Ok(PruneMode::ByHand),
        2..MIN_PRUNE_MIB => Err(wrong(format!(
            "{number} is below the minimum of {MIN_PRUNE_MIB} MiB"
        ))),
        MIN_PRUNE_MIB.. => u64::try_from(number)
            .ok()
            .and_then(|mib| mib.checked_mul(1 << 20))
            .map(|target_bytes| PruneMode::Automatic { target_bytes })
            .ok_or_else(|| wrong(format!("{number} MiB is too much"))),
    }
}

fn parse_listen(text: &str) -> Result<Multiaddr, NodeError> {
    text.parse().map_err(|error| NodeError::Setting {
        setting: "listen",
        detail: format!("{text} is not a multiaddr such as {DEFAULT_LISTEN}: {error}"),
    })
}

fn parse_peers(setting: &'static str, peers: &[String]) -> Result<Vec<Multiaddr>, NodeError> {
    peers
        .iter()
        .map(|text| {
            pyrite_network::parse_peer_address(text).map_err(|error| NodeError::Setting {
                setting,
                detail: error.to_string(),
            })
        })
        .collect()
}

fn parse_payout(spec: &ChainSpec, text: &str) -> Result<Payout, NodeError> {
    if text == "wallet" {
        return Ok(Payout::Wallet);
    }
    match parse_address("mine", spec, text) {
        Ok(script) => Ok(Payout::Script(script)),
        Err(NodeError::Setting { setting, detail }) => Err(NodeError::Setting {
            setting,
            detail: format!("{detail}; \"wallet\" means the node's own"),
        }),
        Err(error) => Err(error),
    }
}

fn parse_template_payout(spec: &ChainSpec, text: &str) -> Result<ScriptBuf, NodeError> {
    parse_address("template-payout", spec, text)
}

/// The script of an address of the chain.
fn parse_address(
    setting: &'static str,
    spec: &ChainSpec,
    text: &str,
) -> Result<ScriptBuf, NodeError> {
    let detail = match spec.address_kind.parse_address(text) {
        Ok(address) => return Ok(address.script_pubkey()),
        Err(AddressError::OtherKind) => {
            format!("{text} is not an address of chain {}", spec.name)
        }
        Err(AddressError::Malformed(error)) => format!("{text} is not an address: {error}"),
    };
    Err(NodeError::Setting { setting, detail })
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
