//! Verifies one input: its script, the script that it spends, P2SH and witness programs (Bitcoin Core's
//! `VerifyScript`).

use bitcoin::hashes::{Hash, hash160, sha256};
use bitcoin::opcodes::all::{
    OP_CHECKSIG, OP_DUP, OP_EQUALVERIFY, OP_HASH160, OP_PUSHBYTES_0, OP_PUSHBYTES_20,
};
use bitcoin::{Opcode, Script, Witness};

use super::checker::{EcdsaVersion, SignatureChecker};
use super::failure::{Outcome, ScriptFailure};
use super::flags::ScriptFlags;
use super::instruction::{Instructions, is_push_only, push_header, small_number};
use super::interpreter::{
    Dialect, MAX_ELEMENT_BYTES, MAX_STACK_ELEMENTS, Tapscript, check_ecdsa, execute, is_op_success,
};
use super::number::is_true;
use super::sighash::{TaprootContext, annex_hash};
use super::stack::{Element, Stack};
use super::taproot::{ANNEX_TAG, ControlBlock, TAPSCRIPT_LEAF_VERSION, leaf_hash};

/// The program of the anchors that anyone can spend, of version 1.
const ANCHOR_PROGRAM: [u8; 2] = [0x4e, 0x73];

/// Verifies that `script_sig` and `witness` may spend an output with `script_pubkey`; `checker` answers
/// for the transaction that does.
///
/// WITNESS is meant to go with P2SH, and CLEANSTACK with both.
///
/// # Errors
/// The first rule that is broken, as Bitcoin Core finds it.
pub fn verify_script(
    script_sig: &Script,
    script_pubkey: &Script,
    witness: &Witness,
    flags: ScriptFlags,
    checker: &dyn SignatureChecker,
) -> Result<(), ScriptFailure> {
    let spend = Spend {
        witness,
        flags,
        checker,
    };
    if let Some(program) = spend.program(script_pubkey.as_bytes())
        && script_sig.is_empty()
    {
        // What follows comes to the same when there is no script to run.
        require_true(program.bytes)?;
        return spend.verify_program(&program, Nesting::Bare);
    }
    spend.verify_scripts(script_sig, script_pubkey)
}

/// A witness program: a version and what it commits to (BIP-0141).
#[derive(Clone, Copy)]
struct Program<'a> {
    version: u8,
    bytes: &'a [u8],
}

/// Where a witness program stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Bare,
    InP2sh,
}

/// What both scripts of an input have in common.
#[derive(Clone, Copy)]
struct Spend<'e> {
    witness: &'e Witness,
    flags: ScriptFlags,
    checker: &'e dyn SignatureChecker,
}

impl<'e> Spend<'e> {
    fn verify_scripts(&self, script_sig: &Script, script_pubkey: &Script) -> Outcome {
        let (script_sig, spent) = (script_sig.as_bytes(), script_pubkey.as_bytes());
        if self.flags.contains(ScriptFlags::SIGPUSHONLY) && !is_push_only(script_sig) {
            return Err(ScriptFailure::SigPushOnly);
        }
        let is_p2sh = self.flags.contains(ScriptFlags::P2SH) && script_pubkey.is_p2sh();

        // One after the other on one stack, not as one script (CVE-2010-5141).
        let mut stack = Stack::new();
        self.run(script_sig, &mut stack)?;
        let pushed = if is_p2sh {
            stack.clone()
        } else {
            Stack::default()
        };
        self.run(spent, &mut stack)?;
        require_result(&stack)?;

        if self.program(spent).is_some() {
            // One without an input script does not come here.
            return Err(ScriptFailure::WitnessMalleated);
        }
        if is_p2sh {
            return self.verify_p2sh(script_sig, pushed);
        }
        self.finish(&stack)
    }

    /// Runs the script that the input pushed last, whose hash the spent output has.
    fn verify_p2sh(&self, script_sig: &[u8], mut pushed: Stack<'_>) -> Outcome {
        if !is_push_only(script_sig) {
            return Err(ScriptFailure::SigPushOnly);
        }
        // The hash was compared with it, so it is there.
        let redeem_script = pushed.pop()?;
        let redeem_script = redeem_script.as_bytes();
        let mut stack = pushed;
        self.run(redeem_script, &mut stack)?;
        require_result(&stack)?;

        let Some(program) = self.program(redeem_script) else {
            return self.finish(&stack);
        };
        if !is_only_push_of(script_sig, redeem_script) {
            return Err(ScriptFailure::WitnessMalleatedP2sh);
        }
        self.verify_program(&program, Nesting::InP2sh)
    }

    /// What is asked at the end when no witness program was spent.
    fn finish(&self, stack: &Stack<'_>) -> Outcome {
        if self.flags.contains(ScriptFlags::CLEANSTACK) && stack.len() != 1 {
            return Err(ScriptFailure::CleanStack);
        }
        if self.flags.contains(ScriptFlags::WITNESS) && !self.witness.is_empty() {
            return Err(ScriptFailure::WitnessUnexpected);
        }
        Ok(())
    }

    fn run<'a>(&self, script: &'a [u8], stack: &mut Stack<'a>) -> Outcome {
        let mut dialect = Dialect::Ecdsa(EcdsaVersion::Legacy);
        execute(script, stack, self.flags, &mut dialect, self.checker)
    }

    /// The witness program that a script is, where witnesses are known.
    fn program<'a>(&self, script: &'a [u8]) -> Option<Program<'a>> {
        if !self.flags.contains(ScriptFlags::WITNESS) || !(4..=42).contains(&script.len()) {
            return None;
        }
        let [version, length, bytes @ ..] = script else {
            return None;
        };
        let version = match Opcode::from(*version) {
            OP_PUSHBYTES_0 => 0,
            opcode => small_number(opcode)?,
        };
        (usize::from(*length) == bytes.len()).then_some(Program { version, bytes })
    }

    fn verify_program(&self, program: &Program<'_>, nesting: Nesting) -> Outcome {
        match (program.version, program.bytes.len(), nesting) {
            (0, 20, _) => self.verify_key_hash(program.bytes),
            (0, 32, _) => self.verify_script_hash(program.bytes),
            (0, ..) => Err(ScriptFailure::WitnessProgramWrongLength),
            (1, 32, Nesting::Bare) => match <&[u8; 32]>::try_from(program.bytes) {
                Ok(key) if self.flags.contains(ScriptFlags::TAPROOT) => self.verify_taproot(key),
                _ => Ok(()),
            },
            (1, 2, Nesting::Bare) if *program.bytes == ANCHOR_PROGRAM => Ok(()),
            _ if self
                .flags
                .contains(ScriptFlags::DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) =>
            {
                Err(ScriptFailure::DiscourageUpgradableWitnessProgram)
            }
            _ => Ok(()),
        }
    }

    /// P2WPKH (BIP-0141): what running `OP_DUP OP_HASH160 <hash> OP_EQUALVERIFY OP_CHECKSIG` comes to.
    fn verify_key_hash(&self, key_hash: &[u8]) -> Outcome {
        let (Some(signature), Some(key), 2) =
            (self.witness.nth(0), self.witness.nth(1), self.witness.len())
        else {
            return Err(ScriptFailure::WitnessProgramMismatch);
        };
        if signature.len() > MAX_ELEMENT_BYTES || key.len() > MAX_ELEMENT_BYTES {
            return Err(ScriptFailure::PushSize);
        }
        if hash160::Hash::hash(key).as_byte_array()[..] != *key_hash {
            return Err(ScriptFailure::EqualVerify);
        }
        let mut script_code = [0; 25];
        script_code[0] = OP_DUP.to_u8();
        script_code[1] = OP_HASH160.to_u8();
        script_code[2] = OP_PUSHBYTES_20.to_u8();
        script_code[3..23].copy_from_slice(key_hash);
        script_code[23] = OP_EQUALVERIFY.to_u8();
        script_code[24] = OP_CHECKSIG.to_u8();
        let version = EcdsaVersion::WitnessV0;
        if check_ecdsa(
            signature,
            key,
            &script_code,
            version,
            self.flags,
            self.checker,
        )? {
            Ok(())
        } else {
            Err(ScriptFailure::EvalFalse)
        }
    }

    /// P2WSH (BIP-0141).
    fn verify_script_hash(&self, script_hash: &[u8]) -> Outcome {
        let Some(script) = self.witness.last() else {
            return Err(ScriptFailure::WitnessProgramWitnessEmpty);
        };
        if sha256::Hash::hash(script).as_byte_array()[..] != *script_hash {
            return Err(ScriptFailure::WitnessProgramMismatch);
        }
        let mut dialect = Dialect::Ecdsa(EcdsaVersion::WitnessV0);
        self.run_witness_script(script, self.witness.len() - 1, &mut dialect)
    }

    /// Runs a script on the first `arguments` elements of the witness.
    fn run_witness_script(
        &self,
        script: &[u8],
        arguments: usize,
        dialect: &mut Dialect,
    ) -> Outcome {
        let arguments = || self.witness.iter().take(arguments);
        if arguments().any(|element| element.len() > MAX_ELEMENT_BYTES) {
            return Err(ScriptFailure::PushSize);
        }
        let mut stack: Stack<'_> = arguments().collect();
        execute(script, &mut stack, self.flags, dialect, self.checker)?;
        if stack.len() != 1 {
            return Err(ScriptFailure::CleanStack);
        }
        require_result(&stack)
    }

    /// BIP-0341.
    fn verify_taproot(&self, output_key: &[u8; 32]) -> Outcome {
        let Some(last) = self.witness.last() else {
            return Err(ScriptFailure::WitnessProgramWitnessEmpty);
        };
        let has_annex = self.witness.len() >= 2 && last.first() == Some(&ANNEX_TAG);
        let annex_hash = has_annex.then(|| annex_hash(last));
        match self.witness.len() - usize::from(has_annex) {
            1 => {
                let context = TaprootContext::new(annex_hash, None);
                let signature = &self.witness[0];
                self.checker.check_schnorr(signature, output_key, &context)
            }
            elements => self.verify_script_path(output_key, elements, annex_hash),
        }
    }

    /// The script path: `elements` of the witness are arguments, the script and its control block.
    fn verify_script_path(
        &self,
        output_key: &[u8; 32],
        elements: usize,
        annex_hash: Option<[u8; 32]>,
    ) -> Outcome {
        let (script, control) = (&self.witness[elements - 2], &self.witness[elements - 1]);
        let control = ControlBlock::new(control)?;
        let leaf_hash = leaf_hash(control.leaf_version(), script);
        if !control.is_committed(output_key, &leaf_hash) {
            return Err(ScriptFailure::WitnessProgramMismatch);
        }
        if control.leaf_version() == TAPSCRIPT_LEAF_VERSION {
            let tapscript = Tapscript::new(annex_hash, leaf_hash, self.witness.size());
            return self.run_tapscript(script, elements - 2, tapscript);
        }
        let discouraged = ScriptFlags::DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;
        if self.flags.contains(discouraged) {
            return Err(ScriptFailure::DiscourageUpgradableTaprootVersion);
        }
        Ok(())
    }

    /// BIP-0342.
    fn run_tapscript(&self, script: &[u8], arguments: usize, tapscript: Tapscript) -> Outcome {
        // An `OP_SUCCESS` overrides all that follows, limits too.
        for instruction in Instructions::new(script) {
            let instruction = instruction.map_err(|_| ScriptFailure::BadOpcode)?;
            if is_op_success(instruction.opcode) {
                return if self.flags.contains(ScriptFlags::DISCOURAGE_OP_SUCCESS) {
                    Err(ScriptFailure::DiscourageOpSuccess)
                } else {
                    Ok(())
                };
            }
        }
        if arguments > MAX_STACK_ELEMENTS {
            return Err(ScriptFailure::StackSize);
        }
        self.run_witness_script(script, arguments, &mut Dialect::Tapscript(tapscript))
    }
}

/// The result of a script is its top element.
fn require_result(stack: &Stack<'_>) -> Outcome {
    let result = stack.peek(0).map_err(|_| ScriptFailure::EvalFalse)?;
    require_true(Element::as_bytes(&result))
}

fn require_true(result: &[u8]) -> Outcome {
    if is_true(result) {
        Ok(())
    } else {
        Err(ScriptFailure::EvalFalse)
    }
}

/// Whether a script is the push of these bytes and nothing else.
fn is_only_push_of(script: &[u8], bytes: &[u8]) -> bool {
    script.strip_prefix(push_header(bytes.len()).as_bytes()) == Some(bytes)
}

#[cfg(test)]
mod tests;
