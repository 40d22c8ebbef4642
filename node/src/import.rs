//! Import of Bitcoin's block files: magic, length, block, one after the other, in any order.
//!
//! What is stored already is passed over by its header alone, so that an interrupted import which is
//! started again soon is where it was.

mod block_file;
mod headers;
mod waiting;

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyrite_chain::{ChainHandle, ChainReader, MAX_BLOCKS_AHEAD, Pending, SubmitError, Submitted};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::BlockHash;

use crate::NodeError;
use block_file::{BlockFile, block_files};
pub use headers::import_headers_up_to;
use waiting::{MAX_WAITING, Place, Waiting};

/// Blocks that may wait for the chain's verdict, and their bytes.
const MAX_QUEUED: usize = 128;
const MAX_QUEUED_BYTES: u64 = 32 << 20;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Blocks that were new.
    pub imported: u64,
    /// Blocks that were there before.
    pub known: u64,
    /// How it ended.
    pub end: ImportEnd,
}

/// How an import ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportEnd {
    /// All files were read.
    #[default]
    Complete,
    /// It was broken off. What was read is kept.
    Interrupted,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportProgress {
    /// Bytes that are done, of all files.
    pub done_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Blocks that are done.
    pub blocks: u64,
}

/// Submits every block of the files to the chain; a directory stands for its files `blk*.dat`. A block whose
/// parent comes later, in whichever file, waits for it. `progress` is asked after each record whether
/// to go on.
///
/// # Errors
/// The first record that is not a valid block of this chain, or whose parent never came, with its place and
/// the reason. What came before it stays imported.
pub fn import_block_files(
    spec: &ChainSpec,
    chain: &ChainHandle,
    reader: &ChainReader,
    paths: &[PathBuf],
    progress: &mut dyn FnMut(&ImportProgress) -> ControlFlow<()>,
) -> Result<ImportReport, NodeError> {
    let paths = block_files(paths)?;
    let mut total_bytes = 0;
    for path in &paths {
        total_bytes += BlockFile::open(spec, path)?.length;
    }
    let mut import = Import {
        spec,
        chain,
        reader,
        paths: &paths,
        report: ImportReport::default(),
        queued: VecDeque::new(),
        queued_bytes: 0,
        queued_hashes: HashSet::new(),
        waiting: Waiting::default(),
        open: None,
    };
    let mut done_before = 0;
    for number in 0..paths.len() {
        let mut tell = |import: &Import<'_>, offset| {
            progress(&ImportProgress {
                done_bytes: done_before + offset,
                total_bytes,
                blocks: import.report.imported + import.report.known,
            })
        };
        let flow = import.read_file(number, &mut tell);
        // What came before tells first.
        import.settle_all()?;
        let (flow, length) = flow?;
        if flow.is_break() {
            import.report.end = ImportEnd::Interrupted;
            return Ok(import.report);
        }
        done_before += length;
    }
    import.submit_last()?;
    Ok(import.report)
}

/// An import under way. Blocks are read and checked while those before them are connected.
struct Import<'a> {
    spec: &'a ChainSpec,
    chain: &'a ChainHandle,
    reader: &'a ChainReader,
    paths: &'a [PathBuf],
    report: ImportReport,
    /// Blocks that the chain has not answered for, in the order in which they were submitted.
    queued: VecDeque<Queued>,
    queued_bytes: u64,
    queued_hashes: HashSet<BlockHash>,
    waiting: Waiting,
    /// The file that waiting blocks were last read from, and its number.
    open: Option<(usize, BlockFile<File>)>,
}

struct Queued {
    place: Place,
    hash: BlockHash,
    verdict: Pending<Submitted>,
}

impl Import<'_> {
    /// Reads a file from its start to its end, or until `tell` says to stop. Returns its length too.
    fn read_file(
        &mut self,
        number: usize,
        tell: &mut dyn FnMut(&Self, u64) -> ControlFlow<()>,
    ) -> Result<(ControlFlow<()>, u64), NodeError> {
        let file = BlockFile::open(self.spec, &self.paths[number])?;
        let mut offset = 0;
        while let Some(record) = file
            .record_at(self.spec, offset)
            .map_err(|(offset, detail)| refuse(&self.paths[number], offset, detail))?
        {
            offset = record.end();
            let place = Place {
                file: number,
                record,
            };
            self.take(&file, place)?;
            if tell(self, offset).is_break() {
                return Ok((ControlFlow::Break(()), file.length));
            }
        }
        Ok((ControlFlow::Continue(()), file.length))
    }

    /// Passes over a block that is stored, submits one whose parent is there, and keeps the place of any
    /// other.
    fn take(&mut self, file: &BlockFile<File>, place: Place) -> Result<(), NodeError> {
        let hash = place.record.header.block_hash();
        if self.reader.has_block(&hash) {
            self.report.known += 1;
            return Ok(());
        }
        if !self.is_ready(&place.record.header.prev_blockhash) {
            if self.waiting.add(place) {
                return Ok(());
            }
            let detail = format!("{MAX_WAITING} blocks wait for parents that did not come");
            return Err(self.refuse(&place, detail));
        }
        self.submit(file, place)?;
        self.submit_children(hash)
    }

    /// Whether the chain takes the children of a block now.
    fn is_ready(&self, parent: &BlockHash) -> bool {
        if self.queued_hashes.contains(parent) || self.reader.has_block(parent) {
            return true;
        }
        let highest = self.reader.tip().height.0.saturating_add(MAX_BLOCKS_AHEAD);
        self.reader
            .header(parent)
            .is_some_and(|info| info.height.0 < highest)
    }

    /// Submits the blocks that waited for one, those that waited for them, and so on.
    fn submit_children(&mut self, parent: BlockHash) -> Result<(), NodeError> {
        let mut parents = vec![parent];
        while let Some(parent) = parents.pop() {
            for place in self.waiting.take(&parent) {
                let file = match self.open.take() {
                    Some((number, file)) if number == place.file => file,
                    _ => BlockFile::open(self.spec, &self.paths[place.file])?,
                };
                let result = self.submit(&file, place);
                self.open = Some((place.file, file));
                result?;
                parents.push(place.record.header.block_hash());
            }
        }
        Ok(())
    }

    fn submit(&mut self, file: &BlockFile<File>, place: Place) -> Result<(), NodeError> {
        let block = file
            .block(self.spec, &place.record)
            .map_err(|detail| self.refuse(&place, detail))?;
        let hash = block.block_hash();
        self.make_room()?;
        let verdict = self
            .chain
            .queue_block(Arc::new(block))
            .map_err(|error| self.refuse_block(&place, hash, &error))?;
        self.queued_bytes += u64::from(place.record.block_bytes);
        self.queued_hashes.insert(hash);
        self.queued.push_back(Queued {
            place,
            hash,
            verdict,
        });
        Ok(())
    }

    /// Submits what waited for blocks that were stored by other means, and names a block that still waits.
    fn submit_last(&mut self) -> Result<(), NodeError> {
        loop {
            let ready: Vec<BlockHash> = self
                .waiting
                .parents()
                .filter(|parent| self.is_ready(parent))
                .copied()
                .collect();
            if ready.is_empty() {
                break;
            }
            for parent in ready {
                let result = self.submit_children(parent);
                self.settle_all()?;
                result?;
            }
        }
        let Some(first) = self.waiting.first() else {
            return Ok(());
        };
        let header = &first.record.header;
        let error = SubmitError::UnknownParent(header.prev_blockhash);
        let mut detail = refused_block(header.block_hash(), error.reject_reason(), &error);
        if self.waiting.len() > 1 {
            detail = format!("{detail} (as it is for {} more)", self.waiting.len() - 1);
        }
        Err(self.refuse(first, detail))
    }

    fn make_room(&mut self) -> Result<(), NodeError> {
        while self.queued.len() >= MAX_QUEUED || self.queued_bytes >= MAX_QUEUED_BYTES {
            self.settle_first()?;
        }
        Ok(())
    }

    fn settle_all(&mut self) -> Result<(), NodeError> {
        while !self.queued.is_empty() {
            self.settle_first()?;
        }
        Ok(())
    }

    fn settle_first(&mut self) -> Result<(), NodeError> {
        let Some(first) = self.queued.pop_front() else {
            return Ok(());
        };
        self.queued_bytes -= u64::from(first.place.record.block_bytes);
        let verdict = first.verdict.wait();
        self.queued_hashes.remove(&first.hash);
        match verdict {
            Ok(Submitted::Duplicate) => self.report.known += 1,
            Ok(Submitted::NewTip | Submitted::SideChain) => self.report.imported += 1,
            Err(error) => return Err(self.refuse_block(&first.place, first.hash, &error)),
        }
        Ok(())
    }

    fn refuse_block(&self, place: &Place, hash: BlockHash, error: &SubmitError) -> NodeError {
        self.refuse(place, refused_block(hash, error.reject_reason(), error))
    }

    fn refuse(&self, place: &Place, detail: String) -> NodeError {
        refuse(&self.paths[place.file], place.record.offset, detail)
    }
}

fn refuse(path: &Path, offset: u64, detail: String) -> NodeError {
    NodeError::Import {
        path: path.to_owned(),
        offset,
        detail,
    }
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

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
