//! A chain to judge blocks and transactions in.

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use pyrite_consensus::{HeaderChain, Height};

/// The height of the block that comes next.
pub(crate) const HEIGHT: u32 = 200;

/// A chain of `HEIGHT` blocks, ten minutes apart.
pub(crate) struct EvenChain;

impl HeaderChain for EvenChain {
    fn tip_height(&self) -> Height {
        Height(HEIGHT - 1)
    }

    fn header(&self, height: Height) -> Header {
        Header {
            time: 1_500_000_000 + height.0 * 600,
            ..header()
        }
    }
}

/// A header with regtest's bits.
pub(crate) fn header() -> Header {
    Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 1_500_000_000 + HEIGHT * 600,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    }
}
