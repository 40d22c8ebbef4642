//! What can be read of the old database: headers in an order in which parents come first, and blocks.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::deserialize;
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::{ChainSpec, HashedBlock};
use pyrite_storage::{Salvage, Salvaged, StorageError};

use crate::{NodeError, StopHandle};

const HEADER_BYTES: usize = 80;

/// The old database. Only headers are in memory.
pub(super) struct Source {
    database: Salvage,
    headers: Vec<Header>,
    blocks: Vec<BlockHash>,
    damaged_places: u64,
}

impl Source {
    /// Reads the headers of all blocks, and those without blocks.
    pub(super) fn open(
        path: &Path,
        spec: &ChainSpec,
        stop: &StopHandle,
    ) -> Result<Self, NodeError> {
        let database = Salvage::open(path, &spec.name, spec.genesis_hash())
            .map_err(|error| unreadable(path, error))?;
        let mut found = Found::default();
        for record in database.headers() {
            match record {
                Salvaged::Record(hash, record) => found.add(hash, record.header),
                Salvaged::Damage(error) => found.damaged(&error),
            }
        }
        tracing::info!("looking for blocks");
        for record in database.bodies() {
            if stop.flow().is_break() {
                return Err(NodeError::Interrupted {
                    work: "looking for blocks",
                });
            }
            match record {
                Salvaged::Record(hash, block) => {
                    let header = block
                        .0
                        .get(..HEADER_BYTES)
                        .and_then(|bytes| deserialize(bytes).ok());
                    if let Some(header) = header {
                        found.add(hash, header);
                        found.bodies.insert(hash);
                    }
                }
                Salvaged::Damage(error) => found.damaged(&error),
            }
        }
        if found.bodies.is_empty() {
            let detail = found
                .first_damage
                .unwrap_or_else(|| "there is none".to_owned());
            return Err(NodeError::Lost {
                path: path.to_owned(),
                detail,
            });
        }
        let headers = found.in_order(spec.genesis_hash());
        let blocks = headers
            .iter()
            .map(Header::block_hash)
            .filter(|hash| found.bodies.contains(hash))
            .collect();
        Ok(Self {
            database,
            headers,
            blocks,
            damaged_places: found.damaged_places,
        })
    }

    /// The headers that descend from the genesis block, by their heights.
    pub(super) fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The blocks that belong to them, in the same order.
    pub(super) fn blocks(&self) -> &[BlockHash] {
        &self.blocks
    }

    pub(super) fn damaged_places(&self) -> u64 {
        self.damaged_places
    }

    /// A block, or why it can't be read.
    pub(super) fn block(&self, hash: &BlockHash) -> Result<Arc<HashedBlock>, String> {
        let body = self
            .database
            .body(hash)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "it is gone".to_owned())?;
        let block: Block = deserialize(&body.0).map_err(|error| error.to_string())?;
        Ok(Arc::new(HashedBlock::from(block)))
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    headers: HashMap<BlockHash, Header>,
    bodies: HashSet<BlockHash>,
    damaged_places: u64,
    first_damage: Option<String>,
}

impl Found {
    fn add(&mut self, hash: BlockHash, header: Header) {
        if header.block_hash() == hash {
            self.headers.insert(hash, header);
        }
    }

    fn damaged(&mut self, error: &StorageError) {
        tracing::warn!(%error, "passing over what can't be read");
        self.damaged_places += 1;
        self.first_damage.get_or_insert_with(|| error.to_string());
    }

    /// The descendants of the genesis block, height by height.
    fn in_order(&self, genesis: BlockHash) -> Vec<Header> {
        let mut children: HashMap<BlockHash, Vec<BlockHash>> = HashMap::new();
        for (hash, header) in &self.headers {
            children
                .entry(header.prev_blockhash)
                .or_default()
                .push(*hash);
        }
        let mut ordered = Vec::with_capacity(self.headers.len());
        let mut level = vec![genesis];
        while !level.is_empty() {
            let next: Vec<BlockHash> = level
                .iter()
                .filter_map(|hash| children.remove(hash))
                .flatten()
                .collect();
            ordered.extend(next.iter().filter_map(|hash| self.headers.get(hash)));
            level = next;
        }
        ordered
    }
}

/// Damage that leaves nothing to read is another thing than a database that is not ours to read.
fn unreadable(path: &Path, error: StorageError) -> NodeError {
    match error {
        StorageError::Corrupt { detail } | StorageError::Io { detail } => NodeError::Lost {
            path: path.to_owned(),
            detail,
        },
        error => NodeError::Chain {
            path: path.to_owned(),
            source: error.into(),
        },
    }
}
