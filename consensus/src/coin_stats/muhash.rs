//! MuHash3072: a hash of a set that elements are added to and removed from in any order.
//!
//! Every element becomes a number modulo a prime: ChaCha20's stream under the SHA-256 of its bytes. The
//! set's hash is the SHA-256 of the product of its elements. What was removed is kept as a product of
//! its own, so that one division at the end is enough. See Bellare and Micciancio, "A New Paradigm for
//! Collision-free Hashing" (1997), and Bitcoin Core's `MuHash3072`.

use bitcoin::hashes::{Hash, sha256};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

use super::CoinSetHash;
use super::num3072::Num3072;

/// A set's hash in the making.
#[derive(Clone, Debug)]
pub struct MuHash {
    added: Num3072,
    removed: Num3072,
}

impl MuHash {
    /// Bytes of the stored form.
    pub const BYTES: usize = 2 * Num3072::BYTES;

    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            added: Num3072::ONE,
            removed: Num3072::ONE,
        }
    }

    /// Adds an element.
    pub fn insert(&mut self, element: &[u8]) {
        self.added = self.added.multiply(&number_of(element));
    }

    /// Removes an element. It may be added later: the order is of no account.
    pub fn remove(&mut self, element: &[u8]) {
        self.removed = self.removed.multiply(&number_of(element));
    }

    /// Adds all elements of another set, and removes those that the other removed.
    pub fn combine(&mut self, other: &Self) {
        self.added = self.added.multiply(&other.added);
        self.removed = self.removed.multiply(&other.removed);
    }

    /// The stored form: the product of what was added, then that of what was removed, as Bitcoin Core
    /// stores them. Sets of one hash may have several.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (added, removed) = bytes.split_at_mut(Num3072::BYTES);
        added.copy_from_slice(&self.added.to_bytes());
        removed.copy_from_slice(&self.removed.to_bytes());
        bytes
    }

    /// Reads the stored form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let (numbers, _) = bytes.as_chunks();
        Self {
            added: Num3072::from_bytes(&numbers[0]),
            removed: Num3072::from_bytes(&numbers[1]),
        }
    }

    /// The set's hash: that of the quotient of what was added and what was removed. Costs some thousands
    /// of products if anything was removed.
    #[must_use]
    pub fn hash(&self) -> CoinSetHash {
        let quotient = if self.removed.is_one() {
            self.added.to_bytes()
        } else {
            self.added.multiply(&self.removed.inverse()).to_bytes()
        };
        CoinSetHash::new(sha256::Hash::hash(&quotient).to_byte_array())
    }
}

impl Default for MuHash {
    fn default() -> Self {
        Self::new()
    }
}

/// The number that stands for an element.
fn number_of(element: &[u8]) -> Num3072 {
    let key = sha256::Hash::hash(element).to_byte_array();
    let mut stream = [0; Num3072::BYTES];
    ChaCha20::new(&key.into(), &[0; 12].into()).apply_keystream(&mut stream);
    Num3072::from_bytes(&stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements of Bitcoin Core's unit test: 32 bytes, the first of which differs.
    fn element(first: u8) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[0] = first;
        bytes
    }

    fn set_of(firsts: &[u8]) -> MuHash {
        let mut set = MuHash::new();
        for first in firsts {
            set.insert(&element(*first));
        }
        set
    }

    #[test]
    fn bitcoin_core_s_vectors() {
        let empty = "dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8";
        assert_eq!(MuHash::new().hash().to_string(), empty);
        let mut set = set_of(&[0, 1]);
        set.remove(&element(2));
        let expected = "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863";
        assert_eq!(set.hash().to_string(), expected);
    }

    /// The product of the elements 1 and 2, as Bitcoin Core's unit test has it: its first and last bytes.
    #[test]
    fn the_stored_form_is_the_product_from_the_least_byte_on() {
        let bytes = hex::encode(set_of(&[1, 2]).to_bytes());
        assert!(bytes.starts_with(
            "1fa093295ea30a6a3acdc7b3f770fa538eff537528e990e2910e40bbcfd7f6696b1256901929094694b56316de342f593303"
        ));
    }

    #[test]
    fn order_is_of_no_account() {
        let mut one_way = set_of(&[1, 2]);
        one_way.remove(&element(1));
        one_way.insert(&element(3));
        let mut other_way = MuHash::new();
        other_way.remove(&element(1));
        other_way.combine(&set_of(&[3, 2, 1]));
        assert_eq!(one_way.hash(), other_way.hash());
        assert_eq!(one_way.hash(), set_of(&[2, 3]).hash());
        assert_ne!(one_way.hash(), set_of(&[2]).hash());
    }

    #[test]
    fn the_stored_form_goes_on_where_it_was() {
        let mut set = set_of(&[1, 2, 3]);
        set.remove(&element(2));
        let mut read = MuHash::from_bytes(&set.to_bytes());
        assert_eq!(read.hash(), set.hash());
        read.insert(&element(2));
        assert_eq!(read.hash(), set_of(&[3, 2, 1]).hash());
    }
}
