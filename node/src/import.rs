//! Import of Bitcoin's block files: magic, length, block, one after the other.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use pyrite_chain::{ChainHandle, Submitted};
use pyrite_consensus::bitcoin::consensus::deserialize;
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::{ChainSpec, check_block};

use crate::NodeError;

/// No serialized block is larger: the weight limit allows one byte per weight unit.
const MAX_BLOCK_BYTES: u32 = 4_000_000;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Blocks that were new.
    pub imported: u64,
    /// Blocks that were there before.
    pub known: u64,
}

/// Submits every block of `path` to the chain, in the file's order. `progress` is told how many
/// bytes are done, of how many.
///
/// # Errors
/// The first record that is not a valid block of this chain, with its place in the file and the
/// reason. What came before it stays imported.
pub fn import_block_file(
    spec: &ChainSpec,
    chain: &ChainHandle,
    path: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<ImportReport, NodeError> {
    let open_error = |source: std::io::Error| NodeError::DataDir {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(open_error)?;
    let total = file.metadata().map_err(open_error)?.len();
    let mut input = BufReader::with_capacity(1 << 20, file);
    let mut report = ImportReport::default();
    let mut offset = 0;
    while offset < total {
        let refuse = |detail: String| NodeError::Import {
            path: path.to_owned(),
            offset,
            detail,
        };
        let bytes = read_record(spec, &mut input).map_err(refuse)?;
        let block: Block =
            deserialize(&bytes).map_err(|error| refuse(format!("not a block: {error}")))?;
        let hash = block.block_hash();
        // Here as well as in the chain: a block that is known by its header's hash may still come with
        // another body.
        check_block(spec, &block)
            .map_err(|error| refuse(refused_block(hash, Some(error.reject_reason()), &error)))?;
        match chain.submit_block(Arc::new(block)) {
            Ok(Submitted::Duplicate) => report.known += 1,
            Ok(Submitted::NewTip | Submitted::SideChain) => report.imported += 1,
            Err(error) => {
                return Err(refuse(refused_block(hash, error.reject_reason(), &error)));
            }
        }
        offset += 8 + bytes.len() as u64;
        progress(offset, total);
    }
    Ok(report)
}

/// Bitcoin's word for the reason, where there is one, and what it stands for.
fn refused_block(
    hash: BlockHash,
    reason: Option<&'static str>,
    detail: &dyn std::error::Error,
) -> String {
    match reason {
        Some(reason) => format!("block {hash} is refused: {reason}: {detail}"),
        None => format!("block {hash} is refused: {detail}"),
    }
}

/// Reads magic, length and block.
fn read_record(spec: &ChainSpec, input: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut head = [0; 8];
    input
        .read_exact(&mut head)
        .map_err(|error| format!("the file ends in a record: {error}"))?;
    let (magic, length) = head.split_at(4);
    if magic != spec.magic {
        return Err(format!(
            "magic {:02x?} is not chain {}'s {:02x?}",
            magic, spec.name, spec.magic
        ));
    }
    let length = u32::from_le_bytes(length.try_into().expect("the second half of eight bytes"));
    if length > MAX_BLOCK_BYTES {
        return Err(format!(
            "a block of {length} bytes, where {MAX_BLOCK_BYTES} is the most"
        ));
    }
    let mut bytes = vec![0; length as usize];
    input
        .read_exact(&mut bytes)
        .map_err(|error| format!("the file ends in a block of {length} bytes: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod fuzz;
