//! What `scantxoutset` looks for: the output scripts of descriptors (BIP-0380 and those after it).
//!
//! `object` reads what the caller names, `checksum` takes a descriptor's checksum off, `expand` makes its
//! scripts, with `derive` for the keys and `name` for what each script is called in the answer. `describe` says what a descriptor is.

mod checksum;
mod derive;
mod describe;
mod expand;
#[cfg(test)]
mod fuzz;
mod name;
mod object;
mod output;
mod paths;
mod solve;
#[cfg(test)]
mod tests;

pub(crate) use checksum::require_checksum;
pub(crate) use describe::{describe, is_combo, outputs_of_paths};
pub(crate) use object::{check_total, read_range, read_scan_object};
pub(crate) use output::read_output;
pub(crate) use solve::{Solutions, solve};

/// A script to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    /// The script.
    pub(crate) script: pyrite_consensus::bitcoin::ScriptBuf,
    /// The descriptor of this script alone, with its checksum.
    pub(crate) descriptor: String,
}
