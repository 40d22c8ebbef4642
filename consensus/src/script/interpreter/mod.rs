//! Runs a script on a stack: the loop with its limits, and the opcodes by families.

mod arithmetic;
mod control;
mod execution;
mod hashing;
mod manipulation;
mod signatures;

pub(crate) use execution::{
    Dialect, MAX_ELEMENT_BYTES, MAX_STACK_ELEMENTS, Tapscript, execute, is_op_success,
};
pub(crate) use signatures::check_ecdsa;
