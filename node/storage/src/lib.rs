//! Pyrite's database: typed tables over RocksDB, atomic batches and consistent snapshots.
//!
//! There are no rules of the chain here. `schema` lists the tables, and `migration` brings older ones to
//! today's; `codec` is how keys and values become bytes; `Database` opens, reads and commits. Data of
//! another chain, of an unknown schema or with a wrong checksum is refused with an error that names the
//! cause.

mod batch;
mod blob_file;
mod check;
mod checksum;
mod codec;
mod database;
mod error;
mod fault;
mod iter;
mod logs;
mod migration;
mod options;
mod records;
mod salvage;
pub mod schema;
mod snapshot;
mod table_file;

pub use batch::{Batch, Durability};
pub use check::{TableCount, check_database};
pub use codec::{CodecError, KeyCodec, ValueCodec};
pub use database::Database;
pub use error::StorageError;
pub use fault::{FaultPoints, Write};
pub use iter::TableIter;
pub use migration::{Migration, MigrationStep};
pub use records::{CoinChange, HeaderFlags, HeaderRecord, MetaKey, MetaValue, RawBlock, Undo};
pub use salvage::{Salvage, SalvageIter, Salvaged};
pub use schema::{CHAIN_SCHEMA, Memory, Schema, Table, TableInfo};
pub use snapshot::Snapshot;
