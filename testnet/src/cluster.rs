//! A network and its processes: make, start, kill, cut apart, heal, stop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use pyrite_node::{DataDir, RuntimeInfo};
use pyrite_rpc::RpcClient;
use serde_json::{Value, json};

use crate::create;
use crate::layout::Layout;
use crate::process::NodeProcess;
use crate::{NetworkFile, NetworkOptions, NetworkStatus, NodeEntry, TestnetError};

/// How long a node may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long a node may take to stop after it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(120);
/// How long one RPC call may take.
const CALL_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);

/// A private network. Dropping it leaves the processes as they are.
#[derive(Debug)]
pub struct Cluster {
    layout: Layout,
    network: NetworkFile,
    binary: PathBuf,
    /// Processes that this program started, to be reaped.
    children: Vec<Child>,
}

impl Cluster {
    /// Opens the network in `dir`, or makes one there. `binary` is the `pyrite` to run.
    ///
    /// # Errors
    /// The directory can't be used, or holds a network with another number of nodes.
    pub fn open_or_create(
        dir: &Path,
        binary: PathBuf,
        options: &NetworkOptions,
    ) -> Result<Self, TestnetError> {
        match Self::open(dir, binary.clone()) {
            Err(TestnetError::NoNetwork { .. }) => {
                fs::create_dir_all(dir).map_err(|source| TestnetError::File {
                    path: dir.to_owned(),
                    source,
                })?;
                let layout = Layout::new(absolute(dir)?);
                let network = create::create(&layout, options)?;
                Ok(Self {
                    layout,
                    network,
                    binary,
                    children: Vec::new(),
                })
            }
            result => result,
        }
    }

    /// Opens the network in `dir`.
    ///
    /// # Errors
    /// There is none, or its description can't be read.
    pub fn open(dir: &Path, binary: PathBuf) -> Result<Self, TestnetError> {
        if !dir.exists() {
            return Err(TestnetError::NoNetwork {
                dir: dir.to_owned(),
            });
        }
        let layout = Layout::new(absolute(dir)?);
        let network = layout.read_network()?;
        Ok(Self {
            layout,
            network,
            binary,
            children: Vec::new(),
        })
    }

    /// What `up` wrote of the network.
    #[must_use]
    pub fn network(&self) -> &NetworkFile {
        &self.network
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.layout.dir()
    }

    /// Where the faucet's seed is kept.
    #[must_use]
    pub fn faucet_seed(&self) -> PathBuf {
        self.layout.faucet_seed()
    }

    /// The node of that number, from 1.
    ///
    /// # Errors
    /// There is none.
    pub fn node(&self, number: usize) -> Result<&NodeEntry, TestnetError> {
        number
            .checked_sub(1)
            .and_then(|index| self.network.nodes.get(index))
            .ok_or(TestnetError::NoSuchNode {
                number,
                nodes: self.network.nodes.len(),
            })
    }

    /// A node's data directory: what `pyrite rpc --data-dir` takes.
    #[must_use]
    pub fn data_dir(&self, node: &NodeEntry) -> DataDir {
        DataDir::new(self.layout.node(&node.name), &self.network.chain)
    }

    /// A node's process id, if it runs.
    #[must_use]
    pub fn pid(&self, node: &NodeEntry) -> Option<i32> {
        self.process(node).map(NodeProcess::pid)
    }

    /// Starts every node that does not run, all at once, and waits until they answer.
    ///
    /// # Errors
    /// A node does not start; the others are left as they are.
    pub fn start_all(&mut self) -> Result<(), TestnetError> {
        let stopped: Vec<NodeEntry> = self
            .network
            .nodes
            .iter()
            .filter(|node| self.process(node).is_none())
            .cloned()
            .collect();
        for node in &stopped {
            self.spawn(node)?;
        }
        for node in &stopped {
            self.wait_ready(node)?;
        }
        self.apply_partition()
    }

    /// Starts one node and waits until it answers.
    ///
    /// # Errors
    /// It runs already, or does not start.
    pub fn start(&mut self, number: usize) -> Result<(), TestnetError> {
        let node = self.node(number)?.clone();
        if let Some(process) = self.process(&node) {
            return Err(TestnetError::AlreadyRunning {
                name: node.name,
                pid: process.pid(),
            });
        }
        self.spawn(&node)?;
        self.wait_ready(&node)?;
        self.apply_partition()
    }

    /// Kills one node as a crash would (`SIGKILL`) and waits until it is gone.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self, number: usize) -> Result<(), TestnetError> {
        let node = self.node(number)?.clone();
        let process = self
            .process(&node)
            .ok_or_else(|| TestnetError::NotRunning {
                name: node.name.clone(),
            })?;
        self.signal(&node, process, Signal::SIGKILL)?;
        self.wait_gone(&node, process)
    }

    /// Stops one node cleanly and waits until it is gone.
    ///
    /// # Errors
    /// It does not run, or does not stop in time.
    pub fn stop(&mut self, number: usize) -> Result<(), TestnetError> {
        let node = self.node(number)?.clone();
        let process = self
            .process(&node)
            .ok_or_else(|| TestnetError::NotRunning {
                name: node.name.clone(),
            })?;
        self.signal(&node, process, Signal::SIGTERM)?;
        self.wait_gone(&node, process)
    }

    /// Stops every node cleanly. Returns how many ran.
    ///
    /// # Errors
    /// A node does not stop in time; it is killed then, and the others are stopped all the same.
    pub fn stop_all(&mut self) -> Result<usize, TestnetError> {
        let running: Vec<(NodeEntry, NodeProcess)> = self
            .network
            .nodes
            .iter()
            .filter_map(|node| Some((node.clone(), self.process(node)?)))
            .collect();
        let mut outcome = Ok(running.len());
        for (node, process) in &running {
            if let Err(error) = self.signal(node, *process, Signal::SIGTERM) {
                outcome = Err(error);
            }
        }
        for (node, process) in &running {
            if let Err(error) = self.wait_gone(node, *process) {
                self.signal(node, *process, Signal::SIGKILL)?;
                self.wait_gone(node, *process)?;
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Cuts the network into groups that can't reach each other. A node in no group is alone.
    ///
    /// # Errors
    /// A number stands for no node or stands twice, or a node does not do it.
    pub fn partition(&mut self, groups: &[Vec<usize>]) -> Result<(), TestnetError> {
        let mut seen = std::collections::BTreeSet::new();
        for number in groups.iter().flatten() {
            self.node(*number)?;
            if !seen.insert(*number) {
                return Err(TestnetError::Argument {
                    argument: "groups",
                    detail: format!("node {number} is in two of them"),
                });
            }
        }
        let alone = (1..=self.network.nodes.len()).filter(|number| !seen.contains(number));
        let groups: Vec<Vec<usize>> = groups
            .iter()
            .cloned()
            .chain(alone.map(|number| vec![number]))
            .collect();
        self.network.partition = groups;
        self.layout.write_network(&self.network)?;
        self.apply_partition()
    }

    /// Makes a network that was cut apart whole again.
    ///
    /// # Errors
    /// A node does not do it.
    pub fn heal(&mut self) -> Result<(), TestnetError> {
        self.network.partition = Vec::new();
        self.layout.write_network(&self.network)?;
        self.apply_partition()
    }

    /// Calls a method of a node.
    ///
    /// # Errors
    /// There is no such node, it can't be reached, or it refuses.
    pub fn call(&self, number: usize, method: &str, params: Value) -> Result<Value, TestnetError> {
        let node = self.node(number)?;
        self.client(node, CALL_LIMIT)
            .call(method, params)
            .map_err(|source| TestnetError::Rpc {
                name: node.name.clone(),
                source,
            })
    }

    /// How every node is.
    #[must_use]
    pub fn status(&self) -> NetworkStatus {
        crate::status::collect(self)
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn client(&self, node: &NodeEntry, limit: Duration) -> RpcClient {
        let url = format!("http://127.0.0.1:{}", node.rpc_port);
        RpcClient::new(url, self.data_dir(node).cookie(), limit)
    }

    fn process(&self, node: &NodeEntry) -> Option<NodeProcess> {
        NodeProcess::read(&self.layout.pid_file(&node.name))
    }

    fn spawn(&mut self, node: &NodeEntry) -> Result<(), TestnetError> {
        let output = self.layout.output(&node.name);
        let (_, child) = NodeProcess::spawn(
            &self.binary,
            &self.layout.node_config(&node.name),
            &output,
            &self.layout.pid_file(&node.name),
        )
        .map_err(|source| TestnetError::File {
            path: self.binary.clone(),
            source,
        })?;
        self.children.push(child);
        Ok(())
    }

    /// Waits until a node that was just started answers calls.
    fn wait_ready(&mut self, node: &NodeEntry) -> Result<(), TestnetError> {
        let client = self.client(node, Duration::from_secs(2));
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            let Some(process) = self.process(node) else {
                return Err(TestnetError::DidNotStart {
                    name: node.name.clone(),
                    reason: last_line(&self.layout.output(&node.name)),
                });
            };
            // What an earlier process left names another process id.
            let ready = self
                .runtime(node)
                .is_some_and(|info| i64::from(info.pid) == i64::from(process.pid()));
            if ready && client.call("uptime", json!([])).is_ok() {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        Err(TestnetError::TooSlow {
            name: node.name.clone(),
            what: "starting",
            limit: START_LIMIT,
        })
    }

    fn wait_gone(&mut self, node: &NodeEntry, process: NodeProcess) -> Result<(), TestnetError> {
        let deadline = Instant::now() + STOP_LIMIT;
        while process.is_alive() {
            if Instant::now() > deadline {
                return Err(TestnetError::TooSlow {
                    name: node.name.clone(),
                    what: "stopping",
                    limit: STOP_LIMIT,
                });
            }
            thread::sleep(POLL);
        }
        self.reap();
        // A pid file of a process that is gone is harmless.
        let _ = fs::remove_file(self.layout.pid_file(&node.name));
        Ok(())
    }

    /// Collects children that have ended, so that none stays a zombie.
    fn reap(&mut self) {
        self.children
            .retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
    }

    fn signal(
        &self,
        node: &NodeEntry,
        process: NodeProcess,
        signal: Signal,
    ) -> Result<(), TestnetError> {
        process
            .signal(signal)
            .map_err(|source| TestnetError::Signal {
                name: node.name.clone(),
                pid: process.pid(),
                source,
            })
    }

    fn runtime(&self, node: &NodeEntry) -> Option<RuntimeInfo> {
        self.data_dir(node).read_runtime().ok()
    }

    /// Tells every running node whom it must not talk to: the nodes of the other groups.
    fn apply_partition(&self) -> Result<(), TestnetError> {
        let peer_ids: Vec<Option<String>> = self
            .network
            .nodes
            .iter()
            .map(|node| {
                let address = self.runtime(node)?.p2p_addresses.into_iter().next()?;
                Some(address.rsplit_once("/p2p/")?.1.to_owned())
            })
            .collect();
        for (index, node) in self.network.nodes.iter().enumerate() {
            if self.process(node).is_none() {
                continue;
            }
            let number = index + 1;
            let client = self.client(node, CALL_LIMIT);
            let call = |method: &str, params: Value| {
                client
                    .call(method, params)
                    .map_err(|source| TestnetError::Rpc {
                        name: node.name.clone(),
                        source,
                    })
            };
            let banned = call("listbanned", json!([]))?;
            for (other, peer_id) in peer_ids.iter().enumerate() {
                let Some(peer_id) = peer_id else { continue };
                let cut = self.cut_apart(number, other + 1);
                let is_banned = banned.as_array().is_some_and(|list| {
                    list.iter()
                        .any(|entry| entry["address"] == peer_id.as_str())
                });
                if cut && !is_banned {
                    call("setban", json!([peer_id, "add"]))?;
                } else if !cut && is_banned {
                    call("setban", json!([peer_id, "remove"]))?;
                }
            }
        }
        Ok(())
    }

    fn cut_apart(&self, first: usize, second: usize) -> bool {
        let group = |number| {
            self.network
                .partition
                .iter()
                .position(|group| group.contains(&number))
        };
        first != second && !self.network.partition.is_empty() && group(first) != group(second)
    }
}

fn absolute(dir: &Path) -> Result<PathBuf, TestnetError> {
    fs::canonicalize(dir).map_err(|source| TestnetError::File {
        path: dir.to_owned(),
        source,
    })
}

/// The last line of what a node wrote before it ended.
fn last_line(output: &Path) -> String {
    let text = fs::read_to_string(output).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it wrote nothing")
        .trim_start_matches("pyrite: ")
        .to_owned()
}
