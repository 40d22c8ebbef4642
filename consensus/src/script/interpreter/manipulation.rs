//! Opcodes that move, copy and compare elements.

use bitcoin::Opcode;
use bitcoin::opcodes::all::*;

use super::super::failure::{Outcome, ScriptFailure};
use super::super::stack::Element;
use super::execution::Execution;

impl Execution<'_, '_> {
    pub(super) fn manipulate(&mut self, opcode: Opcode) -> Outcome {
        match opcode {
            OP_TOALTSTACK => self.put_aside(),
            OP_FROMALTSTACK => self.take_back(),
            OP_2DROP => self.stack.drop_top(2),
            OP_DROP => self.stack.drop_top(1),
            OP_DUP => self.copy(0, 1),
            OP_2DUP => self.copy(1, 2),
            OP_3DUP => self.copy(2, 3),
            OP_OVER => self.copy(1, 1),
            OP_2OVER => self.copy(3, 2),
            OP_IFDUP => self.copy_if_true(),
            OP_NIP => self.stack.remove(1).map(|_| ()),
            OP_SWAP => self.roll(1, 1),
            OP_ROT => self.roll(2, 1),
            OP_2SWAP => self.roll(3, 2),
            OP_2ROT => self.roll(5, 2),
            OP_TUCK => self.tuck(),
            OP_PICK | OP_ROLL => self.pick_or_roll(opcode),
            OP_DEPTH => {
                self.push_length(self.stack.len());
                Ok(())
            }
            OP_SIZE => {
                let size = self.stack.peek(0)?.as_bytes().len();
                self.push_length(size);
                Ok(())
            }
            OP_EQUAL => self.equal(),
            OP_EQUALVERIFY => {
                self.equal()?;
                self.verify(ScriptFailure::EqualVerify)
            }
            _ => Err(ScriptFailure::BadOpcode),
        }
    }

    fn put_aside(&mut self) -> Outcome {
        let element = self.stack.pop()?;
        self.alt_stack.push(element);
        Ok(())
    }

    fn take_back(&mut self) -> Outcome {
        let element = self.alt_stack.pop();
        self.stack
            .push(element.ok_or(ScriptFailure::InvalidAltstackOperation)?);
        Ok(())
    }

    /// Copies `count` elements, of which the lowest is below `depth` others, to the top.
    fn copy(&mut self, depth: usize, count: usize) -> Outcome {
        for _ in 0..count {
            let element = self.stack.peek(depth)?;
            self.stack.push(element);
        }
        Ok(())
    }

    /// Moves `count` elements, of which the lowest is below `depth` others, to the top.
    fn roll(&mut self, depth: usize, count: usize) -> Outcome {
        for _ in 0..count {
            let element = self.stack.remove(depth)?;
            self.stack.push(element);
        }
        Ok(())
    }

    fn copy_if_true(&mut self) -> Outcome {
        let element = self.stack.peek(0)?;
        if element.is_true() {
            self.stack.push(element);
        }
        Ok(())
    }

    fn tuck(&mut self) -> Outcome {
        self.stack.require(2)?;
        let element = self.stack.peek(0)?;
        self.stack.insert(2, element)
    }

    fn pick_or_roll(&mut self, opcode: Opcode) -> Outcome {
        self.stack.require(2)?;
        let depth = self.stack.peek(0)?.to_number(self.flags)?;
        self.stack.drop_top(1)?;
        let depth = usize::try_from(depth).map_err(|_| ScriptFailure::InvalidStackOperation)?;
        if opcode == OP_PICK {
            self.copy(depth, 1)
        } else {
            self.roll(depth, 1)
        }
    }

    /// The size of the stack, or of an element.
    fn push_length(&mut self, length: usize) {
        let length = i64::try_from(length).expect("stack and elements are limited");
        self.stack.push(Element::number(length));
    }

    fn equal(&mut self) -> Outcome {
        self.stack.require(2)?;
        let (one, other) = (self.stack.pop()?, self.stack.pop()?);
        let is_equal = one.as_bytes() == other.as_bytes();
        self.stack.push(Element::truth(is_equal));
        Ok(())
    }
}
