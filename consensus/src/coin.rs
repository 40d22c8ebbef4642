//! Coins: unspent transaction outputs, and views of the set of them.

use std::collections::HashMap;

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

/// A set of coins that was read before the rules run, so that a look-up can't fail.
pub trait CoinView {
    /// The coin at `outpoint`; `None` when it does not exist or is spent.
    fn coin(&self, outpoint: &OutPoint) -> Option<&Coin>;
}

impl CoinView for HashMap<OutPoint, Coin> {
    fn coin(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.get(outpoint)
    }
}

/// Changes on top of another view: what was created and what was spent.
#[derive(Debug)]
pub struct CoinOverlay<'a, V> {
    base: &'a V,
    /// `None` is a coin that was spent.
    changes: HashMap<OutPoint, Option<Coin>>,
}

impl<'a, V: CoinView> CoinOverlay<'a, V> {
    /// An overlay without changes.
    pub fn new(base: &'a V) -> Self {
        Self {
            base,
            changes: HashMap::new(),
        }
    }

    /// An overlay without changes, and with room for so many.
    pub(crate) fn with_capacity(base: &'a V, changes: usize) -> Self {
        Self {
            base,
            changes: HashMap::with_capacity(changes),
        }
    }

    /// Adds a coin.
    pub fn create(&mut self, outpoint: OutPoint, coin: Coin) {
        self.changes.insert(outpoint, Some(coin));
    }

    /// Removes a coin and returns it; `None` when there was none.
    pub fn spend(&mut self, outpoint: &OutPoint) -> Option<Coin> {
        if let Some(change) = self.changes.get_mut(outpoint) {
            return change.take();
        }
        let coin = self.base.coin(outpoint)?.clone();
        self.changes.insert(*outpoint, None);
        Some(coin)
    }

    /// Takes a coin that was created on the overlay and not spent; the base's own stay.
    pub(crate) fn take_created(&mut self, outpoint: &OutPoint) -> Option<Coin> {
        self.changes.get_mut(outpoint)?.take()
    }
}

impl<V: CoinView> CoinView for CoinOverlay<'_, V> {
    fn coin(&self, outpoint: &OutPoint) -> Option<&Coin> {
        match self.changes.get(outpoint) {
            Some(change) => change.as_ref(),
            None => self.base.coin(outpoint),
        }
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, ScriptBuf, Txid};

    use super::*;

    fn coin(value_sat: u64) -> Coin {
        let output = TxOut {
            value: Amount::from_sat(value_sat),
            script_pubkey: ScriptBuf::new(),
        };
        Coin {
            output,
            height: Height(1),
            is_coinbase: false,
        }
    }

    fn outpoint(vout: u32) -> OutPoint {
        OutPoint {
            txid: Txid::all_zeros(),
            vout,
        }
    }

    #[test]
    fn overlay_hides_what_it_spends_and_leaves_its_base_alone() {
        let base = HashMap::from([(outpoint(0), coin(7))]);
        let mut overlay = CoinOverlay::new(&base);
        assert_eq!(overlay.coin(&outpoint(0)), Some(&coin(7)));
        assert_eq!(overlay.spend(&outpoint(0)), Some(coin(7)));
        assert_eq!(overlay.coin(&outpoint(0)), None);
        assert_eq!(overlay.spend(&outpoint(0)), None);
        assert_eq!(base.len(), 1);
    }

    #[test]
    fn overlay_spends_what_it_created_once() {
        let base = HashMap::new();
        let mut overlay = CoinOverlay::new(&base);
        assert_eq!(overlay.spend(&outpoint(1)), None);
        overlay.create(outpoint(1), coin(8));
        overlay.create(outpoint(2), coin(9));
        assert_eq!(overlay.spend(&outpoint(1)), Some(coin(8)));
        assert_eq!(overlay.take_created(&outpoint(1)), None);
        assert_eq!(overlay.take_created(&outpoint(2)), Some(coin(9)));
    }

    #[test]
    fn data_carriers_and_scripts_above_ten_thousand_bytes_are_unspendable() {
        assert!(is_unspendable(Script::from_bytes(&[0x6a])));
        assert!(is_unspendable(Script::from_bytes(&[0x51; 10_001])));
        assert!(!is_unspendable(Script::from_bytes(&[0x51; 10_000])));
        assert!(!is_unspendable(Script::from_bytes(&[0x51, 0x6a])));
        assert!(!is_unspendable(Script::new()));
    }
}
