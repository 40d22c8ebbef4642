//! What this node relays and mines: stricter than consensus, never looser.

mod dust;
mod inputs;
mod output_type;
mod standard;
mod truc;

#[cfg(test)]
mod tests;

pub(crate) use inputs::{check_inputs_standard, check_witness_standard};
pub(crate) use standard::{MAX_STANDARD_SIGOP_COST, check_base_size, check_standard, virtual_size};
pub(crate) use truc::check_truc;
