//! Making of signatures, keys and scripts what unlocks an output (Bitcoin Core's `ProduceSignature`).

use pyrite_consensus::bitcoin::hashes::{Hash, hash160};
use pyrite_consensus::bitcoin::script::{Builder, PushBytesBuf};
use pyrite_consensus::bitcoin::{Psbt, PublicKey, Script, ScriptBuf, Witness};

use super::by_miniscript::by_miniscript;
use super::spending::Spending;
use super::spent_output;
use crate::json::{OutputKind, output_kind};

/// What unlocks an output, as far as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assembly {
    /// The input script.
    pub(crate) script_sig: ScriptBuf,
    /// The witness.
    pub(crate) witness: Witness,
    /// Whether nothing is missing. Whether it is valid is another matter ([`Spending::verify`]).
    pub(crate) is_solved: bool,
    /// What is missing.
    pub(crate) missing: Missing,
}

/// What an input lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Hashes of keys that are not known.
    pub(crate) keys: Vec<[u8; 20]>,
    /// Hashes of keys that have not signed.
    pub(crate) signatures: Vec<[u8; 20]>,
    /// The hash of a redeem script.
    pub(crate) redeem_script: Option<[u8; 20]>,
    /// The hash of a witness script.
    pub(crate) witness_script: Option<[u8; 32]>,
}

/// What unlocks the output that an input spends.
pub(crate) fn assemble(psbt: &Psbt, index: usize) -> Assembly {
    assemble_from(psbt, index, Signatures::Given)
}

/// Something as long as what unlocks the output that an input spends, whether it is signed or not.
pub(crate) fn assemble_with_dummies(psbt: &Psbt, index: usize) -> Assembly {
    assemble_from(psbt, index, Signatures::Dummies)
}

fn assemble_from(psbt: &Psbt, index: usize, signatures: Signatures) -> Assembly {
    let Some(output) = spent_output(psbt, index) else {
        return Assembly::default();
    };
    let mut assembler = Assembler {
        psbt,
        index,
        signatures,
        missing: Missing::default(),
    };
    let unlocked = assembler.unlock(&output.script_pubkey);
    let mut assembly = Assembly {
        script_sig: script_of(&unlocked.script_sig),
        witness: Witness::from_slice(&unlocked.witness),
        is_solved: unlocked.is_solved,
        missing: assembler.missing,
    };
    if !assembly.is_solved
        && let Some((script_sig, witness)) = by_miniscript(psbt, index, &output.script_pubkey)
    {
        assembly.script_sig = script_of(&script_sig);
        assembly.witness = Witness::from_slice(&witness);
        assembly.is_solved = true;
    }
    assembly
}

impl Assembly {
    /// Whether it unlocks the output of that input.
    pub(crate) fn is_valid(&self, spending: &Spending, index: usize) -> bool {
        self.is_solved
            && spending
                .verify(index, &self.script_sig, &self.witness)
                .is_ok()
    }
}

/// The elements of an input script and of a witness.
#[derive(Default)]
struct Unlocked {
    script_sig: Vec<Vec<u8>>,
    witness: Vec<Vec<u8>>,
    is_solved: bool,
}

/// Which signatures are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signatures {
    /// Those that are there.
    Given,
    /// Zeros, as long as signatures are.
    Dummies,
}

/// Bytes of an ECDSA signature, as Bitcoin Core's dummy has them.
const DUMMY_BYTES: usize = 71;

/// Bytes of a Schnorr signature.
const SCHNORR_BYTES: usize = 64;

struct Assembler<'a> {
    psbt: &'a Psbt,
    index: usize,
    signatures: Signatures,
    missing: Missing,
}

impl Assembler<'_> {
    fn unlock(&mut self, output: &Script) -> Unlocked {
        let input = &self.psbt.inputs[self.index];
        match output_kind(output) {
            OutputKind::ScriptHash => {
                let redeem = input
                    .redeem_script
                    .clone()
                    .filter(|redeem| redeem.to_p2sh().as_script() == output);
                let Some(redeem) = redeem else {
                    self.missing.redeem_script = output.as_bytes()[2..22].try_into().ok();
                    return Unlocked::default();
                };
                let mut unlocked = if redeem.is_p2sh() {
                    Unlocked::default()
                } else if redeem.is_witness_program() {
                    self.unlock_witness(&redeem)
                } else {
                    let (script_sig, is_solved) = self.stack(&redeem);
                    Unlocked {
                        script_sig,
                        is_solved,
                        ..Unlocked::default()
                    }
                };
                unlocked.script_sig.push(redeem.into_bytes());
                unlocked
            }
            OutputKind::Taproot(_) => {
                let signature = match self.signatures {
                    Signatures::Given => input.tap_key_sig.map(|signature| signature.to_vec()),
                    Signatures::Dummies => Some(vec![0; SCHNORR_BYTES]),
                };
                Unlocked {
                    is_solved: signature.is_some(),
                    witness: signature.into_iter().collect(),
                    ..Unlocked::default()
                }
            }
            _ if output.is_witness_program() => self.unlock_witness(output),
            _ => {
                let (script_sig, is_solved) = self.stack(output);
                Unlocked {
                    script_sig,
                    is_solved,
                    ..Unlocked::default()
                }
            }
        }
    }

    fn unlock_witness(&mut self, program: &Script) -> Unlocked {
        let (witness, is_solved) = match output_kind(program) {
            OutputKind::WitnessKeyHash => self.key_hash_stack(&program.as_bytes()[2..]),
            OutputKind::WitnessScriptHash => {
                let script = self.psbt.inputs[self.index]
                    .witness_script
                    .clone()
                    .filter(|script| script.to_p2wsh().as_script() == program);
                match script {
                    Some(script) => {
                        let (mut stack, is_solved) = self.stack(&script);
                        stack.push(script.into_bytes());
                        (stack, is_solved)
                    }
                    None => {
                        self.missing.witness_script = program.as_bytes()[2..].try_into().ok();
                        (Vec::new(), false)
                    }
                }
            }
            _ => (Vec::new(), false),
        };
        Unlocked {
            witness,
            is_solved,
            ..Unlocked::default()
        }
    }

    /// What goes on the stack before a script, and whether all of it is there.
    fn stack(&mut self, script: &Script) -> (Vec<Vec<u8>>, bool) {
        match output_kind(script) {
            OutputKind::PublicKey(key) => match PublicKey::from_slice(key) {
                Ok(key) => match self.signature(&key) {
                    Some(signature) => (vec![signature], true),
                    None => (Vec::new(), false),
                },
                Err(_) => (Vec::new(), false),
            },
            OutputKind::PublicKeyHash => self.key_hash_stack(&script.as_bytes()[3..23]),
            OutputKind::Multisig { required, keys } => {
                // `OP_CHECKMULTISIG` takes one element more than it needs.
                let mut stack = vec![Vec::new()];
                for key in keys {
                    let signature = PublicKey::from_slice(key)
                        .ok()
                        .and_then(|key| self.signature(&key));
                    if stack.len() <= required {
                        stack.extend(signature);
                    }
                }
                let is_solved = stack.len() == required + 1;
                stack.resize(required + 1, Vec::new());
                (stack, is_solved)
            }
            _ => (Vec::new(), false),
        }
    }

    fn key_hash_stack(&mut self, hash: &[u8]) -> (Vec<Vec<u8>>, bool) {
        let input = &self.psbt.inputs[self.index];
        let derived = input.bip32_derivation.keys().copied().map(PublicKey::new);
        let key = input
            .partial_sigs
            .keys()
            .copied()
            .chain(derived)
            .find(|key| hash160::Hash::hash(&key.to_bytes()).as_byte_array() == hash);
        let Some(key) = key else {
            self.missing.keys.extend(<[u8; 20]>::try_from(hash));
            return (Vec::new(), false);
        };
        match self.signature(&key) {
            Some(signature) => (vec![signature, key.to_bytes()], true),
            None => (Vec::new(), false),
        }
    }

    fn signature(&mut self, key: &PublicKey) -> Option<Vec<u8>> {
        if self.signatures == Signatures::Dummies {
            return Some(vec![0; DUMMY_BYTES]);
        }
        let signature = self.psbt.inputs[self.index].partial_sigs.get(key);
        if signature.is_none() {
            let hash = hash160::Hash::hash(&key.to_bytes());
            self.missing.signatures.push(hash.to_byte_array());
        }
        signature.map(|signature| signature.to_vec())
    }
}

/// A script that pushes these elements, in Bitcoin Core's form (`PushAll`).
fn script_of(elements: &[Vec<u8>]) -> ScriptBuf {
    elements
        .iter()
        .fold(Builder::new(), |builder, element| {
            match element.as_slice() {
                [] => builder.push_int(0),
                [number @ 1..=16] => builder.push_int(i64::from(*number)),
                [0x81] => builder.push_int(-1),
                element => match PushBytesBuf::try_from(element.to_vec()) {
                    Ok(bytes) => builder.push_slice(bytes),
                    Err(_) => builder,
                },
            }
        })
        .into_script()
}
