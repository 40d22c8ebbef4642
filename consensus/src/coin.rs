//! Coins: unspent transaction outputs, and views of the set of them.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use bitcoin::{OutPoint, Script, TxOut};

use crate::Height;

/// The longest script that can be executed, in bytes (Bitcoin Core's `MAX_SCRIPT_SIZE`).
const MAX_SCRIPT_BYTES: usize = 10_000;

/// An unspent transaction output with what the rules need to know of its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Value and script.
    pub output: TxOut,
    /// Height of the block that created it. For an output of an unconfirmed transaction, the height
    /// of the block that is being built.
    pub height: Height,
    /// Whether a coinbase created it, so that maturity applies.
    pub is_coinbase: bool,
}

/// Whether nothing can ever spend an output with this script, so that it never becomes a coin: it
/// begins with `OP_RETURN` or is longer than 10,000 bytes (Bitcoin Core's `IsUnspendable`).
#[must_use]
pub fn is_unspendable(script_pubkey: &Script) -> bool {
    script_pubkey.is_op_return() || script_pubkey.len() > MAX_SCRIPT_BYTES
}

/// A map by outpoint. Its hash has random keys, so that nobody can choose outpoints that collide, and is faster on them
/// than the standard one.
pub type OutPointMap<T> = HashMap<OutPoint, T, foldhash::fast::RandomState>;

/// A set of outpoints, hashed as in `OutPointMap`.
pub type OutPointSet = HashSet<OutPoint, foldhash::fast::RandomState>;

/// A set of coins that was read before the rules run, so that a look-up can't fail.
pub trait CoinView {
    /// The coin at `outpoint`; `None` when it does not exist or is spent.
    fn coin(&self, outpoint: &OutPoint) -> Option<&Coin>;
}

impl<S: BuildHasher> CoinView for HashMap<OutPoint, Coin, S> {
    fn coin(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.get(outpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_carriers_and_scripts_above_ten_thousand_bytes_are_unspendable() {
        assert!(is_unspendable(Script::from_bytes(&[0x6a])));
        assert!(is_unspendable(Script::from_bytes(&[0x51; 10_001])));
        assert!(!is_unspendable(Script::from_bytes(&[0x51; 10_000])));
        assert!(!is_unspendable(Script::from_bytes(&[0x51, 0x6a])));
        assert!(!is_unspendable(Script::new()));
    }
}
