//! Random spends of every kind of output, verified by two engines.
//!
//! Two programs share it: the test of `script_differential.rs`, and the longer run of `consensus/kernel`.

pub(crate) mod content;
pub(crate) mod feature;
pub(crate) mod flag_sets;
pub(crate) mod keys;
pub(crate) mod mutation;
pub(crate) mod opcodes;
pub(crate) mod path;
pub(crate) mod pieces;
pub(crate) mod run;
pub(crate) mod spend;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod verdicts;
pub(crate) mod writer;
