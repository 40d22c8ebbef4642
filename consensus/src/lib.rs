//! Pyrite's rules: what a valid header, transaction, block and chain is.
//!
//! Everything here is pure. There is no I/O, no clock, no randomness and no async: the caller reads
//! coins and headers first, passes the time in, and gets a verdict or the effects of a block back.

#![warn(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

pub mod block;
pub mod coin;
pub mod coin_stats;
pub mod connect;
mod error;
pub mod header;
pub mod height;
pub mod pow;
mod proposal;
pub mod script;
pub mod spec;
pub mod transaction;

pub use bitcoin;

pub use block::{
    BlockContents, BlockContext, HashedBlock, ProposedBlock, ProposedTransaction, check_block,
    check_block_in_chain,
};
pub use coin::{Coin, CoinView, OutPointMap, OutPointSet};
pub use connect::{BlockEffects, connect_block};
pub use error::{
    AddressError, BlockError, HeaderError, PrivateKeyError, ScriptError, SpecError,
    TransactionError,
};
pub use header::{
    HeaderChain, check_header, check_header_in_chain, earliest_time, median_time_past,
};
pub use height::Height;
pub use proposal::{CheckedPart, PartSpending, PartSums, ProposalCheck, ProposalEffects};
pub use spec::ChainSpec;
