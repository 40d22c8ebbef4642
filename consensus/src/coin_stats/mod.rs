//! Figures and hashes of a set of coins, as Bitcoin Core's `gettxoutsetinfo` gives them.

mod muhash;
mod num3072;
mod serialize;
mod stats;

pub use muhash::MuHash;
pub use serialize::coin_bytes;
pub use stats::{CoinSetHash, CoinStats, CoinStatsBuilder, HashKind, bogo_size};
