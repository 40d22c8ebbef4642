//! Import of Bitcoin's block files: magic, length, block, one after the other.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use pyrite_chain::{ChainHandle, Pending, SubmitError, Submitted};
use pyrite_consensus::bitcoin::consensus::deserialize;
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::{ChainSpec, HashedBlock, check_block};

use crate::NodeError;

/// Magic and length, before each block.
const RECORD_HEAD_BYTES: u64 = 8;
/// Blocks that may wait for the chain's verdict, and their bytes.
const MAX_WAITING: usize = 128;
const MAX_WAITING_BYTES: u64 = 32 << 20;

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
    let mut import = Import {
        path,
        report: ImportReport::default(),
        waiting: VecDeque::new(),
        waiting_bytes: 0,
    };
    let mut offset = 0;
    while offset < total {
        let block = read_block(spec, &mut input);
        // What came before tells first.
        let (block, bytes) = match block {
            Ok(read) => read,
            Err(detail) => {
                import.settle_all()?;
                return Err(import.refuse(offset, detail));
            }
        };
        import.make_room()?;
        import.submit(chain, offset, block, bytes)?;
        offset += RECORD_HEAD_BYTES + bytes;
        progress(offset, total);
    }
    import.settle_all()?;
    Ok(import.report)
}

/// An import under way. Blocks are read and checked while those before them are connected.
struct Import<'a> {
    path: &'a Path,
    report: ImportReport,
    /// Blocks that the chain has not answered for, in the file's order.
    waiting: VecDeque<Waiting>,
    waiting_bytes: u64,
}

struct Waiting {
    offset: u64,
    bytes: u64,
    hash: BlockHash,
    verdict: Pending<Submitted>,
}

impl Import<'_> {
    fn submit(
        &mut self,
        chain: &ChainHandle,
        offset: u64,
        block: HashedBlock,
        bytes: u64,
    ) -> Result<(), NodeError> {
        let hash = block.block_hash();
        match chain.queue_block(Arc::new(block)) {
            Ok(verdict) => {
                self.waiting_bytes += bytes;
                self.waiting.push_back(Waiting {
                    offset,
                    bytes,
                    hash,
                    verdict,
                });
                Ok(())
            }
            Err(error) => {
                self.settle_all()?;
                Err(self.refuse_block(offset, hash, &error))
            }
        }
    }

    fn make_room(&mut self) -> Result<(), NodeError> {
        while self.waiting.len() >= MAX_WAITING || self.waiting_bytes >= MAX_WAITING_BYTES {
            self.settle_first()?;
        }
        Ok(())
    }

    fn settle_all(&mut self) -> Result<(), NodeError> {
        while !self.waiting.is_empty() {
            self.settle_first()?;
        }
        Ok(())
    }

    fn settle_first(&mut self) -> Result<(), NodeError> {
        let Some(first) = self.waiting.pop_front() else {
            return Ok(());
        };
        self.waiting_bytes -= first.bytes;
        match first.verdict.wait() {
            Ok(Submitted::Duplicate) => self.report.known += 1,
            Ok(Submitted::NewTip | Submitted::SideChain) => self.report.imported += 1,
            Err(error) => return Err(self.refuse_block(first.offset, first.hash, &error)),
        }
        Ok(())
    }

    fn refuse_block(&self, offset: u64, hash: BlockHash, error: &SubmitError) -> NodeError {
        self.refuse(offset, refused_block(hash, error.reject_reason(), error))
    }

    fn refuse(&self, offset: u64, detail: String) -> NodeError {
        NodeError::Import {
            path: self.path.to_owned(),
            offset,
            detail,
        }
    }
}

/// The next block, and the size of its encoding.
fn read_block(spec: &ChainSpec, input: &mut impl Read) -> Result<(HashedBlock, u64), String> {
    let bytes = read_record(spec, input)?;
    let block: Block = deserialize(&bytes).map_err(|error| format!("not a block: {error}"))?;
    let block = HashedBlock::from(block);
    // Here as well as in the chain: a block that is known by its header's hash may still come with
    // another body.
    check_block(spec, &block)
        .map_err(|error| refused_block(block.block_hash(), Some(error.reject_reason()), &error))?;
    Ok((block, bytes.len() as u64))
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
