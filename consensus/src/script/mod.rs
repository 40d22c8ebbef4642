//! The script engine: which flags apply, signature operations, and the verification of inputs.
//!
//! [`ScriptCheck`] verifies a transaction; [`verify_script`] one input, given a [`SignatureChecker`].

mod check;
mod checker;
mod conditions;
mod encoding;
mod failure;
mod find_and_delete;
mod flags;
mod instruction;
mod interpreter;
mod number;
pub mod sighash;
mod sigops;
mod stack;
pub mod taproot;
mod verify_script;

pub use check::ScriptCheck;
pub use checker::{
    EcdsaVersion, InputChecker, Secp256k1Verifier, SignatureChecker, SignatureVerifier,
};
pub use failure::ScriptFailure;
pub use flags::ScriptFlags;
pub use verify_script::verify_script;

pub(crate) use sigops::{legacy_sigops, p2sh_sigops, witness_sigops};
