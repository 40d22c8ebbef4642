//! The SHA instructions of x86-64 (SHA-NI): a kernel with nonces side by side as the compiler makes it, and kernels in assembly.

mod assembly;
#[cfg(test)]
mod generator;
mod layout;
mod streams;

pub(super) use assembly::{Plain, RegisterFile, Rolled};
pub(super) use streams::ShaNi;
