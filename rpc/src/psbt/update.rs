//! Adding to a PSBT what descriptors know of its outputs and of those that it spends.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::{Psbt, Script, ScriptBuf};
use pyrite_wallet::miniscript::Descriptor;
use pyrite_wallet::miniscript::descriptor::{DefiniteDescriptorKey, ShInner};
use pyrite_wallet::miniscript::psbt::{PsbtInputExt, PsbtOutputExt};

use super::complete::{is_signed, is_unlocked_by_witness, witness_output};
use crate::scan::Solutions;
use crate::signing::{Keyring, spent_output};

/// What descriptors know.
pub(crate) struct Knowledge {
    outputs: HashMap<ScriptBuf, Descriptor<DefiniteDescriptorKey>>,
    /// Their private keys.
    pub(crate) keys: Keyring,
    origins: Origins,
}

/// Whether a PSBT is told where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origins {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

impl Knowledge {
    /// Whether a witness unlocks an output, as far as the descriptors know.
    pub(crate) fn is_unlocked_by_witness(&self, output: &Script) -> bool {
        let redeem = match self.outputs.get(output) {
            Some(Descriptor::Sh(sh)) => match sh.as_inner() {
                ShInner::Wsh(wsh) => Some(wsh.script_pubkey()),
                ShInner::Wpkh(wpkh) => Some(wpkh.script_pubkey()),
                _ => None,
            },
            _ => None,
        };
        is_unlocked_by_witness(output, redeem.as_deref())
    }

    /// What these descriptors know.
    pub(crate) fn new(solutions: Solutions, origins: Origins) -> Self {
        Self {
            outputs: solutions.outputs.into_iter().collect(),
            keys: Keyring::new(solutions.keys),
            origins,
        }
    }
}

/// Adds what is known of the output that an input spends; nothing where what is said of the output may not be believed.
pub(crate) fn update_input(psbt: &mut Psbt, index: usize, knowledge: &Knowledge) {
    if is_signed(&psbt.inputs[index]) {
        return;
    }
    let unchecked =
        (psbt.inputs[index].non_witness_utxo.is_none()).then(|| psbt.inputs[index].clone());
    let descriptor =
        spent_output(psbt, index).and_then(|output| knowledge.outputs.get(&output.script_pubkey));
    if let Some(descriptor) = descriptor {
        let input = &mut psbt.inputs[index];
        let before = (
            input.bip32_derivation.clone(),
            input.tap_key_origins.clone(),
        );
        // A descriptor of whose keys some can't be derived tells nothing.
        let _ = input.update_with_descriptor_unchecked(descriptor);
        if knowledge.origins == Origins::Hidden {
            (input.bip32_derivation, input.tap_key_origins) = before;
        }
    }
    if let Some(output) = witness_output(psbt, index) {
        psbt.inputs[index].witness_utxo = Some(output);
    } else if let Some(unchecked) = unchecked {
        psbt.inputs[index] = unchecked;
    }
}

/// Adds what is known of the outputs.
pub(crate) fn update_outputs(psbt: &mut Psbt, knowledge: &Knowledge) {
    for (output, known) in psbt.unsigned_tx.output.iter().zip(&mut psbt.outputs) {
        let Some(descriptor) = knowledge.outputs.get(&output.script_pubkey) else {
            continue;
        };
        let before = (
            known.bip32_derivation.clone(),
            known.tap_key_origins.clone(),
        );
        let _ = known.update_with_descriptor_unchecked(descriptor);
        if knowledge.origins == Origins::Hidden {
            (known.bip32_derivation, known.tap_key_origins) = before;
        }
    }
}
