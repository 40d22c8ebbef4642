//! Coins: the cache over the database, and reading what it lacks.

mod cache;
mod read;

pub(crate) use cache::CoinsCache;
pub(crate) use read::read_coins;
