//! Outputs that cost more to spend than they are worth (Bitcoin Core's `GetDustThreshold`).

use pyrite_consensus::bitcoin::opcodes::all::OP_RETURN;
use pyrite_consensus::bitcoin::{Amount, Script, Transaction, TxOut};

use super::output_type::witness_program;
use crate::FeeRate;

/// The longest script that can be executed; a longer output can't be spent.
const MAX_SCRIPT_SIZE: usize = 10_000;

/// Bytes of an input apart from what unlocks it: outpoint, script length, sequence.
const INPUT_BASE_SIZE: u64 = 32 + 4 + 1 + 4;

/// Bytes of a signature and a compressed public key with their lengths.
const UNLOCK_SIZE: u64 = 107;

/// The numbers of the outputs that are worth less than spending them would cost at `rate`.
pub(crate) fn dust_outputs(transaction: &Transaction, rate: FeeRate) -> impl Iterator<Item = u32> {
    let numbered = (0..).zip(&transaction.output);
    numbered
        .filter(move |(_, output)| is_dust(output, rate))
        .map(|(vout, _)| vout)
}

/// Whether `output` is worth less than spending it would cost at `rate`.
fn is_dust(output: &TxOut, rate: FeeRate) -> bool {
    output.value < dust_threshold(output, rate)
}

/// The least value at which `output` is no dust.
pub(super) fn dust_threshold(output: &TxOut, rate: FeeRate) -> Amount {
    if is_unspendable(&output.script_pubkey) {
        return Amount::ZERO;
    }
    let unlock = if witness_program(&output.script_pubkey).is_some() {
        UNLOCK_SIZE / 4
    } else {
        UNLOCK_SIZE
    };
    let output_size = u64::try_from(output.size()).unwrap_or(u64::MAX);
    rate.fee_for(output_size.saturating_add(INPUT_BASE_SIZE + unlock))
}

fn is_unspendable(script: &Script) -> bool {
    script.as_bytes().first() == Some(&OP_RETURN.to_u8()) || script.len() > MAX_SCRIPT_SIZE
}
