//! Files of all coins, in Bitcoin Core's format: writing one, of the tip or of an earlier block, and beginning
//! with one.

mod compress;
mod dump;
mod format;
mod load;
mod rollback;
mod varint;

pub use dump::SnapshotDump;
pub(crate) use dump::dump_snapshot;
pub use format::{FormatError, SnapshotHead};
pub use load::{LoadChecks, SnapshotLoad};
pub(crate) use load::{find_base, load_snapshot};
pub(crate) use rollback::clear_changes;
