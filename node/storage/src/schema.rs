//! Every table of the database.

use pyrite_consensus::bitcoin::{BlockHash, OutPoint};
use pyrite_consensus::{Coin, Height};

use crate::codec::{KeyCodec, ValueCodec};
use crate::records::{HeaderRecord, MetaKey, MetaValue, RawBlock, Undo};

/// The version of the tables below. It changes with any change to a table, key or value.
pub const SCHEMA_VERSION: u32 = 1;

/// A table: one RocksDB column family.
pub trait Table {
    /// The column family's name.
    const NAME: &'static str;
    /// How it is used, which decides how it is laid out on disk.
    const ACCESS: Access;
    /// What its records are found by.
    type Key: KeyCodec;
    /// What a record holds.
    type Value: ValueCodec;
}

/// How a table is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Small records, read whole at the start.
    Scan,
    /// Small records, read and deleted one by one at random: worth a bloom filter.
    Point,
    /// Large records that stay: worth files of their own, which compaction does not copy.
    Large,
}

/// Every header that is known, with what is known of its block.
#[derive(Debug)]
pub enum Headers {}

impl Table for Headers {
    const NAME: &'static str = "headers";
    const ACCESS: Access = Access::Scan;
    type Key = BlockHash;
    type Value = HeaderRecord;
}

/// The bodies of blocks.
#[derive(Debug)]
pub enum Blocks {}

impl Table for Blocks {
    const NAME: &'static str = "blocks";
    const ACCESS: Access = Access::Large;
    type Key = BlockHash;
    type Value = RawBlock;
}

/// The coins that blocks spent. They stay when a block is disconnected: what a block spends depends
/// only on the blocks before it.
#[derive(Debug)]
pub enum UndoData {}

impl Table for UndoData {
    const NAME: &'static str = "undo";
    const ACCESS: Access = Access::Large;
    type Key = BlockHash;
    type Value = Undo;
}

/// The unspent transaction outputs of the best chain.
#[derive(Debug)]
pub enum Coins {}

impl Table for Coins {
    const NAME: &'static str = "coins";
    const ACCESS: Access = Access::Point;
    type Key = OutPoint;
    type Value = Coin;
}

/// The best chain by height.
#[derive(Debug)]
pub enum Heights {}

impl Table for Heights {
    const NAME: &'static str = "heights";
    const ACCESS: Access = Access::Scan;
    type Key = Height;
    type Value = BlockHash;
}

/// The single values that are not a table of their own.
#[derive(Debug)]
pub enum Meta {}

impl Table for Meta {
    const NAME: &'static str = "meta";
    const ACCESS: Access = Access::Scan;
    type Key = MetaKey;
    type Value = MetaValue;
}

/// Name and use of each table.
pub(crate) const TABLES: [(&str, Access); 6] = [
    (Headers::NAME, Headers::ACCESS),
    (Blocks::NAME, Blocks::ACCESS),
    (UndoData::NAME, UndoData::ACCESS),
    (Coins::NAME, Coins::ACCESS),
    (Heights::NAME, Heights::ACCESS),
    (Meta::NAME, Meta::ACCESS),
];
