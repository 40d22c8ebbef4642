//! Verifies that what is stored of the best chain's last blocks is whole, without changing it.

mod coins;
mod run;

pub(crate) use run::verify_chain;
pub use run::{Verification, VerifyLevel, VerifyOptions};
