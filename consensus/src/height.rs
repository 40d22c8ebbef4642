//! The height of a block: its distance from the genesis block.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The height of a block: 0 is the genesis block.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Height(pub u32);

impl Height {
    /// The genesis block's height.
    pub const GENESIS: Self = Self(0);

    /// The height of a block built on this one.
    ///
    /// # Panics
    /// At 2³² − 1, which no chain reaches.
    #[must_use]
    pub fn next(self) -> Self {
        Self(
            self.0
                .checked_add(1)
                .expect("a chain has fewer than 2^32 blocks"),
        )
    }

    /// The height of this block's parent, `None` for the genesis block.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
