//! Standardness of a transaction by itself (Bitcoin Core's `IsStandardTx`).

use pyrite_consensus::bitcoin::Transaction;

use super::dust::dust_outputs;
use super::output_type::{OutputType, output_type};
use crate::{MempoolConfig, NonStandard};

/// The highest sigop cost of a standard transaction: a fifth of a block's.
pub(crate) const MAX_STANDARD_SIGOP_COST: u64 = 16_000;

/// The highest version of a standard transaction.
const MAX_STANDARD_VERSION: i32 = 3;

/// The greatest weight of a standard transaction.
const MAX_STANDARD_WEIGHT: u64 = 400_000;

/// The least size without witness: an inner node of a merkle tree has 64 bytes.
const MIN_BASE_SIZE: usize = 65;

/// The longest input script: it fits 15 of 15 P2SH multisig.
const MAX_SCRIPT_SIG_SIZE: usize = 1_650;

/// The most keys of a standard bare multisig output.
const MAX_BARE_MULTISIG_KEYS: u8 = 3;

/// The most outputs of a standard transaction that are not worth spending.
const MAX_DUST_OUTPUTS: usize = 1;

/// Weight units of a transaction, a minimum for each sigop (Bitcoin Core's `GetSigOpsAdjustedWeight`).
pub(crate) fn adjusted_weight(weight: u64, sigop_cost: u64, bytes_per_sigop: u64) -> u64 {
    weight.max(sigop_cost.saturating_mul(bytes_per_sigop))
}

/// Checks that a transaction by itself is of a form that this node relays.
pub(crate) fn check_standard(
    transaction: &Transaction,
    config: &MempoolConfig,
) -> Result<(), NonStandard> {
    check_version(transaction)?;
    check_weight(transaction)?;
    check_input_scripts(transaction)?;
    check_outputs(transaction, config)
}

/// Checks that a transaction is not so small that it could pass for an inner node of a merkle tree
/// (CVE-2017-12842). This holds also where transactions need not be standard.
pub(crate) fn check_base_size(transaction: &Transaction) -> Result<(), NonStandard> {
    let standard = transaction.base_size() >= MIN_BASE_SIZE;
    standard.then_some(()).ok_or(NonStandard::TooSmall)
}

fn check_version(transaction: &Transaction) -> Result<(), NonStandard> {
    let standard = (1..=MAX_STANDARD_VERSION).contains(&transaction.version.0);
    standard.then_some(()).ok_or(NonStandard::Version)
}

fn check_weight(transaction: &Transaction) -> Result<(), NonStandard> {
    let standard = transaction.weight().to_wu() <= MAX_STANDARD_WEIGHT;
    standard.then_some(()).ok_or(NonStandard::Weight)
}

fn check_input_scripts(transaction: &Transaction) -> Result<(), NonStandard> {
    for input in &transaction.input {
        if input.script_sig.len() > MAX_SCRIPT_SIG_SIZE {
            return Err(NonStandard::ScriptSigSize);
        }
        if !input.script_sig.is_push_only() {
            return Err(NonStandard::ScriptSigNotPushOnly);
        }
    }
    Ok(())
}

fn check_outputs(transaction: &Transaction, config: &MempoolConfig) -> Result<(), NonStandard> {
    let mut data_left = config.max_data_carrier_bytes;
    for output in &transaction.output {
        match output_type(&output.script_pubkey) {
            OutputType::NonStandard => return Err(NonStandard::ScriptPubkey),
            OutputType::Multisig { keys, .. } if keys > MAX_BARE_MULTISIG_KEYS => {
                return Err(NonStandard::ScriptPubkey);
            }
            OutputType::Multisig { .. } if !config.permit_bare_multisig => {
                return Err(NonStandard::BareMultisig);
            }
            OutputType::Data => {
                data_left = data_left
                    .checked_sub(output.script_pubkey.len())
                    .ok_or(NonStandard::DataCarrier)?;
            }
            _ => {}
        }
    }
    if dust_outputs(transaction, config.dust_relay_fee).count() > MAX_DUST_OUTPUTS {
        return Err(NonStandard::Dust);
    }
    Ok(())
}
