//! Coins: the cache over the database, reading what it lacks, and the walk through all of them.

mod cache;
mod read;
mod scan;
mod table;

pub(crate) use cache::CoinsCache;
pub(crate) use read::read_coins;
pub(crate) use scan::scan_coins;
pub use scan::{CoinScan, ScanEnd};
pub(crate) use table::CoinsTable;
