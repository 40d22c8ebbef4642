//! What the chain says of itself: plain values, each as of one instant.

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{BlockHash, Work};
use pyrite_consensus::{Coin, Height, OutPointMap};

/// The last block of the best chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// Its header.
    pub header: Header,
    /// The work of the chain that it ends.
    pub work: Work,
    /// The median of the times of it and its ten ancestors (BIP-0113), Unix seconds.
    pub median_time_past: u32,
}

/// What is known of a header and of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderInfo {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// The header.
    pub header: Header,
    /// The work of the chain that it ends.
    pub work: Work,
    /// The median of the times of it and its ten ancestors (BIP-0113), Unix seconds.
    pub median_time_past: u32,
    /// How far it was checked.
    pub status: BlockStatus,
    /// Transactions of the block; `None` until its body is stored.
    pub tx_count: Option<u32>,
    /// Transactions of the chain that it ends; `None` until all bodies of that chain are stored.
    pub chain_tx_count: Option<u64>,
    /// Whether its body and undo data were deleted to save room.
    pub is_pruned: bool,
}

/// How far a block was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockStatus {
    /// The header is valid; the body is not stored.
    HeaderOnly,
    /// The body is stored and valid as far as it can be told without coins.
    Stored,
    /// It was connected to the best chain once: it is valid.
    Valid,
    /// It is invalid, follows an invalid block, or was invalidated by hand.
    Invalid,
}

/// A chain that was begun with a file of coins, until the blocks below are validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundValidation {
    /// The block whose coins the file had.
    pub base: Tip,
    /// The last block that is validated.
    pub tip: Tip,
}

/// Coins, and the tip that they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinsAt {
    /// The tip whose coins these are.
    pub tip: Tip,
    /// Those of the coins asked for that exist.
    pub coins: OutPointMap<Coin>,
}

/// The way from one block to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPath {
    /// Blocks to disconnect, from the start downwards.
    pub disconnect: Vec<BlockHash>,
    /// The last block that both have in common.
    pub fork_point: BlockHash,
    /// Blocks to connect, upwards to the end.
    pub connect: Vec<BlockHash>,
}

/// The end of a branch: `getchaintips`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainTip {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// Blocks between it and the best chain; zero for the best chain's own tip.
    pub branch_length: u32,
    /// What is known of the branch.
    pub status: TipStatus,
}

/// What is known of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipStatus {
    /// The best chain.
    Active,
    /// All blocks were connected once.
    ValidFork,
    /// All bodies are stored, but not all were ever connected.
    ValidHeaders,
    /// A body is missing.
    HeadersOnly,
    /// A block is invalid.
    Invalid,
}

impl TipStatus {
    /// Bitcoin Core's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ValidFork => "valid-fork",
            Self::ValidHeaders => "valid-headers",
            Self::HeadersOnly => "headers-only",
            Self::Invalid => "invalid",
        }
    }
}
