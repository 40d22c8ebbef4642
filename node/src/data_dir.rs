//! The layout of a data directory: `<data-dir>/<chain>/` with the database, the wallets, the cookie, the
//! node key, the log, and a description of the running node. Where the node stands in for Bitcoin Core, the files
//! that other programs look for are where Bitcoin Core has them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::NodeError;

const RUNTIME_FILE: &str = "node.json";
/// What a running node has locked.
const LOCK_FILE: &str = ".lock";

/// The files of one chain in a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
    chain: PathBuf,
    layout: Layout,
}

/// Where the files of a chain are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// As it suits us.
    Own,
    /// As Bitcoin Core has them.
    BitcoinCore,
}

/// What a running node says of itself, in `node.json`, so that other programs find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeInfo {
    /// Its process.
    pub pid: u32,
    /// The chain's name.
    pub chain: String,
    /// Where it serves JSON-RPC.
    pub rpc_url: String,
    /// Where it listens for peers, with its peer id.
    pub p2p_addresses: Vec<String>,
}

impl DataDir {
    /// The files of `chain` under `root`. Nothing is created.
    #[must_use]
    pub fn new(root: PathBuf, chain: &str) -> Self {
        Self {
            chain: root.join(chain),
            root,
            layout: Layout::Own,
        }
    }

    /// The files of a chain under `root` where Bitcoin Core has them: mainnet's beside the folders of the other chains, and the
    /// database inside `chainstate/`. Nothing is created.
    #[must_use]
    pub fn bitcoin_core(root: PathBuf, chain: &str) -> Self {
        let chain = match chain {
            "mainnet" => root.clone(),
            folder => root.join(folder),
        };
        Self {
            chain,
            root,
            layout: Layout::BitcoinCore,
        }
    }

    /// The data directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The chain's own folder.
    #[must_use]
    pub fn chain(&self) -> &Path {
        &self.chain
    }

    /// The folder of the database, and of those that take its place.
    fn databases(&self) -> PathBuf {
        match self.layout {
            Layout::Own => self.chain.clone(),
            Layout::BitcoinCore => self.chain.join("chainstate"),
        }
    }

    /// The RocksDB database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.databases().join("database")
    }

    /// A database that is being built anew from the blocks of the other one.
    #[must_use]
    pub fn new_database(&self) -> PathBuf {
        self.databases().join("database.reindexing")
    }

    /// A database that was built anew, before it is deleted.
    #[must_use]
    pub fn old_database(&self) -> PathBuf {
        self.databases().join("database.replaced")
    }

    /// The indexes, each in a folder of its own.
    #[must_use]
    pub fn indexes(&self) -> PathBuf {
        self.chain.join("indexes")
    }

    /// The wallets.
    #[must_use]
    pub fn wallets(&self) -> PathBuf {
        self.chain.join("wallets")
    }

    /// The mempool, over a restart.
    #[must_use]
    pub fn mempool(&self) -> PathBuf {
        self.chain.join("mempool.dat")
    }

    /// The fee estimates of the last run.
    #[must_use]
    pub fn fee_estimates(&self) -> PathBuf {
        self.chain.join("fee_estimates.dat")
    }

    /// The accounts of mining.
    #[must_use]
    pub fn mining(&self) -> PathBuf {
        self.chain.join("mining")
    }

    /// The RPC cookie.
    #[must_use]
    pub fn cookie(&self) -> PathBuf {
        self.chain.join(".cookie")
    }

    /// The node's network key.
    #[must_use]
    pub fn node_key(&self) -> PathBuf {
        self.chain.join("node.key")
    }

    /// The folder of the log files.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.chain.join("logs")
    }

    /// Creates the chain's folder, and inside it the folders that other programs look for.
    ///
    /// # Errors
    /// What the system said, with the path.
    pub fn create(&self) -> Result<(), NodeError> {
        let mut folders = vec![self.chain.clone()];
        if self.layout == Layout::BitcoinCore {
            let names = ["blocks", "chainstate", "indexes", "wallets"];
            folders.extend(names.map(|name| self.chain.join(name)));
        }
        for path in folders {
            fs::create_dir_all(&path).map_err(|source| NodeError::DataDir { path, source })?;
        }
        Ok(())
    }

    /// Keeps other nodes out of the chain's folder until the file is dropped, or the process ends.
    ///
    /// # Errors
    /// Another node has it, or what the system said.
    pub(crate) fn lock(&self) -> Result<fs::File, NodeError> {
        let path = self.chain.join(LOCK_FILE);
        let failed = |source| NodeError::DataDir {
            path: path.clone(),
            source,
        };
        let file = fs::File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(NodeError::InUse {
                path: self.chain.clone(),
            }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Writes `node.json`, whole or not at all.
    pub(crate) fn write_runtime(&self, info: &RuntimeInfo) -> Result<(), NodeError> {
        let path = self.chain.join(RUNTIME_FILE);
        let temporary = self.chain.join("node.json.new");
        let text = serde_json::to_vec_pretty(info).expect("strings and numbers are JSON");
        fs::write(&temporary, text)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|source| NodeError::DataDir { path, source })
    }

    /// Removes `node.json`.
    pub(crate) fn remove_runtime(&self) {
        // Only a hint to other programs: a leftover names a process that is gone, which they can see.
        let _ = fs::remove_file(self.chain.join(RUNTIME_FILE));
    }

    /// Reads `node.json`.
    ///
    /// # Errors
    /// It is absent or not readable.
    pub fn read_runtime(&self) -> io::Result<RuntimeInfo> {
        read_runtime(&self.chain)
    }
}

/// Finds the node that runs in data directory `root`: of the chain that is named, or the only one there.
///
/// # Errors
/// There is none, or there are several and none is named.
pub fn find_running(root: &Path, chain: Option<&str>) -> Result<(DataDir, RuntimeInfo), NodeError> {
    if let Some(chain) = chain {
        let data_dir = DataDir::new(root.to_owned(), chain);
        return match data_dir.read_runtime() {
            Ok(info) => Ok((data_dir, info)),
            Err(error) => Err(NodeError::NotRunning {
                detail: format!(
                    "no node of chain {chain} runs in {}: {error}",
                    root.display()
                ),
            }),
        };
    }
    let entries = fs::read_dir(root).map_err(|source| NodeError::DataDir {
        path: root.to_owned(),
        source,
    })?;
    let mut found: Vec<(DataDir, RuntimeInfo)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let info = read_runtime(&entry.path()).ok()?;
            let data_dir = DataDir::new(root.to_owned(), entry.file_name().to_str()?);
            Some((data_dir, info))
        })
        .collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(NodeError::NotRunning {
            detail: format!("no node runs in {}", root.display()),
        }),
        _ => {
            let chains: Vec<_> = found.iter().map(|(_, info)| info.chain.as_str()).collect();
            Err(NodeError::NotRunning {
                detail: format!(
                    "nodes of several chains run in {}: name one with --chain ({})",
                    root.display(),
                    chains.join(", ")
                ),
            })
        }
    }
}

fn read_runtime(chain_dir: &Path) -> io::Result<RuntimeInfo> {
    let text = fs::read_to_string(chain_dir.join(RUNTIME_FILE))?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitcoin_cores_layout_has_its_folders() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let data_dir = DataDir::bitcoin_core(root.path().to_owned(), "regtest");
        data_dir.create().unwrap();
        for folder in ["blocks", "chainstate", "indexes", "wallets"] {
            assert!(at("regtest").join(folder).is_dir(), "{folder}");
        }
        assert_eq!(data_dir.database(), at("regtest/chainstate/database"));
        assert_eq!(data_dir.cookie(), at("regtest/.cookie"));
        let main = DataDir::bitcoin_core(root.path().to_owned(), "mainnet");
        assert_eq!(main.chain(), root.path());
        assert_eq!(main.wallets(), at("wallets"));
    }

    #[test]
    fn one_node_has_a_directory_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(root.path().to_owned(), "regtest");
        data_dir.create().unwrap();
        let lock = data_dir.lock().unwrap();
        let error = data_dir.lock().unwrap_err();
        assert!(matches!(error, NodeError::InUse { .. }), "{error}");
        drop(lock);
        data_dir.lock().unwrap();
    }

    #[test]
    fn a_running_node_is_found_without_its_chain_only_when_it_is_alone() {
        let root = tempfile::tempdir().unwrap();
        let write = |chain: &str| {
            let data_dir = DataDir::new(root.path().to_owned(), chain);
            data_dir.create().unwrap();
            let info = RuntimeInfo {
                pid: 1,
                chain: chain.to_owned(),
                rpc_url: "http://127.0.0.1:1".to_owned(),
                p2p_addresses: vec![],
            };
            data_dir.write_runtime(&info).unwrap();
            (data_dir, info)
        };
        assert!(matches!(
            find_running(root.path(), None),
            Err(NodeError::NotRunning { .. })
        ));
        let first = write("pyrite");
        assert_eq!(find_running(root.path(), None).unwrap(), first);
        let second = write("regtest");
        let error = find_running(root.path(), None).unwrap_err().to_string();
        assert!(
            error.contains("pyrite") && error.contains("regtest"),
            "{error}"
        );
        assert_eq!(find_running(root.path(), Some("regtest")).unwrap(), second);
        second.0.remove_runtime();
        assert_eq!(find_running(root.path(), None).unwrap(), first);
    }
}
