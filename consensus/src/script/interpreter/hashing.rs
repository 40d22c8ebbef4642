//! Opcodes that hash the top element.

use bitcoin::Opcode;
use bitcoin::hashes::{Hash, hash160, ripemd160, sha1, sha256, sha256d};
use bitcoin::opcodes::all::{OP_HASH160, OP_HASH256, OP_RIPEMD160, OP_SHA1, OP_SHA256};

use super::super::failure::{Outcome, ScriptFailure};
use super::super::stack::Element;
use super::execution::Execution;

impl Execution<'_, '_> {
    pub(super) fn hash(&mut self, opcode: Opcode) -> Outcome {
        let preimage = self.stack.pop()?;
        let preimage = preimage.as_bytes();
        self.stack.push(match opcode {
            OP_RIPEMD160 => Element::hash(ripemd160::Hash::hash(preimage).to_byte_array()),
            OP_SHA1 => Element::hash(sha1::Hash::hash(preimage).to_byte_array()),
            OP_SHA256 => Element::hash(sha256::Hash::hash(preimage).to_byte_array()),
            OP_HASH160 => Element::hash(hash160::Hash::hash(preimage).to_byte_array()),
            OP_HASH256 => Element::hash(sha256d::Hash::hash(preimage).to_byte_array()),
            _ => return Err(ScriptFailure::BadOpcode),
        });
        Ok(())
    }
}
