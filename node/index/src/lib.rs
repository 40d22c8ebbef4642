//! Indexes over the chain: what can be looked up beside blocks and coins.
//!
//! Each index is a database of its own, so that it can be switched on at any time, and switched off and
//! deleted. A follower per index, on a thread of its own, goes the path from the last block that the
//! index has seen to the chain's tip: building it, lag, reorganisations and kills are one code path.
//! [`Indexes`] opens those that are wanted and answers questions; [`check`] compares one with a
//! fresh build.

mod block;
mod check;
mod clear;
mod digest;
mod error;
mod fields;
mod follower;
mod index;
mod indexes;
mod kind;
mod query;
mod script_id;
mod slot;
mod status;

pub use check::{Comparison, check};
pub use error::IndexError;
pub use index::{BlockCoinStats, Filter, Spender, TransactionPlace, build_filter, filter_matches};
pub use indexes::{Indexes, IndexesConfig};
pub use kind::IndexKind;
pub use query::{Balance, HistoryEntry, Page, PageCursor, Unspent};
pub use status::IndexStatus;
