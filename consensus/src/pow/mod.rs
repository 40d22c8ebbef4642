//! Proof of work: targets, chain work, and the difficulty algorithms (one file each).

pub mod asert;
mod next_bits;
mod retarget;
mod target;
mod uint256;
mod work;

pub use next_bits::next_bits;
pub use target::check_proof_of_work;
pub(crate) use target::decode_bits;
pub use work::{difficulty, header_work};
