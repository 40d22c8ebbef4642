//! The accounts of mining: a file of lines that are only ever added, one for each block that was found here and one for
//! each span of time in which the miner worked.
//!
//! A block is written down, and the line synced, before the block is submitted. So a block of ours that is in the chain
//! has its line, whenever the node is killed; a line whose block the chain does not know is of a block that was not
//! taken, or that a kill kept from being submitted. Whether a block stayed in the chain is not written down: the chain
//! knows it, also after reorganisations, and whoever reads the accounts asks it.

mod entry;
mod file;
mod read;
mod span_meter;

pub use entry::{Finder, FoundBlock, LedgerEntry, MiningSpan};
pub use file::Ledger;
pub use read::LedgerReader;
pub use span_meter::{MinerReading, SpanMeter};

/// Name of the file in its directory.
const FILE_NAME: &str = "ledger.jsonl";

/// No line is longer, its end included.
const MAX_LINE_BYTES: usize = 4 << 10;
