//! Every reply parses with the types of `corepc-types`, which know the fields that a reply may have.

mod blockchain;
mod network;
mod rawtransactions;
mod report;
pub(crate) use table::EVERY_INDEX;

mod table;
mod wallet;
