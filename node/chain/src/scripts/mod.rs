//! Verifying scripts: on several threads, and what has been verified once not again.

mod verified;
mod verifier;

pub use verifier::ScriptVerifier;
