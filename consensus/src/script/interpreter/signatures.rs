//! Opcodes that check signatures.

use std::borrow::Cow;

use bitcoin::Opcode;
use bitcoin::opcodes::all::{OP_CHECKMULTISIGVERIFY, OP_CHECKSIGVERIFY};

use super::super::checker::{EcdsaVersion, SignatureChecker};
use super::super::encoding::{check_key_encoding, check_signature_encoding};
use super::super::failure::{Outcome, ScriptFailure};
use super::super::find_and_delete::find_and_delete;
use super::super::flags::ScriptFlags;
use super::super::stack::Element;
use super::execution::{Dialect, Execution, Tapscript};

/// The most keys of a multisig.
const MAX_MULTISIG_KEYS: i64 = 20;

/// What each signature that is not empty takes from a tapscript's budget.
const VALIDATION_WEIGHT_PER_SIGNATURE: i64 = 50;

impl Execution<'_, '_> {
    /// `(signature key -- bool)`
    pub(super) fn check_sig(&mut self, opcode: Opcode) -> Outcome {
        let (signature, key) = (self.stack.peek(1)?, self.stack.peek(0)?);
        let is_valid = self.check_signature(signature.as_bytes(), key.as_bytes())?;
        self.stack.drop_top(2)?;
        self.stack.push(Element::truth(is_valid));
        if opcode == OP_CHECKSIGVERIFY {
            self.verify(ScriptFailure::CheckSigVerify)?;
        }
        Ok(())
    }

    /// `(signature number key -- number)`
    pub(super) fn check_sig_add(&mut self) -> Outcome {
        if matches!(self.dialect, Dialect::Ecdsa(_)) {
            return Err(ScriptFailure::BadOpcode);
        }
        let (signature, number, key) = (
            self.stack.peek(2)?,
            self.stack.peek(1)?.to_number(self.flags)?,
            self.stack.peek(0)?,
        );
        let is_valid = self.check_signature(signature.as_bytes(), key.as_bytes())?;
        self.stack.drop_top(3)?;
        let sum = number + i64::from(is_valid);
        self.stack.push(Element::number(sum));
        Ok(())
    }

    fn check_signature(&mut self, signature: &[u8], key: &[u8]) -> Outcome<bool> {
        let script_code = &self.script[self.code_start..];
        match self.dialect {
            Dialect::Ecdsa(version) => check_ecdsa(
                signature,
                key,
                script_code,
                *version,
                self.flags,
                self.checker,
            ),
            Dialect::Tapscript(tapscript) => {
                check_tapscript(signature, key, tapscript, self.flags, self.checker)
            }
        }
    }

    /// `(dummy signature… count key… count -- bool)`
    pub(super) fn check_multisig(&mut self, opcode: Opcode) -> Outcome {
        let Dialect::Ecdsa(version) = *self.dialect else {
            return Err(ScriptFailure::TapscriptCheckMultisig);
        };
        let multisig = self.read_multisig()?;
        let is_valid = self.verify_multisig(&multisig, version)?;
        if !is_valid && self.flags.contains(ScriptFlags::NULLFAIL) {
            for depth in multisig.signatures() {
                if !self.stack.peek(depth)?.as_bytes().is_empty() {
                    return Err(ScriptFailure::NullFail);
                }
            }
        }
        // One element more than is needed is taken, by an old bug that is a rule.
        let dummy = self.stack.peek(multisig.dummy())?;
        if self.flags.contains(ScriptFlags::NULLDUMMY) && !dummy.as_bytes().is_empty() {
            return Err(ScriptFailure::SigNullDummy);
        }
        self.stack.drop_top(multisig.dummy() + 1)?;
        self.stack.push(Element::truth(is_valid));
        if opcode == OP_CHECKMULTISIGVERIFY {
            self.verify(ScriptFailure::CheckMultisigVerify)?;
        }
        Ok(())
    }

    /// Finds the operands, and sees that all of them are there.
    fn read_multisig(&mut self) -> Outcome<Multisig> {
        let keys = self.stack.peek(0)?.to_number(self.flags)?;
        let Some(key_count) = count(keys, MAX_MULTISIG_KEYS) else {
            return Err(ScriptFailure::PubkeyCount);
        };
        self.add_ops(key_count)?;
        let signatures = self.stack.peek(key_count + 1)?.to_number(self.flags)?;
        let Some(signature_count) = count(signatures, keys) else {
            return Err(ScriptFailure::SigCount);
        };
        let multisig = Multisig {
            key_count,
            signature_count,
        };
        self.stack.require(multisig.dummy() + 1)?;
        Ok(multisig)
    }

    /// Whether each signature is valid for a key, both in the same order.
    fn verify_multisig(&self, multisig: &Multisig, version: EcdsaVersion) -> Outcome<bool> {
        let mut script_code = Cow::Borrowed(&self.script[self.code_start..]);
        if version == EcdsaVersion::Legacy {
            for depth in multisig.signatures() {
                let signature = self.stack.peek(depth)?;
                script_code = without_signature(script_code, signature.as_bytes(), self.flags)?;
            }
        }
        let (mut keys, mut signatures) = (multisig.keys(), multisig.signatures());
        while let Some(signature_depth) = signatures.clone().next() {
            // More signatures than keys are left: some has no key.
            if signatures.len() > keys.len() {
                return Ok(false);
            }
            let Some(key_depth) = keys.next() else {
                return Ok(false);
            };
            let (signature, key) = (
                self.stack.peek(signature_depth)?,
                self.stack.peek(key_depth)?,
            );
            let (signature, key) = (signature.as_bytes(), key.as_bytes());
            check_signature_encoding(signature, self.flags)?;
            check_key_encoding(key, version, self.flags)?;
            if self
                .checker
                .check_ecdsa(signature, key, &script_code, version)
            {
                signatures.next();
            }
        }
        Ok(true)
    }
}

/// Where a multisig's operands are.
struct Multisig {
    key_count: usize,
    signature_count: usize,
}

impl Multisig {
    /// The depths of the keys, in the order in which they are tried.
    fn keys(&self) -> std::ops::Range<usize> {
        1..self.key_count + 1
    }

    /// The depths of the signatures, in the order in which they are tried.
    fn signatures(&self) -> std::ops::Range<usize> {
        let first = self.key_count + 2;
        first..first + self.signature_count
    }

    /// The depth of the element that is taken for nothing.
    fn dummy(&self) -> usize {
        self.signatures().end
    }
}

/// A count from zero to `most`.
fn count(number: i64, most: i64) -> Option<usize> {
    (0..=most)
        .contains(&number)
        .then(|| usize::try_from(number).ok())
        .flatten()
}

/// Checks a signature of a script of no witness, or of witness version 0 (Bitcoin Core's
/// `EvalChecksigPreTapscript`).
pub(crate) fn check_ecdsa(
    signature: &[u8],
    key: &[u8],
    script_code: &[u8],
    version: EcdsaVersion,
    flags: ScriptFlags,
    checker: &dyn SignatureChecker,
) -> Outcome<bool> {
    let mut script_code = Cow::Borrowed(script_code);
    if version == EcdsaVersion::Legacy {
        script_code = without_signature(script_code, signature, flags)?;
    }
    check_signature_encoding(signature, flags)?;
    check_key_encoding(key, version, flags)?;
    let is_valid = checker.check_ecdsa(signature, key, &script_code, version);
    if !is_valid && flags.contains(ScriptFlags::NULLFAIL) && !signature.is_empty() {
        return Err(ScriptFailure::NullFail);
    }
    Ok(is_valid)
}

/// The script without a signature, which can't sign itself.
fn without_signature<'s>(
    script_code: Cow<'s, [u8]>,
    signature: &[u8],
    flags: ScriptFlags,
) -> Outcome<Cow<'s, [u8]>> {
    let deleted = match &script_code {
        Cow::Borrowed(bytes) => find_and_delete(bytes, signature),
        Cow::Owned(bytes) => match find_and_delete(bytes, signature) {
            Cow::Borrowed(_) => return Ok(script_code),
            Cow::Owned(deleted) => Cow::Owned(deleted),
        },
    };
    if matches!(deleted, Cow::Owned(_)) && flags.contains(ScriptFlags::CONST_SCRIPTCODE) {
        return Err(ScriptFailure::SigFindAndDelete);
    }
    Ok(deleted)
}

/// Checks a signature of a tapscript (BIP-0342). An empty one is not valid, any other that is not valid
/// fails the script.
fn check_tapscript(
    signature: &[u8],
    key: &[u8],
    tapscript: &mut Tapscript,
    flags: ScriptFlags,
    checker: &dyn SignatureChecker,
) -> Outcome<bool> {
    let has_signature = !signature.is_empty();
    if has_signature {
        tapscript.validation_weight_left -= VALIDATION_WEIGHT_PER_SIGNATURE;
        if tapscript.validation_weight_left < 0 {
            return Err(ScriptFailure::TapscriptValidationWeight);
        }
    }
    if key.is_empty() {
        return Err(ScriptFailure::TapscriptEmptyPubkey);
    }
    if let Ok(key) = <&[u8; 32]>::try_from(key) {
        if has_signature {
            checker.check_schnorr(signature, key, &tapscript.context)?;
        }
    } else if flags.contains(ScriptFlags::DISCOURAGE_UPGRADABLE_PUBKEYTYPE) {
        return Err(ScriptFailure::DiscourageUpgradablePubkeyType);
    }
    Ok(has_signature)
}
