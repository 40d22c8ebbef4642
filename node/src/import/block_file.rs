//! One block file: records of magic, length and block, plain or obscured with a key as Bitcoin Core's are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::deserialize;
use pyrite_consensus::{ChainSpec, HashedBlock, check_block};

use super::refused_block;
use crate::NodeError;

/// Magic and length, before each block.
pub(super) const RECORD_HEAD_BYTES: u64 = 8;
/// A header, in Bitcoin's encoding.
const HEADER_BYTES: u32 = 80;
/// No serialized block is larger: the weight limit allows one byte per weight unit.
const MAX_BLOCK_BYTES: u32 = 4_000_000;
/// What is read at once while padding is passed over.
const PADDING_STEP: usize = 64 << 10;
/// The file with the key, beside Bitcoin Core's block files.
const KEY_FILE: &str = "xor.dat";
const KEY_BYTES: usize = 8;

/// Bytes that can be read anywhere.
pub(super) trait ReadAt {
    /// Fills `bytes` from `offset` on.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, bytes, offset)
    }
}

/// A file of blocks.
pub(super) struct BlockFile<S> {
    source: S,
    /// Its bytes.
    pub(super) length: u64,
    /// Every byte is combined with the key's, by its place in the file.
    key: [u8; KEY_BYTES],
}

/// A block's place in a file, and its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Where the magic is.
    pub(super) offset: u64,
    /// Bytes of the block.
    pub(super) block_bytes: u32,
    /// The block's header.
    pub(super) header: Header,
}

impl Record {
    /// Where the next record may begin.
    pub(super) fn end(&self) -> u64 {
        self.offset + RECORD_HEAD_BYTES + u64::from(self.block_bytes)
    }
}

impl BlockFile<File> {
    /// Opens a file. Bitcoin Core's key beside it is used if the file is not plain.
    pub(super) fn open(spec: &ChainSpec, path: &Path) -> Result<Self, NodeError> {
        let io_error = |source: io::Error| NodeError::DataDir {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io_error)?;
        let length = file.metadata().map_err(io_error)?.len();
        let mut file = Self::new(file, length);
        if !file.begins_plain(spec) {
            file.key = key_beside(path)?;
        }
        Ok(file)
    }
}

impl<S: ReadAt> BlockFile<S> {
    pub(super) fn new(source: S, length: u64) -> Self {
        Self {
            source,
            length,
            key: [0; KEY_BYTES],
        }
    }

    fn begins_plain(&self, spec: &ChainSpec) -> bool {
        let mut magic = [0; 4];
        self.source.read_exact_at(&mut magic, 0).is_ok() && magic == spec.magic
    }

    /// The record at `offset`, or after the zeros there: Bitcoin Core makes room for blocks before they
    /// come. `None` at the end. Only head and header are read.
    pub(super) fn record_at(
        &self,
        spec: &ChainSpec,
        offset: u64,
    ) -> Result<Option<Record>, (u64, String)> {
        let Some(offset) = self
            .skip_zeros(offset)
            .map_err(|error| (offset, error.to_string()))?
        else {
            return Ok(None);
        };
        match self.record(spec, offset) {
            Ok(record) => Ok(Some(record)),
            Err(detail) => Err((offset, detail)),
        }
    }

    fn record(&self, spec: &ChainSpec, offset: u64) -> Result<Record, String> {
        let mut head = [0; 8];
        self.read(&mut head, offset)
            .map_err(|error| format!("the file ends in a record: {error}"))?;
        let (magic, length) = head.split_at(4);
        if magic != spec.magic {
            return Err(format!(
                "magic {:02x?} is not chain {}'s {:02x?}",
                magic, spec.name, spec.magic
            ));
        }
        let block_bytes = u32::from_le_bytes(length.try_into().expect("the other half of eight"));
        if !(HEADER_BYTES..=MAX_BLOCK_BYTES).contains(&block_bytes) {
            return Err(format!(
                "a block of {block_bytes} bytes, where {HEADER_BYTES} is the least and \
                 {MAX_BLOCK_BYTES} the most"
            ));
        }
        let left = self.length - offset - RECORD_HEAD_BYTES;
        if left < u64::from(block_bytes) {
            return Err(format!(
                "the file ends in a block of {block_bytes} bytes, after {left} of them"
            ));
        }
        let mut header = [0; HEADER_BYTES as usize];
        self.read(&mut header, offset + RECORD_HEAD_BYTES)
            .map_err(|error| format!("the header can't be read: {error}"))?;
        let header =
            deserialize(&header).map_err(|error| format!("not a block header: {error}"))?;
        Ok(Record {
            offset,
            block_bytes,
            header,
        })
    }

    /// The block of a record, checked by itself: a block that is known by its header's hash may still
    /// come with another body.
    pub(super) fn block(&self, spec: &ChainSpec, record: &Record) -> Result<HashedBlock, String> {
        let mut bytes = vec![0; record.block_bytes as usize];
        self.read(&mut bytes, record.offset + RECORD_HEAD_BYTES)
            .map_err(|error| format!("the block can't be read: {error}"))?;
        let block: Block = deserialize(&bytes).map_err(|error| format!("not a block: {error}"))?;
        let block = HashedBlock::from(block);
        check_block(spec, &block).map_err(|error| {
            refused_block(block.block_hash(), Some(error.reject_reason()), &error)
        })?;
        Ok(block)
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.source.read_exact_at(bytes, offset)?;
        if self.key != [0; KEY_BYTES] {
            for (byte, place) in bytes.iter_mut().zip(offset..) {
                *byte ^= self.key[(place % KEY_BYTES as u64) as usize];
            }
        }
        Ok(())
    }

    /// `offset`, or the first byte after the zeros that a record does not begin with; `None` at the end.
    fn skip_zeros(&self, mut offset: u64) -> io::Result<Option<u64>> {
        let mut step = 4;
        while offset < self.length {
            let left = usize::try_from(self.length - offset).unwrap_or(usize::MAX);
            let mut bytes = vec![0; left.min(step)];
            self.source.read_exact_at(&mut bytes, offset)?;
            match bytes.iter().position(|byte| *byte != 0) {
                // A magic may have a zero in it.
                Some(_) if step == 4 => return Ok(Some(offset)),
                Some(zeros) => return Ok(Some(offset + zeros as u64)),
                None => offset += bytes.len() as u64,
            }
            step = PADDING_STEP;
        }
        Ok(None)
    }
}

/// The key beside a block file; a key of zeros, which changes nothing, where there is none.
fn key_beside(path: &Path) -> Result<[u8; KEY_BYTES], NodeError> {
    let key_path = path.with_file_name(KEY_FILE);
    match std::fs::read(&key_path) {
        Ok(bytes) => <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| {
            let detail = format!("{} bytes, where {KEY_BYTES} make a key", bytes.len());
            NodeError::DataDir {
                path: key_path,
                source: io::Error::other(detail),
            }
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok([0; KEY_BYTES]),
        Err(source) => Err(NodeError::DataDir {
            path: key_path,
            source,
        }),
    }
}

/// The files that are named: each directory stands for its files `blk*.dat`, in the order of their numbers.
pub(super) fn block_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, NodeError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let io_error = |source| NodeError::DataDir {
            path: path.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(io_error)? {
            let file = entry.map_err(io_error)?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("blk") && name.ends_with(".dat") {
                found.push((name.len(), file));
            }
        }
        if found.is_empty() {
            return Err(io_error(io::Error::other(
                "no block file (blk*.dat) in this directory",
            )));
        }
        found.sort();
        files.extend(found.into_iter().map(|(_, file)| file));
    }
    Ok(files)
}
