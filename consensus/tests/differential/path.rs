//! Which way a case is verified when every rule applies. It is read from what the engines are given and not
//! from what the generator meant, because a mutation may have made another spend of it.

use pyrite_consensus::bitcoin::script::Instruction;
use pyrite_consensus::bitcoin::taproot::{LeafScript, LeafVersion};
use pyrite_consensus::bitcoin::{Script, Witness, WitnessVersion};

use super::content::Dialect;
use super::feature::Feature;
use super::spend::Case;
use super::writer::{SUCCESS_OPCODES, op};

/// What is special about the way, and the script at its end.
#[derive(Default)]
pub(crate) struct Path<'c> {
    pub(crate) features: Vec<Feature>,
    /// The script that decides, with the rules that are its own; none where there is only a signature or an
    /// unknown rule.
    pub(crate) script: Option<(Dialect, &'c Script)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Bare,
    InP2sh,
}

impl<'c> Path<'c> {
    pub(crate) fn of(case: &'c Case) -> Self {
        let mut path = Self::default();
        let (spent, input) = (case.spent_script(), case.own_input());
        if spent.is_p2sh() {
            path.redeem(&input.script_sig, &input.witness);
        } else if spent.is_witness_program() {
            path.program(spent, &input.witness, Nesting::Bare);
        } else {
            path.end(Feature::BareScript, Dialect::Legacy, spent);
        }
        path
    }

    fn end(&mut self, feature: Feature, dialect: Dialect, script: &'c Script) {
        self.features.push(feature);
        self.script = Some((dialect, script));
    }

    fn redeem(&mut self, script_sig: &'c Script, witness: &'c Witness) {
        let Some(Ok(Instruction::PushBytes(redeem))) = script_sig.instructions().last() else {
            return;
        };
        let redeem = Script::from_bytes(redeem.as_bytes());
        if redeem.is_witness_program() {
            self.program(redeem, witness, Nesting::InP2sh);
        } else {
            self.end(Feature::ScriptHash, Dialect::Legacy, redeem);
        }
    }

    fn program(&mut self, program: &'c Script, witness: &'c Witness, nesting: Nesting) {
        let in_p2sh = nesting == Nesting::InP2sh;
        let feature = match program.witness_version() {
            Some(WitnessVersion::V0) if program.is_p2wsh() => {
                let script = witness.witness_script();
                self.script = script.map(|script| (Dialect::WitnessV0, script));
                if in_p2sh {
                    Feature::WitnessScriptInP2sh
                } else {
                    Feature::WitnessScript
                }
            }
            Some(WitnessVersion::V0) if program.is_p2wpkh() && in_p2sh => Feature::WitnessKeyInP2sh,
            Some(WitnessVersion::V0) if program.is_p2wpkh() => Feature::WitnessKey,
            Some(WitnessVersion::V0) => Feature::WitnessV0OfOtherLength,
            Some(WitnessVersion::V1) if in_p2sh => Feature::WitnessV1InP2sh,
            Some(WitnessVersion::V1) if program.is_p2tr() => return self.taproot(witness),
            Some(WitnessVersion::V1) if program.as_bytes()[2..] == *b"Ns" => Feature::Anchor,
            Some(WitnessVersion::V1) => Feature::WitnessV1OfOtherLength,
            _ => Feature::UnknownWitnessVersion,
        };
        self.features.push(feature);
    }

    fn taproot(&mut self, witness: &'c Witness) {
        let has_annex = witness.taproot_annex().is_some();
        if let (Some(leaf), Some(control)) = (
            witness.taproot_leaf_script(),
            witness.taproot_control_block(),
        ) {
            if has_annex {
                self.features.push(Feature::ScriptPathWithAnnex);
            }
            return self.script_path(leaf, control);
        }
        let Some(signature) = witness.nth(0) else {
            return;
        };
        self.features.push(match signature.len() {
            64 => Feature::KeyPath,
            _ => Feature::KeyPathWithHashType,
        });
        if has_annex {
            self.features.push(Feature::KeyPathWithAnnex);
        }
    }

    fn script_path(&mut self, leaf: LeafScript<&'c Script>, control: &[u8]) {
        let depth = control.len().saturating_sub(33) / 32;
        self.features.extend(match depth {
            0 => Some(Feature::LeafAlone),
            1 => Some(Feature::LeafAtDepthOne),
            2..=127 => Some(Feature::LeafDeeper),
            128 => Some(Feature::LeafAtDeepest),
            _ => Some(Feature::LeafTooDeep),
        });
        if leaf.version != LeafVersion::TapScript {
            self.features.push(Feature::UnknownLeafVersion);
            return;
        }
        self.script = Some((Dialect::Tapscript, leaf.script));
        self.tapscript(leaf.script);
    }

    fn tapscript(&mut self, script: &Script) {
        let mut checks = 0;
        let mut pushed = None;
        for instruction in script.instructions().map_while(Result::ok) {
            let opcode = match instruction {
                Instruction::PushBytes(bytes) => {
                    pushed = Some(bytes.len());
                    continue;
                }
                Instruction::Op(opcode) => opcode.to_u8(),
            };
            if SUCCESS_OPCODES.contains(&opcode) {
                // Nothing else in the script matters.
                self.features.push(Feature::OpSuccess);
                return;
            }
            if matches!(opcode, op::CHECKSIG | op::CHECKSIGVERIFY | op::CHECKSIGADD) {
                checks += 1;
                self.features.extend(match pushed {
                    Some(32) | None => None,
                    Some(0) => Some(Feature::EmptyKey),
                    Some(_) => Some(Feature::UnknownKeyType),
                });
            }
            if opcode == op::CHECKSIGADD {
                self.features.push(Feature::CheckSigAdd);
            }
            pushed = None;
        }
        if checks >= 4 {
            self.features.push(Feature::ManySignatureChecks);
        }
        self.features.sort_unstable();
        self.features.dedup();
    }
}
