//! Which blocks stayed in the chain: asked of the node that runs in the data directory, or read from its database.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use pyrite_chain::{Chain, ChainConfig, ChainReader, Clock};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_node::{DataDir, find_running};
use pyrite_rpc::{ClientError, RpcClient};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a running node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Coins are not needed here.
const COINS_CACHE_BYTES: usize = 4 << 20;

/// Bitcoin Core's code for a block that is not known.
const UNKNOWN_BLOCK: i64 = -5;

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockState {
    /// It is in the best chain.
    Active,
    /// The chain has another one in its place.
    Stale,
    /// The chain does not know it: it was not taken, or a kill kept it from being submitted.
    Unknown,
}

impl BlockState {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}

/// Where the chain is.
pub(crate) enum ChainSource {
    /// In a running node.
    Node(RpcClient),
    /// In a database that is opened here.
    Database(Box<Chain>),
}

impl ChainSource {
    /// The running node's chain, or the database's if none runs.
    pub(crate) fn open(spec: Arc<ChainSpec>, data_dir: &DataDir) -> Result<Self> {
        let Ok((found, info)) = find_running(data_dir.root(), Some(&spec.name)) else {
            return Self::open_database(spec, data_dir);
        };
        let client = RpcClient::new(info.rpc_url.clone(), found.cookie(), TIMEOUT);
        let silence = match client.call("getblockcount", json!([])) {
            Ok(_) => return Ok(Self::Node(client)),
            // It runs, and says why not.
            Err(error @ ClientError::Call { .. }) => {
                return Err(error).context("the running node");
            }
            Err(error) => error,
        };
        // What a node that was killed left behind; its port may be another program's by now. If the node runs all the same, it keeps
        // the database for itself.
        Self::open_database(spec, data_dir).with_context(|| {
            format!(
                "a node was started here (process {}) that does not answer: {silence}. If it runs, stop it, or try again; the \
                 accounts are in {}",
                info.pid,
                data_dir.mining().display()
            )
        })
    }

    fn open_database(spec: Arc<ChainSpec>, data_dir: &DataDir) -> Result<Self> {
        let path = data_dir.database();
        if !path.exists() {
            bail!("{}: no blocks of chain {} here", path.display(), spec.name);
        }
        let chain = Chain::open(ChainConfig {
            spec,
            path: path.clone(),
            script_threads: 1,
            coins_cache_bytes: COINS_CACHE_BYTES,
            assume_valid: None,
            clock: Clock::system(),
        })
        .with_context(|| path.display().to_string())?;
        Ok(Self::Database(Box::new(chain)))
    }

    /// What became of these blocks.
    pub(crate) fn states(&self, blocks: &[BlockHash]) -> Result<Vec<BlockState>> {
        match self {
            Self::Node(client) => ask(client, blocks),
            Self::Database(chain) => Ok(look_up(&chain.reader, blocks)),
        }
    }

    /// Closes the database.
    pub(crate) fn close(self) -> Result<()> {
        match self {
            Self::Node(_) => Ok(()),
            Self::Database(chain) => chain.shutdown().context("closing the database"),
        }
    }
}

/// In the chain's own terms.
pub(crate) fn look_up(reader: &ChainReader, blocks: &[BlockHash]) -> Vec<BlockState> {
    let state = |hash: &BlockHash| {
        if reader.is_in_best_chain(hash) {
            BlockState::Active
        } else if reader.header(hash).is_some() {
            BlockState::Stale
        } else {
            BlockState::Unknown
        }
    };
    blocks.iter().map(state).collect()
}

fn ask(client: &RpcClient, blocks: &[BlockHash]) -> Result<Vec<BlockState>> {
    let params: Vec<Value> = blocks
        .iter()
        .map(|hash| json!([hash.to_string()]))
        .collect();
    let state = |answer: Result<Value, ClientError>| match answer {
        Ok(header) => match header.get("confirmations").and_then(Value::as_i64) {
            Some(..0) => Ok(BlockState::Stale),
            Some(_) => Ok(BlockState::Active),
            None => bail!("the node's answer to getblockheader has no confirmations"),
        },
        Err(ClientError::Call {
            code: UNKNOWN_BLOCK,
            ..
        }) => Ok(BlockState::Unknown),
        Err(error) => Err(error.into()),
    };
    client
        .call_many("getblockheader", &params)?
        .into_iter()
        .map(state)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A program that is no node answers where a node that was killed did.
    #[test]
    fn what_a_killed_node_left_behind_is_no_obstacle() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
                );
            }
        });
        let root = tempfile::tempdir().unwrap();
        let spec = Arc::new(ChainSpec::regtest());
        let data_dir = DataDir::new(root.path().to_owned(), &spec.name);
        std::fs::create_dir_all(data_dir.chain()).unwrap();
        let left = json!({ "pid": 1, "chain": spec.name, "rpc_url": url, "p2p_addresses": [] });
        std::fs::write(data_dir.chain().join("node.json"), left.to_string()).unwrap();
        std::fs::write(data_dir.cookie(), "__cookie__:secret").unwrap();
        // Without a database there is nothing to read.
        let error = ChainSource::open(Arc::clone(&spec), &data_dir)
            .err()
            .unwrap();
        let text = format!("{error:#}");
        assert!(
            text.contains("process 1") && text.contains("no blocks"),
            "{text}"
        );
        let config = ChainConfig {
            spec: Arc::clone(&spec),
            path: data_dir.database(),
            script_threads: 1,
            coins_cache_bytes: COINS_CACHE_BYTES,
            assume_valid: None,
            clock: Clock::system(),
        };
        Chain::open(config).unwrap().shutdown().unwrap();
        let source = ChainSource::open(Arc::clone(&spec), &data_dir).unwrap();
        let genesis = spec.genesis_block().block_hash();
        assert_eq!(source.states(&[genesis]).unwrap(), [BlockState::Active]);
        source.close().unwrap();
    }
}
