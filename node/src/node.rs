//! The node: starts its parts in the order in which they need each other, and stops them in reverse.

use std::fs::File;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use pyrite_chain::{Chain, ChainConfig, ChainHandle, ChainReader, Clock, PruneMode};
use pyrite_index::{Indexes, IndexesConfig};
use pyrite_mempool::{MempoolFile, MempoolHandle, OrphanPool};
use pyrite_miner::{Ledger, MinerError, MinerHandle, WorkSource};
use pyrite_network::{Network, NetworkConfig, NetworkHandle};
use pyrite_rpc::{RpcConfig, RpcContext, RpcServer};
use pyrite_wallet::{AddressType, SeedSource, WalletConfig, WalletHandle};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain_access::NodeChainAccess;
use crate::fee_estimates::FeeEstimatesFile;
use crate::mining_accounts::{AccountedWork, WorkingTime};
use crate::notifications::Notifications;
use crate::options::{NetworkActivity, Payout, RpcCookie};
use crate::relay::{Relay, RelayFollower};
use crate::scheduled_blocks::ScheduledBlocks;
use crate::template_follower::TemplateFollower;
use crate::wallet_follower::WalletFollower;
use crate::{NodeConfig, NodeError, RuntimeInfo, mempool_keeper, pruner, reindex};

/// Name of the wallet's folder.
const WALLET_NAME: &str = "default";

/// A running node.
pub struct Node {
    chain: Chain,
    indexes: Indexes,
    parts: Parts,
    /// Keeps other nodes out of the data directory.
    _lock: File,
}

/// The parts of a node that runs in the same process.
#[derive(Clone)]
pub struct NodeHandles {
    /// The chain's state.
    pub reader: ChainReader,
    /// Unconfirmed transactions.
    pub mempool: MempoolHandle,
    /// Block templates, and the door for solved blocks.
    pub work: Arc<dyn WorkSource>,
}

/// Asks a node to stop. Clones ask the same node.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<watch::Sender<bool>>);

impl Default for StopHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl StopHandle {
    /// One that nobody has used.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks the node to stop; it does so soon.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether to go on with long work.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if *self.0.borrow() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Waits until the node is asked to stop.
    async fn into_stopped(self) {
        self.stopped().await;
    }

    pub(crate) async fn stopped(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so that waiting can't fail.
        let _ = receiver.wait_for(|stop| *stop).await;
    }
}

impl Node {
    /// Starts a node: its data directory, chain, mempool, wallet, network, RPC server, and its miner if the
    /// configuration says so.
    ///
    /// # Errors
    /// The first part that does not start. What was started before it is stopped again.
    pub async fn start(config: NodeConfig) -> Result<Self, NodeError> {
        Self::start_with(config, StopHandle::new()).await
    }

    /// As `start`, with what asks the node to stop: also while it is building its database anew.
    ///
    /// # Errors
    /// As `start`.
    pub async fn start_with(config: NodeConfig, stop: StopHandle) -> Result<Self, NodeError> {
        config.data_dir.create()?;
        // First of all: a second node must not take the cookie of the first.
        let lock = config.data_dir.lock()?;
        // Clients that ask while the node starts are told how far it is.
        let rpc = pyrite_rpc::listen(rpc_config(&config)).await?;
        let progress = rpc.progress();
        let clock = Clock::system();
        if let Some(time) = config.mock_time {
            clock.stop_at(time);
        }
        progress.tell("Loading block index…");
        let chain = open_chain(&config, clock.clone(), stop.clone()).await?;
        let path = config.data_dir.database();
        let indexes = match start_indexes(&config, &chain).await {
            Ok(indexes) => indexes,
            Err(error) => {
                close_chain(chain, path).await?;
                return Err(error);
            }
        };
        match Self::start_on(config, rpc, &chain, &indexes, clock, stop).await {
            Ok(parts) => Ok(Self {
                chain,
                indexes,
                parts,
                _lock: lock,
            }),
            Err(error) => {
                stop_indexes(indexes).await?;
                close_chain(chain, path).await?;
                Err(error)
            }
        }
    }

    async fn start_on(
        config: NodeConfig,
        rpc: RpcServer,
        chain: &Chain,
        indexes: &Indexes,
        clock: Clock,
        stop: StopHandle,
    ) -> Result<Parts, NodeError> {
        let reader = chain.reader.clone();
        let mempool = MempoolHandle::new(reader.clone(), clock.clone(), config.mempool.clone());
        let mempool_file = mempool_keeper::mempool_file(&config, &mempool);
        let fee_estimates = load_fee_estimates(&config, &mempool, &clock).await;
        let progress = rpc.progress();
        progress.tell("Loading wallet…");
        let wallet = open_wallet(&config).await?;
        let ledger = open_ledger(&config).await?;
        let wallet_follower = WalletFollower::new(reader.clone(), mempool.clone(), wallet.clone());
        guard_wallets_blocks(&chain.handle, &wallet);
        let templates = TemplateFollower::new(
            chain.handle.clone(),
            reader.clone(),
            mempool.clone(),
            clock.clone(),
            config.block_template,
        );
        let notifications = Notifications::start(config.notifications.clone()).await?;
        let orphans = OrphanPool::default();
        let (relay, relay_events) = Relay::new(
            reader.clone(),
            mempool.clone(),
            orphans.clone(),
            clock.clone(),
        );
        progress.tell("Starting network threads…");
        let network = start_network(&config, chain, &mempool, Arc::clone(&relay)).await?;
        let work: Arc<dyn WorkSource> = Arc::new(AccountedWork::new(
            templates.clone(),
            reader.clone(),
            clock.clone(),
            Arc::clone(&ledger),
        ));
        let (miner_clock, accounts_clock) = (clock.clone(), clock.clone());
        let schedule_clock = clock.clone();
        let notification_clock = clock.clone();
        let miner = MinerHandle::new(Arc::clone(&work), Arc::new(move || miner_clock.now()));

        rpc.serve(RpcContext {
            spec: Arc::clone(&config.spec),
            chain: chain.handle.clone(),
            reader: reader.clone(),
            prune_mode: config.pruning,
            indexes: indexes.clone(),
            mempool: mempool.clone(),
            mempool_file: Arc::clone(&mempool_file),
            orphans,
            network: network.clone(),
            miner: miner.clone(),
            template_payout: config.template_payout.clone(),
            work: Arc::clone(&work),
            wallet: wallet.clone(),
            zmq_notifications: notifications.published(),
            started_at: clock.now(),
            clock,
            user_agent: config.user_agent.clone(),
            mining_defaults: config.mining.clone(),
            block_schedule: config.block_schedule,
            sync_wallet: wallet_sync(&wallet_follower),
            shutdown: {
                let stop = stop.clone();
                Arc::new(move || stop.stop())
            },
            data_dir: config.data_dir.chain().to_owned(),
            stores: vec![config.data_dir.database(), config.data_dir.indexes()],
            log_path: (config.log_file.clone()).unwrap_or_else(|| config.data_dir.logs()),
            deprecated: config.deprecated_rpc.iter().cloned().collect(),
            own_fields: config.own_fields,
        });

        let handles = NodeHandles {
            reader: reader.clone(),
            mempool: mempool.clone(),
            work,
        };
        let announcer = network.clone();
        let working_time = Arc::new(WorkingTime::new(ledger, miner.clone(), accounts_clock));
        let mut tasks = vec![
            tokio::spawn(mempool.clone().run(stop.clone().into_stopped())),
            tokio::spawn(mempool_keeper::run(
                Arc::clone(&mempool_file),
                network.clone(),
                stop.clone(),
            )),
            tokio::spawn(templates.clone().run()),
            tokio::spawn(
                wallet_follower.run(move |transaction| announcer.announce_transaction(transaction)),
            ),
            tokio::spawn(RelayFollower::new(relay).run(relay_events, network.clone())),
            tokio::spawn(announce_tips(reader.clone(), network.clone())),
            tokio::spawn(tell_miner_of_tips(reader.clone(), miner.clone())),
            tokio::spawn(watch_failure(
                reader.clone(),
                notifications.clone(),
                stop.clone(),
            )),
            tokio::spawn(watch_indexes(
                indexes.clone(),
                notifications.clone(),
                stop.clone(),
            )),
            tokio::spawn(fee_estimates.clone().save_hourly()),
            tokio::spawn(Arc::clone(&working_time).run()),
        ];
        tasks.extend(notifications.follow(&reader, &mempool, notification_clock));
        if let Some(height) = config.stop_at_height {
            tasks.push(tokio::spawn(stop_at(height, reader.clone(), stop.clone())));
        }
        if let PruneMode::Automatic { target_bytes } = config.pruning {
            let pruner = pruner::run(
                chain.handle.clone(),
                chain.reader.clone(),
                target_bytes,
                stop.clone(),
            );
            tasks.push(tokio::spawn(pruner));
        }
        let mut parts = Parts {
            config,
            network,
            miner,
            mempool_file,
            rpc,
            fee_estimates,
            working_time,
            notifications,
            tasks,
            stop,
            handles,
        };
        if let Err(error) = parts.finish(&wallet, schedule_clock) {
            parts.stop().await;
            return Err(error);
        }
        Ok(parts)
    }

    /// Where it serves JSON-RPC.
    #[must_use]
    pub fn rpc_address(&self) -> SocketAddr {
        self.parts.rpc.local_addr()
    }

    /// Its parts.
    #[must_use]
    pub fn handles(&self) -> NodeHandles {
        self.parts.handles.clone()
    }

    /// What asks it to stop.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.parts.stop.clone()
    }

    /// Runs until it is asked to stop or can't go on, then stops its parts in order.
    ///
    /// # Errors
    /// The chain or an index failed while it ran (a full disk, a corrupt database).
    pub async fn run(self) -> Result<(), NodeError> {
        self.parts.stop.stopped().await;
        tracing::info!("stopping");
        let Self {
            chain,
            indexes,
            parts,
            _lock,
        } = self;
        let path = parts.config.data_dir.database();
        parts.stop().await;
        let followed = stop_indexes(indexes).await;
        close_chain(chain, path).await?;
        followed?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Everything but the chain and its indexes.
struct Parts {
    config: NodeConfig,
    network: NetworkHandle,
    miner: MinerHandle,
    mempool_file: Arc<MempoolFile>,
    rpc: RpcServer,
    fee_estimates: FeeEstimatesFile,
    working_time: Arc<WorkingTime>,
    notifications: Notifications,
    tasks: Vec<JoinHandle<()>>,
    stop: StopHandle,
    handles: NodeHandles,
}

impl Parts {
    /// Starts mining and tells other programs where the node is.
    fn finish(&mut self, wallet: &WalletHandle, clock: Clock) -> Result<(), NodeError> {
        self.start_mining(wallet, clock)?;
        let peer_id = self.network.local_peer_id();
        let info = RuntimeInfo {
            pid: std::process::id(),
            chain: self.config.spec.name.clone(),
            rpc_url: format!("http://{}", self.rpc.local_addr()),
            p2p_addresses: self
                .network
                .listen_addresses()
                .iter()
                .map(|address| format!("{address}/p2p/{peer_id}"))
                .collect(),
        };
        self.config.data_dir.write_runtime(&info)?;
        tracing::info!(
            chain = %info.chain,
            rpc = %info.rpc_url,
            p2p = %info.p2p_addresses.join(" "),
            "node is ready"
        );
        self.notifications.started();
        Ok(())
    }

    /// Starts what makes blocks from the start: the schedule if there is one, otherwise the miner.
    fn start_mining(&mut self, wallet: &WalletHandle, clock: Clock) -> Result<(), NodeError> {
        let payout = match (&self.config.mine, self.config.block_schedule) {
            (Some(Payout::Script(script)), _) => script.clone(),
            (Some(Payout::Wallet), _) | (None, Some(_)) => wallet
                .new_address(AddressType::Bech32, "mining")?
                .script_pubkey(),
            (None, None) => return Ok(()),
        };
        let work = Arc::clone(&self.handles.work);
        work.set_payout(payout.clone());
        let Some(schedule) = self.config.block_schedule else {
            return self.start_miner();
        };
        let blocks = ScheduledBlocks {
            schedule,
            work,
            payout,
            clock,
        };
        self.tasks.push(tokio::spawn(blocks.run(self.stop.clone())));
        Ok(())
    }

    /// Starts the miner. OpenCL may take long to list its devices, which nobody waits for.
    fn start_miner(&self) -> Result<(), NodeError> {
        let settings = self.config.mining.clone();
        if !settings.devices.has_opencl() {
            return Ok(self.miner.start(settings)?);
        }
        let miner = self.miner.clone();
        tokio::task::spawn_blocking(move || match miner.start(settings) {
            // Somebody stopped it, or the node, before.
            Ok(()) | Err(MinerError::Stopped | MinerError::ShutDown) => {}
            Err(error) => tracing::error!(%error, "the miner does not start"),
        });
        Ok(())
    }

    async fn stop(self) {
        self.notifications.stopping().await;
        self.config.data_dir.remove_runtime();
        self.stop.stop();
        let miner = self.miner;
        // Ends the device threads: blocking.
        if tokio::task::spawn_blocking(move || miner.shutdown())
            .await
            .is_err()
        {
            tracing::error!("the miner did not stop cleanly");
        }
        self.rpc.shutdown().await;
        self.network.shutdown().await;
        for task in self.tasks {
            task.abort();
            // Cancelled is what was asked for; a panic was logged when it happened.
            let _ = task.await;
        }
        // Nothing comes any more.
        let working_time = self.working_time;
        blocking(move || working_time.finish()).await;
        mempool_keeper::save(&self.mempool_file).await;
        let fee_estimates = self.fee_estimates;
        blocking(move || fee_estimates.save_last()).await;
    }
}

/// Stops the node once a new tip has this height, or a higher one.
async fn stop_at(height: u32, reader: ChainReader, stop: StopHandle) {
    let mut tip = reader.watch_tip();
    while tip.changed().await.is_ok() {
        let reached = tip.borrow_and_update().height.0;
        if reached >= height {
            tracing::info!(
                reached,
                "the chain has the height at which the node is to stop"
            );
            stop.stop();
            return;
        }
    }
}

/// Where JSON-RPC is served, and to whom.
fn rpc_config(config: &NodeConfig) -> RpcConfig {
    let access = &config.rpc_access;
    let place = config.data_dir.cookie();
    let cookie_path = match &config.rpc_cookie {
        RpcCookie::InPlace => Some(place.clone()),
        RpcCookie::At(path) => Some(path.clone()),
        RpcCookie::None => None,
    };
    let defaults = RpcConfig::new(config.rpc_bind[0], place);
    RpcConfig {
        bind: config.rpc_bind.clone(),
        bind_rule: config.rpc_bind_rule,
        cookie_path,
        cookie_mode: config.rpc_cookie_mode.unwrap_or(defaults.cookie_mode),
        users: access.users.clone(),
        whitelists: access.whitelists.clone(),
        allowed: access.allowed.clone(),
        rest: config.rest,
        ..defaults
    }
}

/// Keeps blocks that the wallet has not seen from being pruned.
fn guard_wallets_blocks(chain: &ChainHandle, wallet: &WalletHandle) {
    let wallet = wallet.clone();
    chain.guard_from_pruning(Arc::new(move || Some(wallet.cursor().0.next())));
}

/// Opens the chain, when what is to be built anew is built.
async fn open_chain(
    config: &NodeConfig,
    clock: Clock,
    stop: StopHandle,
) -> Result<Chain, NodeError> {
    let path = config.data_dir.database();
    let chain_config = ChainConfig {
        spec: Arc::clone(&config.spec),
        path: path.clone(),
        script_threads: config.script_threads,
        coins_cache_bytes: config.coins_cache_bytes,
        assume_valid: config.assume_valid,
        clock,
    };
    let (data_dir, reindex) = (config.data_dir.clone(), config.reindex);
    blocking(move || {
        reindex::prepare(&data_dir, reindex, &chain_config, &stop)?;
        Chain::open(chain_config).map_err(|source| NodeError::Chain { path, source })
    })
    .await
}

/// Closes the chain, whose database is at `path`. If it failed while it ran, it says so here.
async fn close_chain(chain: Chain, path: PathBuf) -> Result<(), NodeError> {
    blocking(move || chain.shutdown())
        .await
        .map_err(|source| NodeError::Chain { path, source })
}

async fn start_indexes(config: &NodeConfig, chain: &Chain) -> Result<Indexes, NodeError> {
    check_pruning(config, &chain.reader)?;
    let indexes = IndexesConfig {
        directory: config.data_dir.indexes(),
        kinds: config.indexes.clone(),
    };
    let reader = chain.reader.clone();
    let indexes = blocking(move || Indexes::start(&indexes, &reader)).await?;
    chain
        .handle
        .guard_from_pruning(Arc::new(indexes.watch_lowest_needed()));
    Ok(indexes)
}

/// Ends the indexes' threads. If one failed while it ran, it says so here.
async fn stop_indexes(indexes: Indexes) -> Result<(), NodeError> {
    Ok(blocking(move || indexes.shutdown()).await?)
}

async fn open_wallet(config: &NodeConfig) -> Result<WalletHandle, NodeError> {
    let wallet_config = WalletConfig {
        directory: config.data_dir.wallets(),
        name: WALLET_NAME.to_owned(),
        network: config.spec.address_kind.network(),
        genesis_hash: config.spec.genesis_hash(),
        coinbase_maturity: config.spec.coinbase_maturity,
    };
    Ok(blocking(move || WalletHandle::open_or_create(wallet_config, SeedSource::Random)).await?)
}

async fn open_ledger(config: &NodeConfig) -> Result<Arc<Ledger>, NodeError> {
    let directory = config.data_dir.mining();
    Ok(Arc::new(blocking(move || Ledger::open(&directory)).await?))
}

/// The file of fee estimates; what it holds is the mempool's when this returns.
async fn load_fee_estimates(
    config: &NodeConfig,
    mempool: &MempoolHandle,
    clock: &Clock,
) -> FeeEstimatesFile {
    let path = config.data_dir.fee_estimates();
    let file = FeeEstimatesFile::new(path, mempool.clone(), clock.clone());
    let (loaded, stale) = (file.clone(), config.stale_fee_estimates);
    blocking(move || loaded.load(stale)).await;
    file
}

async fn start_network(
    config: &NodeConfig,
    chain: &Chain,
    mempool: &MempoolHandle,
    relay: Arc<Relay>,
) -> Result<NetworkHandle, NodeError> {
    let network_config = NetworkConfig {
        chain_name: config.spec.name.clone(),
        identity: config.spec.identity(),
        genesis_hash: config.spec.genesis_hash(),
        pow_limit: config.spec.pow_limit,
        key_path: config.data_dir.node_key(),
        listen: config.listen.clone(),
        peers: config.peers.clone(),
        mdns: config.mdns,
        dialing: config.dialing,
        max_peers: config.max_peers,
        user_agent: config.user_agent.clone(),
    };
    let access = NodeChainAccess {
        chain: chain.handle.clone(),
        reader: chain.reader.clone(),
        mempool: mempool.clone(),
        relay,
    };
    let network = Network::start(network_config, Arc::new(access)).await?;
    if config.network_activity == NetworkActivity::Off {
        network.set_active(false).await;
    }
    Ok(network)
}

/// What RPC calls before it answers from the wallet, so that a client reads its own writes.
fn wallet_sync(follower: &Arc<WalletFollower>) -> Arc<dyn Fn() + Send + Sync> {
    let follower = Arc::clone(follower);
    Arc::new(move || {
        if let Err(error) = follower.sync() {
            tracing::error!(%error, "the wallet can't follow the chain");
        }
    })
}

/// Tells peers of every new tip, whoever found it.
async fn announce_tips(reader: pyrite_chain::ChainReader, network: NetworkHandle) {
    let mut tip = reader.watch_tip();
    while tip.changed().await.is_ok() {
        let hash = tip.borrow_and_update().hash;
        let reader = reader.clone();
        match tokio::task::spawn_blocking(move || reader.shared_block(&hash)).await {
            Ok(Ok(Some(block))) => network.announce_block(block),
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => tracing::error!(%hash, %error, "the new tip can't be read"),
        }
    }
}

/// Tells the miner when the tip moves, so that it knows how long the new work took.
async fn tell_miner_of_tips(reader: ChainReader, miner: MinerHandle) {
    let mut tip = reader.watch_tip();
    while tip.changed().await.is_ok() {
        let hash = tip.borrow_and_update().hash;
        miner.tip_moved(hash);
    }
}

/// Stops the node when the chain can't go on.
async fn watch_failure(reader: ChainReader, notifications: Notifications, stop: StopHandle) {
    let mut failure = reader.watch_failure();
    if let Ok(Some(error)) = failure.wait_for(Option::is_some).await.as_deref() {
        tracing::error!(%error, "the chain can't go on: stopping");
        notifications.alert(&format!("the chain can't go on: {error}"));
        stop.stop();
    }
}

/// Stops the node when an index can't go on: it would answer what is no longer true.
async fn watch_indexes(indexes: Indexes, notifications: Notifications, stop: StopHandle) {
    let error = indexes.failed().await;
    tracing::error!(%error, "an index can't go on: stopping");
    notifications.alert(&format!("an index can't go on: {error}"));
    stop.stop();
}

/// A chain whose old blocks are gone can't be served whole.
fn check_pruning(config: &NodeConfig, reader: &ChainReader) -> Result<(), NodeError> {
    if config.pruning == PruneMode::Off && reader.has_pruned() {
        let path = config.data_dir.database();
        return Err(NodeError::Pruned { path });
    }
    Ok(())
}

/// Runs what blocks off the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
