//! The headers of block files, before their blocks: whoever assumes that a block is valid must know its chain.

use std::collections::HashMap;
use std::path::PathBuf;

use pyrite_chain::{ChainHandle, ChainReader};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::block::Header;

use super::block_file::{BlockFile, block_files};
use super::refuse;
use crate::NodeError;

/// Headers that are submitted together.
const GROUP: usize = 2_000;
/// The most headers that files may have, some 150 bytes each in memory: decades of Bitcoin's.
const MAX_HEADERS: usize = 1 << 22;

/// Makes the headers of a block of the files, and of those before it, known to the chain. Returns whether
/// it is known now: the files may not have it.
///
/// # Errors
/// A record is damaged, or a header breaks a rule.
pub fn import_headers_up_to(
    spec: &ChainSpec,
    chain: &ChainHandle,
    reader: &ChainReader,
    paths: &[PathBuf],
    last: &BlockHash,
) -> Result<bool, NodeError> {
    if reader.header(last).is_some() {
        return Ok(true);
    }
    let headers = read_headers(spec, paths)?;
    let mut way = Vec::new();
    let mut hash = *last;
    while reader.header(&hash).is_none() {
        let Some(header) = headers.get(&hash) else {
            return Ok(false);
        };
        way.push(*header);
        hash = header.prev_blockhash;
    }
    way.reverse();
    for group in way.chunks(GROUP) {
        chain
            .submit_headers(group.to_vec())
            .map_err(|error| NodeError::Headers { error })?;
    }
    Ok(true)
}

/// The headers of all records.
fn read_headers(
    spec: &ChainSpec,
    paths: &[PathBuf],
) -> Result<HashMap<BlockHash, Header>, NodeError> {
    let mut headers = HashMap::new();
    for path in &block_files(paths)? {
        let file = BlockFile::open(spec, path)?;
        let mut offset = 0;
        while let Some(record) = file
            .record_at(spec, offset)
            .map_err(|(offset, detail)| refuse(path, offset, detail))?
        {
            if headers.len() >= MAX_HEADERS {
                let detail = format!("more than {MAX_HEADERS} blocks: import them in parts");
                return Err(refuse(path, record.offset, detail));
            }
            offset = record.end();
            headers.insert(record.header.block_hash(), record.header);
        }
    }
    Ok(headers)
}
