//! The kinds of indexes, and what each is called.

use std::fmt;

/// A kind of index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IndexKind {
    /// The block of every transaction.
    Transactions,
    /// The compact filter of every block (BIP-0158, basic).
    Filters,
    /// The figures of the coins after every block.
    CoinStats,
    /// The transaction that spends an output.
    Spenders,
    /// What each script received and spent.
    Addresses,
}

impl IndexKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Transactions,
        Self::Filters,
        Self::CoinStats,
        Self::Spenders,
        Self::Addresses,
    ];

    /// What `getindexinfo` calls it: Bitcoin Core's name, where Bitcoin Core has such an index.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transactions => "txindex",
            Self::Filters => "basic block filter index",
            Self::CoinStats => "coinstatsindex",
            Self::Spenders => "txospenderindex",
            Self::Addresses => "addressindex",
        }
    }

    /// The option that switches it on, and its folder.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::Filters => "blockfilterindex",
            other => other.name(),
        }
    }

    /// Whether it may be on while old blocks are pruned: it answers without them, once it has seen them.
    #[must_use]
    pub fn allows_pruning(self) -> bool {
        matches!(self, Self::Filters | Self::CoinStats)
    }
}

impl fmt::Display for IndexKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.option())
    }
}
