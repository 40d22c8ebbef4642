//! The files of a network: `chain.toml`, `network.json`, and a data directory for each node.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Account, TestnetError};

/// What `up` wrote of a network, in `network.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFile {
    /// The chain's name.
    pub chain: String,
    /// The nodes; node 1 comes first.
    pub nodes: Vec<NodeEntry>,
    /// Who has coins from the genesis block on.
    pub accounts: Vec<Account>,
    /// Groups of nodes (by number, from 1) that are cut off from each other; none when it is whole.
    #[serde(default)]
    pub partition: Vec<Vec<usize>>,
}

/// One node of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// `node1`, `node2`, …
    pub name: String,
    /// Where it serves JSON-RPC on loopback.
    pub rpc_port: u16,
    /// Where it listens for peers on loopback.
    pub p2p_port: u16,
}

/// Paths in a network's directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn chain_spec(&self) -> PathBuf {
        self.dir.join("chain.toml")
    }

    pub(crate) fn network_file(&self) -> PathBuf {
        self.dir.join("network.json")
    }

    pub(crate) fn faucet_seed(&self) -> PathBuf {
        self.dir.join("faucet")
    }

    /// A node's data directory.
    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn node_config(&self, name: &str) -> PathBuf {
        self.node(name).join("node.toml")
    }

    pub(crate) fn pid_file(&self, name: &str) -> PathBuf {
        self.node(name).join("pid")
    }

    /// What a node wrote to stdout and stderr: nothing, unless it could not start or panicked.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.node(name).join("output.log")
    }

    pub(crate) fn read_network(&self) -> Result<NetworkFile, TestnetError> {
        let path = self.network_file();
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| TestnetError::BadFile {
                path,
                detail: error.to_string(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TestnetError::NoNetwork {
                dir: self.dir.clone(),
            }),
            Err(source) => Err(TestnetError::File { path, source }),
        }
    }

    /// Written last when a network is made, so that a network is whole or not there.
    pub(crate) fn write_network(&self, network: &NetworkFile) -> Result<(), TestnetError> {
        let text = serde_json::to_string_pretty(network).expect("strings and numbers are JSON");
        write_whole(&self.network_file(), &text)
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), TestnetError> {
    let temporary = path.with_extension("new");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|source| TestnetError::File {
            path: path.to_owned(),
            source,
        })
}

/// Creates a directory and those above it.
pub(crate) fn create_dir(path: &Path) -> Result<(), TestnetError> {
    fs::create_dir_all(path).map_err(|source| TestnetError::File {
        path: path.to_owned(),
        source,
    })
}
