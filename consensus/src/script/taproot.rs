//! The commitment of a taproot output to its scripts (BIP-0341).

use bitcoin::hashes::sha256t::Tag;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{Parity, Scalar, XOnlyPublicKey};
use bitcoin::taproot::{TapBranchTag, TapLeafTag, TapTweakTag};

use super::checker::SECP256K1;
use super::failure::ScriptFailure;
use super::sighash::write_compact_size;

/// The leaf version of tapscript (BIP-0342).
pub const TAPSCRIPT_LEAF_VERSION: u8 = 0xc0;

/// The first byte of an annex: a last element, of two or more, that begins with it is one.
pub const ANNEX_TAG: u8 = 0x50;

/// What of a control block's first byte is the leaf's version.
pub const LEAF_VERSION_MASK: u8 = 0xfe;
const KEY_BYTES: usize = 32;
const NODE_BYTES: usize = 32;
const MAX_NODES: usize = 128;

/// A control block: what the last element of a script path's witness says about the leaf's place.
#[derive(Clone, Copy, Debug)]
pub struct ControlBlock<'a> {
    first: u8,
    internal_key: &'a [u8; KEY_BYTES],
    path: &'a [u8],
}

impl<'a> ControlBlock<'a> {
    /// Reads a control block.
    ///
    /// # Errors
    /// [`ScriptFailure::TaprootWrongControlSize`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, ScriptFailure> {
        let wrong = ScriptFailure::TaprootWrongControlSize;
        let (first, rest) = bytes.split_first().ok_or(wrong)?;
        let (internal_key, path) = rest.split_first_chunk().ok_or(wrong)?;
        if path.len() % NODE_BYTES != 0 || path.len() > MAX_NODES * NODE_BYTES {
            return Err(wrong);
        }
        Ok(Self {
            first: *first,
            internal_key,
            path,
        })
    }

    /// The version of the leaf.
    #[must_use]
    pub fn leaf_version(&self) -> u8 {
        self.first & LEAF_VERSION_MASK
    }

    /// The root of the tree with this leaf.
    #[must_use]
    pub fn merkle_root(&self, leaf_hash: &[u8; NODE_BYTES]) -> [u8; NODE_BYTES] {
        let (nodes, _) = self.path.as_chunks::<NODE_BYTES>();
        nodes
            .iter()
            .fold(*leaf_hash, |hash, node| branch_hash(&hash, node))
    }

    /// Whether `output_key` commits to the leaf: whether it is the internal key with the tree's root
    /// added as a tweak.
    #[must_use]
    pub fn is_committed(&self, output_key: &[u8; KEY_BYTES], leaf_hash: &[u8; NODE_BYTES]) -> bool {
        let tweak = tweak(self.internal_key, &self.merkle_root(leaf_hash));
        let (Ok(internal_key), Ok(output_key), Ok(tweak)) = (
            XOnlyPublicKey::from_slice(self.internal_key),
            XOnlyPublicKey::from_slice(output_key),
            Scalar::from_be_bytes(tweak),
        ) else {
            return false;
        };
        let parity = if self.first & 1 == 0 {
            Parity::Even
        } else {
            Parity::Odd
        };
        internal_key.tweak_add_check(&SECP256K1, &output_key, parity, tweak)
    }
}

/// The hash of a leaf with a script.
#[must_use]
pub fn leaf_hash(leaf_version: u8, script: &[u8]) -> [u8; NODE_BYTES] {
    let mut engine = TapLeafTag::engine();
    engine.input(&[leaf_version]);
    write_compact_size(&mut engine, script.len());
    engine.input(script);
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// The hash of a branch with two children, in either order.
#[must_use]
pub fn branch_hash(one: &[u8; NODE_BYTES], other: &[u8; NODE_BYTES]) -> [u8; NODE_BYTES] {
    let mut engine = TapBranchTag::engine();
    engine.input(one.min(other));
    engine.input(one.max(other));
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// What is added to the internal key to commit to a tree.
#[must_use]
pub fn tweak(internal_key: &[u8; KEY_BYTES], merkle_root: &[u8; NODE_BYTES]) -> [u8; 32] {
    let mut engine = TapTweakTag::engine();
    engine.input(internal_key);
    engine.input(merkle_root);
    sha256::Hash::from_engine(engine).to_byte_array()
}
