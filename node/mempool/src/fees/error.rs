//! Why saved estimates are not used.

use pyrite_consensus::Height;

/// Why saved estimates are not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EstimatesError {
    /// The bytes are something else.
    #[error("it does not hold fee estimates")]
    NotEstimates,
    /// A format of a later version, or of an earlier one that is not read any more.
    #[error("its format is version {found}, where this node reads {known}")]
    Version {
        /// The bytes' version.
        found: u32,
        /// The one that is read.
        known: u32,
    },
    /// Too few bytes, or too many.
    #[error("it has {found} bytes instead of {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The bytes changed since they were written.
    #[error("its checksum is wrong: it is damaged")]
    Checksum,
    /// Blocks in the wrong order.
    #[error(
        "the blocks {first} to {last} that it was learned from are not among those up to {best}"
    )]
    Blocks {
        /// The first of them.
        first: Height,
        /// The last of them.
        last: Height,
        /// The highest block seen.
        best: Height,
    },
    /// A number that no sum of transactions can be.
    #[error("the {horizon} horizon has a number out of range")]
    OutOfRange {
        /// The horizon's name.
        horizon: &'static str,
    },
    /// Numbers that can't stand beside each other: more confirmed early than ever, or rates that are
    /// not in their bucket.
    #[error("the {horizon} horizon has numbers that contradict each other")]
    Contradiction {
        /// The horizon's name.
        horizon: &'static str,
    },
    /// They are of a longer chain.
    #[error("it is of block {height}, and the chain ends at {tip}")]
    AboveTip {
        /// The highest block seen.
        height: Height,
        /// The chain's height.
        tip: Height,
    },
}
