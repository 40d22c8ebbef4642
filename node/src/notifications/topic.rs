//! What is published.

/// A topic of Bitcoin Core's ZMQ notifications, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The hash of each new tip.
    HashBlock,
    /// The id of each transaction that comes to the mempool, or to a block that is connected or disconnected.
    HashTx,
    /// Each new tip's block.
    RawBlock,
    /// The transactions whose ids `HashTx` tells.
    RawTx,
    /// Blocks that are connected and disconnected, and what comes to the mempool and leaves it.
    Sequence,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::HashBlock,
        Self::HashTx,
        Self::RawBlock,
        Self::RawTx,
        Self::Sequence,
    ];

    /// Its name, which is the first part of its messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HashBlock => "hashblock",
            Self::HashTx => "hashtx",
            Self::RawBlock => "rawblock",
            Self::RawTx => "rawtx",
            Self::Sequence => "sequence",
        }
    }

    /// The option that publishes it.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::HashBlock => "zmqpubhashblock",
            Self::HashTx => "zmqpubhashtx",
            Self::RawBlock => "zmqpubrawblock",
            Self::RawTx => "zmqpubrawtx",
            Self::Sequence => "zmqpubsequence",
        }
    }
}
