//! Random spends of every kind of output.

pub(crate) mod content;
pub(crate) mod keys;
pub(crate) mod mutation;
pub(crate) mod pieces;
pub(crate) mod spend;
pub(crate) mod writer;
