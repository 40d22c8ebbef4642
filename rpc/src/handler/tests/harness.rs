//! A node without peers: every part is the real one, but what the network would ask of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyrite_chain::{Chain, ChainConfig, ChainReader, Clock, PruneMode};
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, Script, ScriptBuf, Transaction, Txid};
use pyrite_consensus::{ChainSpec, Height};
use pyrite_index::{IndexKind, Indexes, IndexesConfig};
use pyrite_mempool::{
    MempoolConfig, MempoolEntry, MempoolFile, MempoolHandle, OrphanPool, Persistence,
};
use pyrite_miner::{
    Candidate, CandidateChunk, Finder, MinerHandle, MinerSettings, Template, TemplateOptions,
    TemplateTip, WorkError, WorkSource, build_template, solve,
};
use pyrite_network::{
    ChainAccess, Dialing, Network, NetworkConfig, NetworkHandle, TipSummary, Verdict,
};
use pyrite_wallet::{SeedSource, WalletConfig, WalletHandle};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::auth::{Accounts, Whitelists};
use crate::call::{CallError, CallResult};
use crate::catalogue::Catalogue;
use crate::context::{RpcContext, ZmqNotification};
use crate::dialect::{Dispatcher, Endpoint};
use crate::places::Place;
use crate::stop::{StopSender, stop_signal};

/// A node and its methods.
pub(super) struct TestNode {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) context: RpcContext,
    pub(super) stop: StopSender,
    /// Whether `stop` was called.
    pub(super) stopped: Arc<AtomicBool>,
    pub(super) method_names: Vec<&'static str>,
    /// Blocks that were written into the accounts of mining.
    pub(super) recorded: Arc<Mutex<Vec<BlockHash>>>,
    chain: Chain,
    directory: tempfile::TempDir,
}

impl TestNode {
    /// A node without indexes.
    pub(super) async fn start() -> Self {
        Self::start_on(ChainSpec::regtest(), PruneMode::Off, &[]).await
    }

    /// A node that may delete blocks.
    pub(super) async fn start_pruning(mode: PruneMode) -> Self {
        Self::start_on(ChainSpec::regtest(), mode, &[]).await
    }

    /// A node with these indexes.
    pub(super) async fn start_with(kinds: &[IndexKind]) -> Self {
        Self::start_on(ChainSpec::regtest(), PruneMode::Off, kinds).await
    }

    /// A node with this mempool.
    pub(super) async fn start_with_mempool(config: MempoolConfig) -> Self {
        Self::start_all(ChainSpec::regtest(), PruneMode::Off, &[], config).await
    }

    pub(super) async fn start_on(spec: ChainSpec, mode: PruneMode, kinds: &[IndexKind]) -> Self {
        Self::start_all(spec, mode, kinds, MempoolConfig::default()).await
    }

    async fn start_all(
        spec: ChainSpec,
        mode: PruneMode,
        kinds: &[IndexKind],
        mempool: MempoolConfig,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spec = Arc::new(spec);
        let clock = Clock::system();
        let chain = Chain::open(ChainConfig {
            spec: Arc::clone(&spec),
            path: directory.path().join("database"),
            script_threads: 1,
            coins_cache_bytes: 1 << 20,
            assume_valid: None,
            clock: clock.clone(),
        })
        .unwrap();
        let reader = chain.reader.clone();
        let indexes = IndexesConfig {
            directory: directory.path().join("indexes"),
            kinds: kinds.to_vec(),
        };
        let indexes = Indexes::start(&indexes, &reader).unwrap();
        let mempool = MempoolHandle::new(reader.clone(), clock.clone(), mempool);
        let mempool_file = Arc::new(MempoolFile::new(
            mempool.clone(),
            directory.path().join("mempool.dat"),
            Persistence::On,
            [7; 8],
        ));
        let wallet = open_wallet(&spec, directory.path());
        let network = start_network(&spec, &reader, directory.path()).await;
        let recorded = Arc::default();
        let work: Arc<dyn WorkSource> = Arc::new(TestWork {
            recorded: Arc::clone(&recorded),
            chain: chain.handle.clone(),
            reader: reader.clone(),
            mempool: mempool.clone(),
            clock: clock.clone(),
            templates: watch::Sender::new(None),
        });
        let miner_clock = clock.clone();
        let stopped = Arc::new(AtomicBool::new(false));
        let shutdown = {
            let stopped = Arc::clone(&stopped);
            Arc::new(move || stopped.store(true, Ordering::SeqCst))
        };
        let context = RpcContext {
            spec,
            chain: chain.handle.clone(),
            reader: reader.clone(),
            prune_mode: mode,
            indexes,
            mempool: mempool.clone(),
            mempool_file,
            orphans: OrphanPool::default(),
            network,
            miner: MinerHandle::new(Arc::clone(&work), Arc::new(move || miner_clock.now())),
            work,
            template_payout: None,
            zmq_notifications: vec![ZmqNotification {
                kind: "pubrawtx".to_owned(),
                address: "tcp://127.0.0.1:28332".to_owned(),
                high_water_mark: 7,
            }],
            sync_wallet: wallet_sync(&reader, &mempool, &wallet),
            wallet,
            started_at: clock.now(),
            clock,
            shutdown,
            user_agent: "/Pyrite:0.0.0/".to_owned(),
            mining_defaults: MinerSettings {
                intensity_percent: 50,
                ..MinerSettings::default()
            },
            block_schedule: None,
            data_dir: directory.path().to_owned(),
            stores: ["database", "indexes"]
                .map(|name| directory.path().join(name))
                .to_vec(),
            deprecated: Default::default(),
            own_fields: Default::default(),
            log_path: directory.path().join("log"),
        };
        let (stop, told) = stop_signal();
        let catalogue = Catalogue::node();
        let methods = crate::handler::methods(crate::handler::Handler::new(
            context.clone(),
            told,
            catalogue,
        ));
        let method_names = methods.method_names().collect();
        let dispatcher = Arc::new(Dispatcher::new(methods, catalogue, vec![String::new()]));
        Self {
            dispatcher,
            context,
            stop,
            stopped,
            method_names,
            recorded,
            chain,
            directory,
        }
    }

    /// Calls a method as a client does.
    pub(super) async fn call(&self, method: &str, params: Value) -> CallResult<Value> {
        call(&self.dispatcher, method, params).await
    }

    /// The result of a call that succeeds.
    pub(super) async fn get(&self, method: &str, params: Value) -> Value {
        match self.call(method, params.clone()).await {
            Ok(result) => result,
            Err(error) => panic!("{method} {params}: {error}"),
        }
    }

    /// The code and the message of a call that fails.
    pub(super) async fn refusal(&self, method: &str, params: Value) -> (i32, String) {
        match self.call(method, params.clone()).await {
            Ok(result) => panic!("{method} {params} gave {result}"),
            Err(error) => (error.code, error.message),
        }
    }

    /// Mines blocks that pay a new address of the wallet, and returns their hashes.
    pub(super) async fn mine(&self, count: u32) -> Vec<String> {
        let address = self.get("getnewaddress", json!([])).await;
        let hashes = self.get("generatetoaddress", json!([count, address])).await;
        serde_json::from_value(hashes).unwrap()
    }

    /// A solved block on the tip that is not submitted. Those of other tags differ.
    pub(super) fn solved_block(&self, tag: u8) -> Block {
        let template = self.context.work.build(&ScriptBuf::new()).unwrap();
        let time = template.time_at(self.context.clock.now());
        let block = template.block([tag; 8], time, 0);
        solve(block, 1_000_000, &AtomicBool::new(false)).unwrap()
    }

    /// The same node, configured to make coinbases that pay this script.
    pub(super) fn with_template_payout(mut self, payout: ScriptBuf) -> Self {
        self.context.template_payout = Some(payout);
        let (stop, told) = stop_signal();
        let catalogue = Catalogue::node();
        let handler = crate::handler::Handler::new(self.context.clone(), told, catalogue);
        let methods = crate::handler::methods(handler);
        self.dispatcher = Arc::new(Dispatcher::new(methods, catalogue, vec![String::new()]));
        self.stop = stop;
        self
    }

    pub(super) async fn finish(self) {
        let Self {
            context,
            chain,
            directory,
            ..
        } = self;
        context.miner.shutdown();
        context.network.shutdown().await;
        let indexes = context.indexes.clone();
        drop(context);
        tokio::task::spawn_blocking(move || {
            indexes.shutdown().unwrap();
            chain.shutdown().unwrap();
        })
        .await
        .unwrap();
        directory.close().unwrap();
    }
}

/// Calls a method as a client does.
pub(super) async fn call(
    dispatcher: &Dispatcher,
    method: &str,
    params: Value,
) -> CallResult<Value> {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let accounts = Accounts::new(Some("ann:secret"), &[], &Whitelists::default());
    let reply = dispatcher
        .answer(
            request.to_string().into(),
            &Endpoint::Node,
            accounts.first(),
            &mut Place::alone(),
        )
        .await;
    let mut answer: Value = serde_json::from_str(&reply.text()).unwrap();
    match answer.get("error") {
        None => Ok(answer["result"].take()),
        Some(error) => Err(CallError {
            code: i32::try_from(error["code"].as_i64().unwrap()).unwrap(),
            message: error["message"].as_str().unwrap().to_owned(),
        }),
    }
}

fn open_wallet(spec: &ChainSpec, directory: &std::path::Path) -> WalletHandle {
    let config = WalletConfig {
        directory: directory.join("wallets"),
        name: "default".to_owned(),
        network: spec.address_kind.network(),
        genesis_hash: spec.genesis_hash(),
        coinbase_maturity: spec.coinbase_maturity,
    };
    WalletHandle::open_or_create(config, SeedSource::Entropy(vec![7; 16])).unwrap()
}

async fn start_network(
    spec: &ChainSpec,
    reader: &ChainReader,
    directory: &std::path::Path,
) -> NetworkHandle {
    let config = NetworkConfig {
        chain_name: spec.name.clone(),
        identity: spec.identity(),
        genesis_hash: spec.genesis_hash(),
        pow_limit: spec.pow_limit,
        key_path: directory.join("node.key"),
        listen: Vec::new(),
        peers: Vec::new(),
        mdns: false,
        dialing: Dialing::Everybody,
        max_peers: 8,
        user_agent: "/Pyrite:0.0.0/".to_owned(),
    };
    Network::start(config, Arc::new(NoPeers(reader.clone())))
        .await
        .unwrap()
}

/// Follows the chain, which is never reorganised here, and the mempool.
fn wallet_sync(
    reader: &ChainReader,
    mempool: &MempoolHandle,
    wallet: &WalletHandle,
) -> Arc<dyn Fn() + Send + Sync> {
    let (reader, mempool, wallet) = (reader.clone(), mempool.clone(), wallet.clone());
    let turn = Mutex::new(());
    Arc::new(move || {
        let _turn = turn.lock().unwrap();
        let first = if wallet.is_new() {
            Height::GENESIS
        } else {
            wallet.cursor().0.next()
        };
        for height in first.0..=reader.tip().height.0 {
            let hash = reader.hash_at(Height(height)).unwrap();
            let block = reader.block(&hash).unwrap().unwrap();
            wallet.apply_block(&block, Height(height)).unwrap();
        }
        mempool.sync().unwrap();
        let snapshot = mempool.snapshot();
        let entries: Vec<_> = snapshot
            .entries
            .iter()
            .map(|entry| (Arc::clone(&entry.tx), entry.time))
            .collect();
        wallet.set_mempool(&entries).unwrap();
    })
}

/// Templates on demand.
struct TestWork {
    recorded: Arc<Mutex<Vec<BlockHash>>>,
    chain: pyrite_chain::ChainHandle,
    reader: ChainReader,
    mempool: MempoolHandle,
    clock: Clock,
    templates: watch::Sender<Option<Arc<Template>>>,
}

impl WorkSource for TestWork {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates.subscribe()
    }

    fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates.subscribe()
    }

    fn current(&self) -> Result<Arc<Template>, WorkError> {
        self.build(&ScriptBuf::from_bytes(vec![0x51]))
    }

    fn options(&self) -> TemplateOptions {
        TemplateOptions::default()
    }

    fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError> {
        self.mempool.sync().unwrap();
        let best = self.mempool.best_chunks(4_000_000);
        let candidate = |entry: &Arc<MempoolEntry>| Candidate {
            tx: Arc::clone(&entry.tx),
            txid: entry.txid,
            wtxid: entry.wtxid,
            fee: entry.fee,
            weight: entry.weight,
            sigop_cost: entry.sigop_cost,
            is_alone: false,
        };
        let chunks: Vec<CandidateChunk> = best
            .chunks
            .iter()
            .map(|chunk| CandidateChunk {
                fee: chunk.rate.fee,
                weight: chunk.rate.weight,
                transactions: chunk.entries.iter().map(candidate).collect(),
            })
            .collect();
        let parent = self.reader.header_chain(&best.tip).unwrap();
        let tip = TemplateTip {
            parent: &parent,
            hash: best.tip,
        };
        let spec = self.reader.spec();
        let template = build_template(spec, &tip, &chunks, payout, self.clock.now());
        Ok(Arc::new(template.at_sequence(best.sequence)))
    }

    fn set_payout(&self, payout: ScriptBuf) {
        self.templates
            .send_replace(Some(self.build(&payout).unwrap()));
    }

    fn record(&self, block: &Block, _: Finder<'_>) {
        self.recorded.lock().unwrap().push(block.block_hash());
    }

    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError> {
        self.chain
            .submit_block(block)
            .map(|_| ())
            .map_err(|error| WorkError::Rejected {
                reason: error.to_string(),
            })
    }
}

/// What peers would ask.
struct NoPeers(ChainReader);

impl ChainAccess for NoPeers {
    fn locator(&self) -> Vec<BlockHash> {
        self.0.locator()
    }

    fn headers_after(&self, locator: &[BlockHash], max: usize) -> Vec<Header> {
        self.0.headers_after(locator, None, max)
    }

    fn block(&self, hash: &BlockHash) -> Option<Vec<u8>> {
        self.0.block_bytes(hash).unwrap()
    }

    fn has_header(&self, hash: &BlockHash) -> bool {
        self.0.header(hash).is_some()
    }

    fn has_block(&self, hash: &BlockHash) -> bool {
        self.0.has_block(hash)
    }

    fn missing_blocks(&self, _max: usize) -> Vec<BlockHash> {
        Vec::new()
    }

    fn tip(&self) -> TipSummary {
        let tip = self.0.tip();
        TipSummary {
            hash: tip.hash,
            height: tip.height,
            work: tip.work,
        }
    }

    fn submit_headers(&self, _headers: Vec<Header>) -> Verdict {
        Verdict::Ignore("no peers".to_owned())
    }

    fn submit_block(&self, _block: Block) -> Verdict {
        Verdict::Ignore("no peers".to_owned())
    }

    fn submit_transaction(&self, _transaction: Arc<Transaction>, _from: u64) -> Verdict {
        Verdict::Ignore("no peers".to_owned())
    }

    fn mempool_txids(&self, _max: usize) -> Vec<Txid> {
        Vec::new()
    }

    fn transaction(&self, _txid: &Txid) -> Option<Arc<Transaction>> {
        None
    }

    fn has_transaction(&self, _txid: &Txid) -> bool {
        true
    }
}
