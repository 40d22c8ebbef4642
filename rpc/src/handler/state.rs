//! What all handlers share, and the assembly of the methods.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonrpsee::Methods;
use pyrite_consensus::bitcoin::{Address, Network};
use pyrite_mempool::MempoolHandle;
use serde_json::value::RawValue;

use super::bans::Bans;
use super::block_search::BlockSearch;
use super::coin_search::CoinSearch;
use super::render_ahead::LastAsked;
use super::template::RenderedTemplate;
use crate::api::activity::ActivityServer;
use crate::api::addresses::AddressesServer;
use crate::api::block_filters::BlockFiltersServer;
use crate::api::blockchain::BlockchainServer;
use crate::api::chain_control::ChainControlServer;
use crate::api::chain_stats::ChainStatsServer;
use crate::api::chain_wait::ChainWaitServer;
use crate::api::coin_set::CoinSetServer;
use crate::api::control::ControlServer;
use crate::api::deployments::DeploymentsServer;
use crate::api::descriptors::DescriptorsServer;
use crate::api::fees::FeesServer;
use crate::api::generate::GenerateServer;
use crate::api::indexes::IndexesServer;
use crate::api::mempool::MempoolServer;
use crate::api::mempool_file::MempoolFilesServer;
use crate::api::mining::MiningServer;
use crate::api::network::NetworkServer;
use crate::api::orphans::OrphansServer;
use crate::api::packages::PackagesServer;
use crate::api::priority::PriorityServer;
use crate::api::psbt::PsbtsServer;
use crate::api::raw_create::RawCreateServer;
use crate::api::rawtransactions::RawTransactionsServer;
use crate::api::signing::SigningServer;
use crate::api::snapshot::SnapshotServer;
use crate::api::spenders::SpendersServer;
use crate::api::test_aids::TestAidsServer;
use crate::api::traffic::TrafficServer;
use crate::api::tx_out_proof::TxOutProofServer;
use crate::api::util::UtilServer;
use crate::api::wallet::WalletServer;
use crate::api::zmq::ZmqServer;
use crate::call::CallResult;
use crate::catalogue::Catalogue;
use crate::context::RpcContext;
use crate::dialect::ActiveCalls;
use crate::stop::Stop;

/// Implements the methods.
#[derive(Clone)]
pub(crate) struct Handler {
    /// The parts of the node.
    pub(crate) context: Arc<RpcContext>,
    /// Tells calls that wait or search that the server stops.
    pub(super) stop: Stop,
    /// What `help` describes.
    pub(super) catalogue: Catalogue,
    /// The calls that are under way.
    pub(super) active: Arc<ActiveCalls>,
    /// What `rpc.discover` gives, once it was asked for.
    pub(super) open_rpc: Arc<OnceLock<Box<RawValue>>>,
    /// The template that `getblocktemplate` gave last.
    pub(super) template: Arc<Mutex<Option<RenderedTemplate>>>,
    /// When it was called last.
    pub(super) last_asked: Arc<LastAsked>,
    /// The peers that may not connect.
    pub(super) bans: Arc<Bans>,
    /// What callers wrote of the peers that they added, by the address that it stands for.
    pub(super) added_as: Arc<Mutex<HashMap<String, String>>>,
    /// The search of `scantxoutset` that is under way.
    pub(super) coin_search: Arc<CoinSearch>,
    /// The search of `scanblocks` that is under way.
    pub(super) block_search: Arc<BlockSearch>,
}

/// All methods of one handler.
pub(crate) fn methods(handler: Handler) -> Methods {
    let families = [
        super::test_aids::echoes(handler.clone()),
        ActivityServer::into_rpc(handler.clone()).into(),
        AddressesServer::into_rpc(handler.clone()).into(),
        BlockFiltersServer::into_rpc(handler.clone()).into(),
        BlockchainServer::into_rpc(handler.clone()).into(),
        ChainControlServer::into_rpc(handler.clone()).into(),
        SnapshotServer::into_rpc(handler.clone()).into(),
        ChainStatsServer::into_rpc(handler.clone()).into(),
        ChainWaitServer::into_rpc(handler.clone()).into(),
        CoinSetServer::into_rpc(handler.clone()).into(),
        ControlServer::into_rpc(handler.clone()).into(),
        DeploymentsServer::into_rpc(handler.clone()).into(),
        DescriptorsServer::into_rpc(handler.clone()).into(),
        FeesServer::into_rpc(handler.clone()).into(),
        GenerateServer::into_rpc(handler.clone()).into(),
        IndexesServer::into_rpc(handler.clone()).into(),
        MempoolServer::into_rpc(handler.clone()).into(),
        MempoolFilesServer::into_rpc(handler.clone()).into(),
        MiningServer::into_rpc(handler.clone()).into(),
        NetworkServer::into_rpc(handler.clone()).into(),
        PackagesServer::into_rpc(handler.clone()).into(),
        PriorityServer::into_rpc(handler.clone()).into(),
        OrphansServer::into_rpc(handler.clone()).into(),
        PsbtsServer::into_rpc(handler.clone()).into(),
        RawCreateServer::into_rpc(handler.clone()).into(),
        RawTransactionsServer::into_rpc(handler.clone()).into(),
        SigningServer::into_rpc(handler.clone()).into(),
        SpendersServer::into_rpc(handler.clone()).into(),
        TestAidsServer::into_rpc(handler.clone()).into(),
        TrafficServer::into_rpc(handler.clone()).into(),
        TxOutProofServer::into_rpc(handler.clone()).into(),
        UtilServer::into_rpc(handler.clone()).into(),
        WalletServer::into_rpc(handler.clone()).into(),
        ZmqServer::into_rpc(handler).into(),
    ];
    let mut methods = Methods::new();
    for family in families {
        methods
            .merge(family)
            .expect("no two methods have the same name");
    }
    methods
}

impl Handler {
    /// The handler over one context.
    pub(crate) fn new(context: RpcContext, stop: Stop, catalogue: Catalogue) -> Self {
        Self {
            context: Arc::new(context),
            stop,
            catalogue,
            active: Arc::default(),
            open_rpc: Arc::default(),
            template: Arc::default(),
            last_asked: Arc::default(),
            bans: Arc::default(),
            added_as: Arc::default(),
            coin_search: Arc::default(),
            block_search: Arc::default(),
        }
    }

    /// The same, which tells of these calls.
    pub(crate) fn telling_of(mut self, active: Arc<ActiveCalls>) -> Self {
        self.active = active;
        self
    }

    /// The network with the chain's addresses.
    pub(crate) fn address_network(&self) -> Network {
        self.context.spec.address_kind.network()
    }

    /// The mempool, as it is at the tip: what the last block took is no longer there. It costs nothing where the mempool has
    /// followed already, and otherwise blocks until it has.
    ///
    /// # Errors
    /// A failure of the machine.
    pub(super) fn mempool_at_tip(&self) -> CallResult<&MempoolHandle> {
        let mempool = &self.context.mempool;
        mempool.sync()?;
        Ok(mempool)
    }

    /// An address of this chain; `None` when the text is something else.
    pub(super) fn parse_address(&self, text: &str) -> Option<Address> {
        self.context.spec.address_kind.parse_address(text).ok()
    }
}
