//! What this node relays and mines: stricter than consensus, never looser.

mod dust;
mod ephemeral;
mod inputs;
mod output_type;
mod standard;
mod truc;

#[cfg(test)]
mod tests;

pub(crate) use dust::dust_outputs;
pub(crate) use ephemeral::{check_dust_is_spent, check_dust_pays_nothing};
pub(crate) use inputs::{check_inputs_standard, check_witness_standard};
pub(crate) use standard::{
    MAX_STANDARD_SIGOP_COST, adjusted_weight, check_base_size, check_standard,
};
pub(crate) use truc::{Judged, check_truc, check_truc_in_package};
