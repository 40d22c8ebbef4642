//! The indexes, one file each, behind one trait that the follower drives.

mod addresses;
mod coin_stats;
mod filters;
#[cfg(test)]
mod fuzz;
mod spenders;
mod transactions;

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_storage::{Batch, Database, Schema, Snapshot, Table};

use crate::block::IndexedBlock;
use crate::digest::TableDigest;
use crate::{IndexError, IndexKind};

pub(crate) use addresses::{History, HistoryKey, Side, Summaries, UnspentKey, UnspentOutputs};
pub use coin_stats::BlockCoinStats;
pub(crate) use coin_stats::CoinStatsTable;
pub use filters::{Filter, build_filter, filter_matches};
pub(crate) use filters::{FilterHeaders, Filters};
pub use spenders::Spender;
pub(crate) use spenders::find_spender;
pub use transactions::TransactionPlace;
pub(crate) use transactions::find_transaction;

/// What an index does with blocks. It keeps in memory what a batch holds that is not committed.
pub(crate) trait Index: Send {
    /// Reads what it keeps in memory of the last block that it has seen.
    fn load(&mut self, database: &Database, cursor: Option<BlockHash>) -> Result<(), IndexError>;

    /// Adds a block that follows the last one.
    fn connect(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError>;

    /// How it takes blocks back.
    fn way_back(&self) -> WayBack;

    /// Takes the last block back. Only for indexes whose way back is by block.
    fn disconnect(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError>;

    /// Adds what it gathered for the batch. It is committed next.
    fn finish(&mut self, batch: &mut Batch<'_>);

    /// Empties its tables.
    fn clear(&self, database: &Database) -> Result<(), IndexError>;

    /// What it holds of the chain of these blocks, from the genesis block on.
    fn digests(
        &self,
        snapshot: &Snapshot<'_>,
        chain: &[BlockHash],
    ) -> Result<Vec<TableDigest>, IndexError>;
}

/// How an index takes blocks back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// Its records are one for each block, by its hash, and stay: it loads that of an earlier block.
    ByRecord,
    /// It needs the block and what it spent.
    ByBlock,
}

impl IndexKind {
    /// An index of this kind, empty.
    pub(crate) fn index(self, chain: &pyrite_chain::ChainReader) -> Box<dyn Index> {
        match self {
            Self::Transactions => Box::new(transactions::TransactionIndex),
            Self::Filters => Box::<filters::FilterIndex>::default(),
            Self::CoinStats => Box::new(coin_stats::CoinStatsIndex::new(chain.spec())),
            Self::Spenders => Box::new(spenders::SpenderIndex),
            Self::Addresses => Box::<addresses::AddressIndex>::default(),
        }
    }

    /// The tables of its database.
    #[must_use]
    pub fn schema(self) -> &'static Schema {
        match self {
            Self::Transactions => &transactions::SCHEMA,
            Self::Filters => &filters::SCHEMA,
            Self::CoinStats => &coin_stats::SCHEMA,
            Self::Spenders => &spenders::SCHEMA,
            Self::Addresses => &addresses::SCHEMA,
        }
    }
}

/// The last of the records that lie together behind `first`: those whose keys `is_one_of_them` says so of.
fn last_of<T: Table>(
    snapshot: &Snapshot<'_>,
    first: &T::Key,
    is_one_of_them: impl Fn(&T::Key) -> bool,
) -> Result<Option<T::Value>, IndexError> {
    let mut last = None;
    for record in snapshot.scan_from::<T>(first) {
        let (key, value) = record?;
        if !is_one_of_them(&key) {
            break;
        }
        last = Some(value);
    }
    Ok(last)
}
