//! Writes the kernels in assembly, whose message words must stay in registers that compilers don't keep them in. What it wrote
//! is kept beside it; the tests tell when it is out of date, and run it instruction by instruction.

mod emit;
mod instruction;
mod interpreter;
mod second_block;
mod second_hash;
mod tests;
mod writer;
