//! Export of the best chain into a file in Bitcoin's block-file format, which `import` reads.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};

use pyrite_chain::ChainReader;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::deserialize;

use crate::NodeError;

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;
const HEADER_BYTES: usize = 80;

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Write over it, once the new file is whole.
    Replace,
}

/// What an export did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportEnd {
    /// The file is whole.
    Complete {
        /// Blocks in it.
        blocks: u64,
        /// Its bytes.
        bytes: u64,
    },
    /// It was broken off, and nothing is left of it.
    Interrupted,
}

/// Writes the best chain's blocks of the heights `range` to `path`: under another name first, so that a file of
/// that name is always whole. `progress` is told how many blocks are done, of how many, and asked whether
/// to go on.
///
/// # Errors
/// The file is there already, the range is not in the best chain or not all of it is stored, or the
/// machine failed.
pub fn export_blocks(
    reader: &ChainReader,
    range: RangeInclusive<u32>,
    path: &Path,
    existing: Existing,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<ExportEnd, NodeError> {
    let io_error = |source: io::Error| NodeError::DataDir {
        path: path.to_owned(),
        source,
    };
    check_range(reader, &range)?;
    if existing == Existing::Keep && path.try_exists().map_err(io_error)? {
        return Err(io_error(io::Error::other(
            "exists already; --force writes over it",
        )));
    }
    let temporary = Temporary(with_suffix(path, ".partial"));
    let file = File::create(&temporary.0).map_err(|source| NodeError::DataDir {
        path: temporary.0.clone(),
        source,
    })?;
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, file);
    let total = u64::from(range.end() - range.start()) + 1;
    let (mut blocks, mut written) = (0, 0);
    for height in range {
        let block = stored_block(reader, Height(height))?;
        let length = u32::try_from(block.len()).expect("a stored block is smaller than 4 GB");
        output
            .write_all(&reader.spec().magic)
            .and_then(|()| output.write_all(&length.to_le_bytes()))
            .and_then(|()| output.write_all(&block))
            .map_err(io_error)?;
        blocks += 1;
        written += u64::from(length) + 8;
        if progress(blocks, total).is_break() {
            return Ok(ExportEnd::Interrupted);
        }
    }
    output
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&temporary.0, path))
        .map_err(io_error)?;
    Ok(ExportEnd::Complete {
        blocks,
        bytes: written,
    })
}

/// Refuses what can't be exported whole, before anything is written.
fn check_range(reader: &ChainReader, range: &RangeInclusive<u32>) -> Result<(), NodeError> {
    let tip = reader.tip().height.0;
    let wrong = |setting, detail| Err(NodeError::Setting { setting, detail });
    if *range.end() > tip {
        return wrong(
            "to",
            format!("{} is above the tip, at height {tip}", range.end()),
        );
    }
    if range.is_empty() {
        return wrong(
            "from",
            format!("{} is above {}", range.start(), range.end()),
        );
    }
    Ok(())
}

/// A block of the best chain, as it is stored.
fn stored_block(reader: &ChainReader, height: Height) -> Result<Vec<u8>, NodeError> {
    let refuse = |detail: String| NodeError::Export {
        height: height.0,
        detail,
    };
    let hash = reader
        .hash_at(height)
        .ok_or_else(|| refuse("the chain has become shorter".to_owned()))?;
    let bytes = reader
        .block_bytes(&hash)
        .map_err(|error| refuse(error.to_string()))?
        .ok_or_else(|| refuse("its body is not stored".to_owned()))?;
    let header: Option<Header> = bytes
        .get(..HEADER_BYTES)
        .and_then(|bytes| deserialize(bytes).ok());
    if header.is_none_or(|header| header.block_hash() != hash) {
        return Err(refuse(format!(
            "the database is corrupt: what is stored as {hash} is not this block"
        )));
    }
    Ok(bytes)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file that goes when it was not given its name.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Not there any more when all went well; otherwise there is nobody to tell.
        let _ = fs::remove_file(&self.0);
    }
}
