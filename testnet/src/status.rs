//! How the nodes of a network are, asked over their RPC.

use std::thread;
use std::time::Duration;

use pyrite_rpc::{ClientError, RpcClient};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Cluster, NodeEntry};

/// How long a node may take to answer before it counts as silent.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Blocks over which the spacing is averaged.
const SPACING_BLOCKS: u64 = 20;

/// How a network is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkStatus {
    /// The chain's name.
    pub chain: String,
    /// Its nodes.
    pub nodes: Vec<NodeStatus>,
}

/// How a node is. What only a running node can tell is absent when it does not run or answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeStatus {
    /// `node1`, …
    pub name: String,
    /// Its process, if it runs.
    pub pid: Option<i32>,
    /// Its data directory: what `pyrite rpc --data-dir` takes.
    pub data_dir: String,
    /// Where it serves JSON-RPC.
    pub rpc_url: String,
    /// Where it listens for peers.
    pub p2p_address: String,
    /// Height of its best block.
    pub height: Option<u64>,
    /// Hash of its best block.
    pub best_block_hash: Option<String>,
    /// Peers that it is connected with.
    pub peers: Option<u64>,
    /// Transactions in its mempool.
    pub mempool_size: Option<u64>,
    /// Hashes per second of its miner.
    pub hash_rate: Option<f64>,
    /// Difficulty of its best block.
    pub difficulty: Option<f64>,
    /// Mean seconds between its last 20 blocks.
    pub block_spacing_s: Option<f64>,
}

/// Asks every node, all at the same time.
pub(crate) fn collect(cluster: &Cluster) -> NetworkStatus {
    let network = cluster.network();
    let nodes = thread::scope(|scope| {
        let asked: Vec<_> = network
            .nodes
            .iter()
            .map(|node| scope.spawn(move || ask(cluster, node)))
            .collect();
        asked
            .into_iter()
            .zip(&network.nodes)
            .map(|(thread, node)| thread.join().unwrap_or_else(|_| silent(cluster, node)))
            .collect()
    });
    NetworkStatus {
        chain: network.chain.clone(),
        nodes,
    }
}

fn ask(cluster: &Cluster, node: &NodeEntry) -> NodeStatus {
    let mut status = silent(cluster, node);
    if status.pid.is_some() {
        // A node that starts or stops at this moment answers in part or not at all.
        let _ = fill(&mut status, &cluster.client(node, ANSWER_LIMIT));
    }
    status
}

/// A node that says nothing.
fn silent(cluster: &Cluster, node: &NodeEntry) -> NodeStatus {
    let data_dir = cluster.data_dir(node);
    let p2p_address = data_dir
        .read_runtime()
        .ok()
        .and_then(|info| info.p2p_addresses.into_iter().next())
        .unwrap_or_else(|| format!("/ip4/127.0.0.1/tcp/{}", node.p2p_port));
    NodeStatus {
        name: node.name.clone(),
        pid: cluster.pid(node),
        data_dir: data_dir.root().display().to_string(),
        rpc_url: format!("http://127.0.0.1:{}", node.rpc_port),
        p2p_address,
        height: None,
        best_block_hash: None,
        peers: None,
        mempool_size: None,
        hash_rate: None,
        difficulty: None,
        block_spacing_s: None,
    }
}

fn fill(status: &mut NodeStatus, client: &RpcClient) -> Result<(), ClientError> {
    let chain = client.call("getblockchaininfo", json!([]))?;
    status.height = chain["blocks"].as_u64();
    status.best_block_hash = chain["bestblockhash"].as_str().map(str::to_owned);
    status.difficulty = chain["difficulty"].as_f64();
    status.peers = client.call("getconnectioncount", json!([]))?.as_u64();
    status.mempool_size = client.call("getmempoolinfo", json!([]))?["size"].as_u64();
    status.hash_rate = client.call("getminingstatus", json!([]))?["hash_rate"].as_f64();
    status.block_spacing_s = spacing(client, &chain)?;
    Ok(())
}

/// The mean time between the last blocks, the genesis block aside, whose time is when the network was made.
fn spacing(client: &RpcClient, chain: &Value) -> Result<Option<f64>, ClientError> {
    let Some(height) = chain["blocks"].as_u64().filter(|height| *height >= 2) else {
        return Ok(None);
    };
    let count = SPACING_BLOCKS.min(height - 1);
    let first = client.call("getblockhash", json!([height - count]))?;
    let first = client.call("getblockheader", json!([first]))?["time"].as_i64();
    let last = chain["time"].as_i64();
    Ok(first
        .zip(last)
        .map(|(first, last)| (last - first) as f64 / count as f64))
}
