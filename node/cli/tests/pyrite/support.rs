//! What tests of several nodes share: a network in a fresh directory, stopped at the end, and waiting with a deadline.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pyrite_testnet::{Cluster, MiningShare, NetworkOptions, PortChoice};
use serde_json::{Value, json};

/// How long blocks that are mined may take: mining threads have the processor when nobody else wants it, and all the other tests
/// do.
pub(crate) const MINED: Duration = Duration::from_secs(300);
/// How long anything else may take that takes a moment when the machine has nothing else to do.
pub(crate) const SOON: Duration = Duration::from_secs(180);

/// The program under test.
pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_pyrite"))
}

/// A network in a fresh directory. Dropping it kills what still runs and removes the directory.
pub(crate) struct TestNetwork {
    cluster: Cluster,
    directory: tempfile::TempDir,
}

impl TestNetwork {
    /// Starts a network whose blocks come when a test asks for them (`regtest`'s rules).
    pub(crate) fn on_demand(nodes: usize) -> Self {
        Self::start("regtest", nodes, MiningShare::None)
    }

    /// Starts a network on the `pyrite` chain that mines.
    pub(crate) fn mining(nodes: usize, intensity_percent: u8) -> Self {
        Self::start(
            "pyrite",
            nodes,
            MiningShare::PerNode {
                threads: 1,
                intensity_percent,
            },
        )
    }

    /// Starts a network on a built-in chain, or on the spec in a file.
    pub(crate) fn start(chain: &str, nodes: usize, mining: MiningShare) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = NetworkOptions {
            nodes,
            chain: chain.to_owned(),
            ports: PortChoice::Unshared,
            mining,
        };
        let cluster = Cluster::open_or_create(directory.path(), binary(), &options).unwrap();
        let mut network = Self { cluster, directory };
        network.cluster.start_all().unwrap();
        network
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Calls a method that must succeed.
    pub(crate) fn rpc(&self, number: usize, method: &str, params: Value) -> Value {
        self.cluster
            .call(number, method, params)
            .unwrap_or_else(|error| panic!("{method} on node {number}: {error}"))
    }

    pub(crate) fn best(&self, number: usize) -> String {
        self.rpc(number, "getbestblockhash", json!([]))
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn height(&self, number: usize) -> u64 {
        self.rpc(number, "getblockcount", json!([]))
            .as_u64()
            .unwrap()
    }

    /// Makes blocks at once, paid to the node's own wallet.
    pub(crate) fn generate(&self, number: usize, blocks: u64) -> Vec<String> {
        let address = self.rpc(number, "getnewaddress", json!([]));
        let hashes = self.rpc(number, "generatetoaddress", json!([blocks, address]));
        serde_json::from_value(hashes).unwrap()
    }

    pub(crate) fn mempool(&self, number: usize) -> Vec<String> {
        serde_json::from_value(self.rpc(number, "getrawmempool", json!([]))).unwrap()
    }

    /// Waits until these nodes have one best block.
    pub(crate) fn wait_agreement(&self, nodes: &[usize], limit: Duration) {
        wait("one best block", limit, || {
            let first = self.best(nodes[0]);
            nodes.iter().all(|number| self.best(*number) == first)
        });
    }

    /// Stops the miners and settles what they left: they may have found
    /// siblings, and of blocks with equal work every node keeps its first. So
    /// the node with the most work adds a block, which all must come to.
    pub(crate) fn stop_mining(&self) {
        let nodes = self.cluster.network().nodes.len();
        for number in 1..=nodes {
            self.rpc(number, "stopmining", json!([]));
        }
        let work = |number: &usize| {
            let info = self.rpc(*number, "getblockchaininfo", json!([]));
            info["chainwork"].as_str().unwrap().to_owned()
        };
        let ahead = (1..=nodes).max_by_key(work).unwrap();
        self.generate(ahead, 1);
        self.wait_agreement(&(1..=nodes).collect::<Vec<_>>(), SOON);
    }

    /// Waits until every node is connected with all others.
    pub(crate) fn wait_mesh(&self) {
        let nodes = self.cluster.network().nodes.len();
        wait("connections", SOON, || {
            (1..=nodes)
                .all(|number| self.rpc(number, "getconnectioncount", json!([])) == json!(nodes - 1))
        });
    }
}

impl Deref for TestNetwork {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl DerefMut for TestNetwork {
    fn deref_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }
}

impl Drop for TestNetwork {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in &self.cluster.network().nodes {
                for file in std::fs::read_dir(self.cluster.data_dir(node).logs())
                    .into_iter()
                    .flatten()
                    .flatten()
                {
                    let log = std::fs::read_to_string(file.path()).unwrap_or_default();
                    let tail: Vec<&str> = log.lines().rev().take(25).collect();
                    eprintln!("{}:", node.name);
                    tail.iter().rev().for_each(|line| eprintln!("  {line}"));
                }
            }
        }
        for number in 1..=self.cluster.network().nodes.len() {
            // A node that does not run any more is no problem here.
            let _ = self.cluster.kill(number);
        }
    }
}

/// Waits for a condition.
pub(crate) fn wait(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "no {what} within {limit:?}");
        std::thread::sleep(Duration::from_millis(25));
    }
}
