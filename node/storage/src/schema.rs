//! Tables, and which of them make up a database.

use pyrite_consensus::bitcoin::{BlockHash, OutPoint};
use pyrite_consensus::{Coin, Height};

use crate::codec::{KeyCodec, ValueCodec};
use crate::migration::{Migration, add_pruned_flag};
use crate::records::{CoinChange, HeaderRecord, MetaKey, MetaValue, RawBlock, Undo};

/// The tables of a kind of database, and how those of older versions become like them. Every database
/// has the table `Meta` as well.
#[derive(Debug)]
pub struct Schema {
    /// Changes with any change to a table, key or value.
    pub version: u32,
    /// The tables of this version.
    pub tables: &'static [TableInfo],
    /// How each older version that can still be read becomes the next one, in their order.
    pub migrations: &'static [Migration],
    /// How much memory a database of this kind takes, unless its opening says otherwise.
    pub memory: Memory,
}

/// What a database takes of memory at most, about.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Bytes of blocks of its tables that it keeps.
    pub block_cache_bytes: usize,
    /// Bytes that its tables gather before they are written out.
    pub write_buffers_bytes: usize,
}

impl Memory {
    /// For the chain, at most: the one database that everything waits for.
    pub const CHAIN: Self = Self {
        block_cache_bytes: 64 << 20,
        write_buffers_bytes: 48 << 20,
    };

    /// For a chain that keeps so many bytes of coins: a quarter of them each, from 8 MiB up to [`CHAIN`](Self::CHAIN).
    #[must_use]
    pub fn beside_coins(coins_cache_bytes: usize) -> Self {
        const LEAST: usize = 8 << 20;
        let quarter = coins_cache_bytes / 4;
        Self {
            block_cache_bytes: quarter.clamp(LEAST, Self::CHAIN.block_cache_bytes),
            write_buffers_bytes: quarter.clamp(LEAST, Self::CHAIN.write_buffers_bytes),
        }
    }

    /// For an index: there are several, and each is built once.
    pub const INDEX: Self = Self {
        block_cache_bytes: 16 << 20,
        write_buffers_bytes: 24 << 20,
    };
}

/// A table's name and use.
#[derive(Clone, Copy, Debug)]
pub struct TableInfo {
    /// The column family's name.
    pub name: &'static str,
    /// How it is laid out on disk.
    pub access: Access,
    /// The version of the schema that brought it.
    pub since: u32,
}

impl TableInfo {
    /// That of `T`, which is there since the schema's version `since`.
    #[must_use]
    pub const fn of<T: Table>(since: u32) -> Self {
        Self {
            name: T::NAME,
            access: T::ACCESS,
            since,
        }
    }
}

/// The chain's database.
pub const CHAIN_SCHEMA: Schema = Schema {
    version: 2,
    tables: &[
        TableInfo::of::<Headers>(1),
        TableInfo::of::<Blocks>(1),
        TableInfo::of::<UndoData>(1),
        TableInfo::of::<Coins>(1),
        TableInfo::of::<Heights>(1),
        TableInfo::of::<SecondCoins>(2),
        TableInfo::of::<CoinChanges>(2),
    ],
    migrations: &[Migration {
        from: 1,
        step: add_pruned_flag,
    }],
    memory: Memory::CHAIN,
};

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

/// The unspent transaction outputs of the best chain, unless `MetaKey::CoinsTable` says that they are in
/// `SecondCoins`.
#[derive(Debug)]
pub enum Coins {}

impl Table for Coins {
    const NAME: &'static str = "coins";
    const ACCESS: Access = Access::Point;
    type Key = OutPoint;
    type Value = Coin;
}

/// As `Coins`. One of the two has the coins of the best chain; the other is empty, or is filled from a file, or
/// has the coins of a chain that is validated in the background.
#[derive(Debug)]
pub enum SecondCoins {}

impl Table for SecondCoins {
    const NAME: &'static str = "second_coins";
    const ACCESS: Access = Access::Point;
    type Key = OutPoint;
    type Value = Coin;
}

/// How the coins of an earlier block differ from the tip's, while those are written to a file.
#[derive(Debug)]
pub enum CoinChanges {}

impl Table for CoinChanges {
    const NAME: &'static str = "coin_changes";
    const ACCESS: Access = Access::Scan;
    type Key = OutPoint;
    type Value = CoinChange;
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

impl Schema {
    /// Every table, with the one that all databases have.
    pub(crate) fn all_tables(&self) -> impl Iterator<Item = TableInfo> {
        let tables = self.tables.iter().copied();
        tables.chain([TableInfo::of::<Meta>(1)])
    }
}
