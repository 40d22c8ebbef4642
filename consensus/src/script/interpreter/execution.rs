//! The loop over a script's instructions, and the limits that hold for all of them (Bitcoin Core's
//! `EvalScript`).

use bitcoin::Opcode;
use bitcoin::opcodes::all::*;

use super::super::checker::{EcdsaVersion, SignatureChecker};
use super::super::conditions::Conditions;
use super::super::failure::{Outcome, ScriptFailure};
use super::super::flags::ScriptFlags;
use super::super::instruction::{Instruction, Instructions, small_number};
use super::super::sighash::{LeafContext, TaprootContext};
use super::super::stack::{Element, Stack};

/// The most bytes of a script; not of a tapscript.
const MAX_SCRIPT_BYTES: usize = 10_000;
/// The most opcodes that do more than to push; not in tapscript.
const MAX_OPS: usize = 201;
/// The most bytes of an element.
pub(crate) const MAX_ELEMENT_BYTES: usize = 520;
/// The most elements of both stacks together.
pub(crate) const MAX_STACK_ELEMENTS: usize = 1000;

/// The rules that a script runs under.
pub(crate) enum Dialect {
    /// A script whose signatures are ECDSA's.
    Ecdsa(EcdsaVersion),
    /// A leaf of a taproot output (BIP-0342).
    Tapscript(Tapscript),
}

/// What a tapscript's signatures sign and how many more it may have.
pub(crate) struct Tapscript {
    pub(crate) context: TaprootContext,
    /// What is left of the budget that the witness's size gives.
    pub(crate) validation_weight_left: i64,
}

impl Tapscript {
    /// A script with its leaf's hash, in a witness of so many bytes.
    pub(crate) fn new(
        annex_hash: Option<[u8; 32]>,
        leaf_hash: [u8; 32],
        witness_bytes: usize,
    ) -> Self {
        /// The budget of a witness without bytes, so that one of the least size can have a signature.
        const VALIDATION_WEIGHT_OFFSET: i64 = 50;
        let leaf = LeafContext {
            hash: leaf_hash,
            code_separator: u32::MAX,
        };
        let witness_bytes = i64::try_from(witness_bytes).expect("a witness fits into a block");
        Self {
            context: TaprootContext::new(annex_hash, Some(leaf)),
            validation_weight_left: witness_bytes + VALIDATION_WEIGHT_OFFSET,
        }
    }
}

/// A script that runs.
pub(super) struct Execution<'a, 'e> {
    pub(super) script: &'a [u8],
    pub(super) stack: &'e mut Stack<'a>,
    pub(super) alt_stack: Vec<Element<'a>>,
    pub(super) conditions: Conditions,
    pub(super) flags: ScriptFlags,
    pub(super) dialect: &'e mut Dialect,
    pub(super) checker: &'e dyn SignatureChecker,
    /// Opcodes that count against the limit.
    pub(super) ops: usize,
    /// The index of the instruction that is executed.
    index: u32,
    /// Where the next instruction starts.
    next: usize,
    /// Where the bytes start that signatures sign: behind the last executed `OP_CODESEPARATOR`.
    pub(super) code_start: usize,
}

/// Runs `script` on `stack`, which it leaves as it is at the end or at the failure.
pub(crate) fn execute<'a>(
    script: &'a [u8],
    stack: &mut Stack<'a>,
    flags: ScriptFlags,
    dialect: &mut Dialect,
    checker: &dyn SignatureChecker,
) -> Outcome {
    if matches!(dialect, Dialect::Ecdsa(_)) && script.len() > MAX_SCRIPT_BYTES {
        return Err(ScriptFailure::ScriptSize);
    }
    let execution = Execution {
        script,
        stack,
        alt_stack: Vec::new(),
        conditions: Conditions::default(),
        flags,
        dialect,
        checker,
        ops: 0,
        index: 0,
        next: 0,
        code_start: 0,
    };
    execution.run()
}

/// Whether an opcode makes a tapscript succeed (BIP-0342).
pub(crate) fn is_op_success(opcode: Opcode) -> bool {
    matches!(
        opcode.to_u8(),
        80 | 98 | 126..=129 | 131..=134 | 137..=138 | 141..=142 | 149..=153 | 187..=254
    )
}

impl<'a> Execution<'a, '_> {
    fn run(mut self) -> Outcome {
        let mut instructions = Instructions::new(self.script);
        while let Some(instruction) = instructions.next() {
            let instruction = instruction.map_err(|_| ScriptFailure::BadOpcode)?;
            self.next = instructions.position();
            self.step(instruction)?;
            self.index += 1;
        }
        if self.conditions.is_empty() {
            Ok(())
        } else {
            Err(ScriptFailure::UnbalancedConditional)
        }
    }

    fn step(&mut self, instruction: Instruction<'a>) -> Outcome {
        let opcode = instruction.opcode;
        if instruction.data.len() > MAX_ELEMENT_BYTES {
            return Err(ScriptFailure::PushSize);
        }
        self.count_op(opcode)?;
        self.check_forbidden(opcode)?;
        let is_executed = self.conditions.all_taken();
        if opcode.to_u8() <= OP_PUSHDATA4.to_u8() {
            if is_executed {
                self.push(instruction)?;
            }
        } else if is_executed || is_conditional(opcode) {
            self.execute(opcode)?;
        }
        if self.stack.len() + self.alt_stack.len() > MAX_STACK_ELEMENTS {
            return Err(ScriptFailure::StackSize);
        }
        Ok(())
    }

    fn count_op(&mut self, opcode: Opcode) -> Outcome {
        // `OP_RESERVED` counts as a push.
        if opcode.to_u8() > OP_PUSHNUM_16.to_u8() {
            self.add_ops(1)?;
        }
        Ok(())
    }

    /// Counts against the limit, which tapscript does not have.
    pub(super) fn add_ops(&mut self, count: usize) -> Outcome {
        if matches!(self.dialect, Dialect::Ecdsa(_)) {
            self.ops += count;
            if self.ops > MAX_OPS {
                return Err(ScriptFailure::OpCount);
            }
        }
        Ok(())
    }

    /// What fails even in a branch that is not taken.
    fn check_forbidden(&self, opcode: Opcode) -> Outcome {
        match opcode {
            OP_CAT | OP_SUBSTR | OP_LEFT | OP_RIGHT | OP_INVERT | OP_AND | OP_OR | OP_XOR
            | OP_2MUL | OP_2DIV | OP_MUL | OP_DIV | OP_MOD | OP_LSHIFT | OP_RSHIFT => {
                Err(ScriptFailure::DisabledOpcode)
            }
            OP_CODESEPARATOR
                if matches!(self.dialect, Dialect::Ecdsa(EcdsaVersion::Legacy))
                    && self.flags.contains(ScriptFlags::CONST_SCRIPTCODE) =>
            {
                Err(ScriptFailure::OpCodeSeparator)
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, instruction: Instruction<'a>) -> Outcome {
        if self.flags.contains(ScriptFlags::MINIMALDATA) && !instruction.is_minimal_push() {
            return Err(ScriptFailure::MinimalData);
        }
        self.stack.push(Element::Borrowed(instruction.data));
        Ok(())
    }

    fn execute(&mut self, opcode: Opcode) -> Outcome {
        match opcode {
            OP_PUSHNUM_NEG1 => self.stack.push(Element::number(-1)),
            OP_NOP => {}
            OP_CODESEPARATOR => self.separate_code(),
            _ => {
                if let Some(number) = small_number(opcode) {
                    self.stack.push(Element::number(i64::from(number)));
                } else {
                    return self.execute_family(opcode);
                }
            }
        }
        Ok(())
    }

    fn execute_family(&mut self, opcode: Opcode) -> Outcome {
        match opcode {
            OP_IF | OP_NOTIF | OP_ELSE | OP_ENDIF | OP_VERIFY | OP_RETURN | OP_CLTV | OP_CSV
            | OP_NOP1 | OP_NOP4 | OP_NOP5 | OP_NOP6 | OP_NOP7 | OP_NOP8 | OP_NOP9 | OP_NOP10 => {
                self.control(opcode)
            }
            OP_TOALTSTACK | OP_FROMALTSTACK | OP_2DROP | OP_2DUP | OP_3DUP | OP_2OVER | OP_2ROT
            | OP_2SWAP | OP_IFDUP | OP_DEPTH | OP_DROP | OP_DUP | OP_NIP | OP_OVER | OP_PICK
            | OP_ROLL | OP_ROT | OP_SWAP | OP_TUCK | OP_SIZE | OP_EQUAL | OP_EQUALVERIFY => {
                self.manipulate(opcode)
            }
            OP_1ADD | OP_1SUB | OP_NEGATE | OP_ABS | OP_NOT | OP_0NOTEQUAL => {
                self.calculate_one(opcode)
            }
            OP_ADD
            | OP_SUB
            | OP_BOOLAND
            | OP_BOOLOR
            | OP_NUMEQUAL
            | OP_NUMEQUALVERIFY
            | OP_NUMNOTEQUAL
            | OP_LESSTHAN
            | OP_GREATERTHAN
            | OP_LESSTHANOREQUAL
            | OP_GREATERTHANOREQUAL
            | OP_MIN
            | OP_MAX => self.calculate_two(opcode),
            OP_WITHIN => self.within(),
            OP_RIPEMD160 | OP_SHA1 | OP_SHA256 | OP_HASH160 | OP_HASH256 => self.hash(opcode),
            OP_CHECKSIG | OP_CHECKSIGVERIFY => self.check_sig(opcode),
            OP_CHECKSIGADD => self.check_sig_add(),
            OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY => self.check_multisig(opcode),
            _ => Err(ScriptFailure::BadOpcode),
        }
    }

    fn separate_code(&mut self) {
        self.code_start = self.next;
        if let Dialect::Tapscript(tapscript) = self.dialect
            && let Some(leaf) = &mut tapscript.context.leaf
        {
            leaf.code_separator = self.index;
        }
    }
}

/// Whether an opcode is executed, or at least fails, in a branch that is not taken: `OP_IF`, `OP_NOTIF`,
/// `OP_VERIF`, `OP_VERNOTIF`, `OP_ELSE` and `OP_ENDIF`.
fn is_conditional(opcode: Opcode) -> bool {
    (OP_IF.to_u8()..=OP_ENDIF.to_u8()).contains(&opcode.to_u8())
}
