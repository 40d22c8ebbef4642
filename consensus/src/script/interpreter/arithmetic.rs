//! Opcodes on numbers. Operands have 32 bits at most, so nothing overflows 64.

use bitcoin::Opcode;
use bitcoin::opcodes::all::*;

use super::super::failure::{Outcome, ScriptFailure};
use super::super::stack::Element;
use super::execution::Execution;

impl Execution<'_, '_> {
    pub(super) fn calculate_one(&mut self, opcode: Opcode) -> Outcome {
        let number = self.number(0)?;
        let result = match opcode {
            OP_1ADD => number + 1,
            OP_1SUB => number - 1,
            OP_NEGATE => -number,
            OP_ABS => number.abs(),
            OP_NOT => i64::from(number == 0),
            OP_0NOTEQUAL => i64::from(number != 0),
            _ => return Err(ScriptFailure::BadOpcode),
        };
        self.replace(1, result)
    }

    pub(super) fn calculate_two(&mut self, opcode: Opcode) -> Outcome {
        let (left, right) = (self.number(1)?, self.number(0)?);
        let result = match opcode {
            OP_ADD => left + right,
            OP_SUB => left - right,
            OP_BOOLAND => i64::from(left != 0 && right != 0),
            OP_BOOLOR => i64::from(left != 0 || right != 0),
            OP_NUMEQUAL | OP_NUMEQUALVERIFY => i64::from(left == right),
            OP_NUMNOTEQUAL => i64::from(left != right),
            OP_LESSTHAN => i64::from(left < right),
            OP_GREATERTHAN => i64::from(left > right),
            OP_LESSTHANOREQUAL => i64::from(left <= right),
            OP_GREATERTHANOREQUAL => i64::from(left >= right),
            OP_MIN => left.min(right),
            OP_MAX => left.max(right),
            _ => return Err(ScriptFailure::BadOpcode),
        };
        self.replace(2, result)?;
        if opcode == OP_NUMEQUALVERIFY {
            self.verify(ScriptFailure::NumEqualVerify)?;
        }
        Ok(())
    }

    pub(super) fn within(&mut self) -> Outcome {
        let (number, least, end) = (self.number(2)?, self.number(1)?, self.number(0)?);
        self.replace(3, i64::from((least..end).contains(&number)))
    }

    /// The operand below `depth` others.
    fn number(&self, depth: usize) -> Outcome<i64> {
        self.stack.peek(depth)?.to_number(self.flags)
    }

    /// Puts the result in the place of `count` operands.
    fn replace(&mut self, count: usize, result: i64) -> Outcome {
        self.stack.drop_top(count)?;
        self.stack.push(Element::number(result));
        Ok(())
    }
}
