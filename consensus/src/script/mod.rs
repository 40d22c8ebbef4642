//! Script verification: which flags apply, signature operations, and one function that verifies a
//! transaction's inputs.

mod flags;
mod sigops;
mod verify;

pub use flags::ScriptFlags;
pub use verify::ScriptCheck;

pub(crate) use sigops::{legacy_sigops, p2sh_sigops, witness_sigops};
