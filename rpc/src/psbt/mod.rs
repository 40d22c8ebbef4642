//! Partially signed transactions (BIP-0174, BIP-0371, BIP-0373), as Bitcoin Core works on them. Pure functions.
//!
//! `encoding` reads and writes them, `form` shows one, `unite` merges copies and joins several, `complete`
//! finalizes, `analysis` tells what is missing, `update` adds what descriptors know.

mod analysis;
mod complete;
mod encoding;
mod form;
mod keys_form;
#[cfg(test)]
mod tests;
mod unite;
mod update;

pub(crate) use analysis::analyze;
pub(crate) use complete::{extract, finalize_input, is_signed, may_be_signed};
pub(crate) use encoding::{read_psbt, write_psbt};
pub(crate) use form::psbt_json;
pub(crate) use unite::{join, unite};
pub(crate) use update::{Knowledge, Origins, update_input, update_outputs};
