//! Proof of work: targets, chain work, and the difficulty algorithms (one file each).

pub mod asert;
pub mod lwma;
mod min_difficulty;
mod next_bits;
mod retarget;
mod target;
mod uint256;
mod work;

pub use min_difficulty::min_difficulty_from;
pub use next_bits::next_bits;
pub use target::check_proof_of_work;
pub(crate) use target::decode_bits;
pub use work::{difficulty, header_work};
