//! Pyrite's database: typed tables over RocksDB, atomic batches and consistent snapshots.
//!
//! There are no rules of the chain here. `schema` lists every table; `codec` is how keys and values
//! become bytes; `Database` opens, reads and commits. Data of another chain, of an unknown schema
//! or with a wrong checksum is refused with an error that names the cause.

mod batch;
mod codec;
mod database;
mod error;
mod iter;
mod logs;
mod options;
mod records;
pub mod schema;
mod snapshot;

pub use batch::{Batch, Durability};
pub use codec::{CodecError, KeyCodec, ValueCodec};
pub use database::Database;
pub use error::StorageError;
pub use iter::TableIter;
pub use records::{HeaderFlags, HeaderRecord, MetaKey, MetaValue, RawBlock, Undo};
pub use schema::{SCHEMA_VERSION, Table};
pub use snapshot::Snapshot;
