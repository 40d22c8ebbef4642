//! Verifies that what is stored of the best chain's last blocks is whole, without changing it.

mod coins;
mod files;
mod run;

pub use files::check_files;
pub(crate) use run::verify_chain;
pub use run::{Verification, VerifyLevel, VerifyOptions};
