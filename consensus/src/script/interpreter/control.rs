//! Branches, verification, lock times, and opcodes that do nothing.

use bitcoin::Opcode;
use bitcoin::opcodes::all::{
    OP_CLTV, OP_CSV, OP_ELSE, OP_ENDIF, OP_IF, OP_NOTIF, OP_RETURN, OP_VERIFY,
};

use super::super::checker::{EcdsaVersion, SEQUENCE_DISABLE_FLAG};
use super::super::failure::{Outcome, ScriptFailure};
use super::super::flags::ScriptFlags;
use super::super::number::{MAX_LOCK_TIME_BYTES, decode_number};
use super::execution::{Dialect, Execution};

impl Execution<'_, '_> {
    pub(super) fn control(&mut self, opcode: Opcode) -> Outcome {
        let unbalanced = ScriptFailure::UnbalancedConditional;
        match opcode {
            OP_IF | OP_NOTIF => self.begin_if(opcode),
            OP_ELSE => self.conditions.toggle().ok_or(unbalanced),
            OP_ENDIF => self.conditions.end().ok_or(unbalanced),
            OP_VERIFY => self.verify(ScriptFailure::Verify),
            OP_RETURN => Err(ScriptFailure::OpReturn),
            OP_CLTV => self.check_lock_time(),
            OP_CSV => self.check_sequence(),
            // `OP_NOP1` and the others that may get a meaning.
            _ if self.flags.contains(ScriptFlags::DISCOURAGE_UPGRADABLE_NOPS) => {
                Err(ScriptFailure::DiscourageUpgradableNops)
            }
            _ => Ok(()),
        }
    }

    fn begin_if(&mut self, opcode: Opcode) -> Outcome {
        if !self.conditions.all_taken() {
            self.conditions.begin(false);
            return Ok(());
        }
        let condition = self.stack.peek(0)?;
        self.check_minimal_if(condition.as_bytes())?;
        self.conditions
            .begin(condition.is_true() == (opcode == OP_IF));
        self.stack.drop_top(1)
    }

    /// The condition of a branch is empty or one: a rule of tapscript, policy of witness version 0.
    fn check_minimal_if(&self, condition: &[u8]) -> Outcome {
        let failure = match self.dialect {
            Dialect::Tapscript(_) => ScriptFailure::TapscriptMinimalIf,
            Dialect::Ecdsa(EcdsaVersion::WitnessV0)
                if self.flags.contains(ScriptFlags::MINIMALIF) =>
            {
                ScriptFailure::MinimalIf
            }
            Dialect::Ecdsa(_) => return Ok(()),
        };
        match condition {
            [] | [1] => Ok(()),
            _ => Err(failure),
        }
    }

    /// Takes the result of a comparison or a check off; fails when it is false.
    pub(super) fn verify(&mut self, failure: ScriptFailure) -> Outcome {
        if !self.stack.peek(0)?.is_true() {
            return Err(failure);
        }
        self.stack.drop_top(1)
    }

    /// A lock time, which stays on the stack.
    fn lock_time(&self) -> Outcome<i64> {
        let operand = self.stack.peek(0)?;
        let lock_time = decode_number(operand.as_bytes(), MAX_LOCK_TIME_BYTES, self.flags)?;
        if lock_time < 0 {
            return Err(ScriptFailure::NegativeLockTime);
        }
        Ok(lock_time)
    }

    /// BIP-0065.
    fn check_lock_time(&self) -> Outcome {
        if !self.flags.contains(ScriptFlags::CHECKLOCKTIMEVERIFY) {
            return Ok(());
        }
        let lock_time = self.lock_time()?;
        if self.checker.check_lock_time(lock_time) {
            Ok(())
        } else {
            Err(ScriptFailure::UnsatisfiedLockTime)
        }
    }

    /// BIP-0112.
    fn check_sequence(&self) -> Outcome {
        if !self.flags.contains(ScriptFlags::CHECKSEQUENCEVERIFY) {
            return Ok(());
        }
        let sequence = self.lock_time()?;
        if sequence & SEQUENCE_DISABLE_FLAG != 0 || self.checker.check_sequence(sequence) {
            Ok(())
        } else {
            Err(ScriptFailure::UnsatisfiedLockTime)
        }
    }
}
