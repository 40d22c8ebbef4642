//! Coins and change addresses of transactions that were created and are on their way to the mempool.
//!
//! Without them two payments made at the same time would spend the same coins, and one would replace the
//! other. A reservation ends when its transaction is recorded or released, or by lapse, so that a caller
//! that fails in between does not lock coins up until the next start.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid};

use crate::keys::Keychain;

/// Far longer than a mempool takes to accept or refuse a transaction.
const LAPSE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Reservation {
    txid: Txid,
    coins: Vec<OutPoint>,
    change: Option<(Keychain, u32)>,
    made: Instant,
}

/// Bounded by the number of coins: each reservation holds at least one that no other holds.
#[derive(Debug, Default)]
pub(crate) struct Reservations {
    entries: Vec<Reservation>,
}

impl Reservations {
    pub(crate) fn add(&mut self, tx: &Transaction, change: Option<(Keychain, u32)>, now: Instant) {
        let coins = tx.input.iter().map(|input| input.previous_output).collect();
        self.entries.push(Reservation {
            txid: tx.compute_txid(),
            coins,
            change,
            made: now,
        });
    }

    pub(crate) fn release(&mut self, txid: &Txid) {
        self.entries.retain(|entry| entry.txid != *txid);
    }

    pub(crate) fn drop_lapsed(&mut self, now: Instant) {
        self.entries
            .retain(|entry| now.saturating_duration_since(entry.made) < LAPSE);
    }

    pub(crate) fn coins(&self) -> HashSet<OutPoint> {
        self.entries
            .iter()
            .flat_map(|entry| entry.coins.iter().copied())
            .collect()
    }

    pub(crate) fn holds_change(&self, keychain: Keychain, index: u32) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.change == Some((keychain, index)))
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::{TxIn, absolute, transaction};

    use super::*;

    #[test]
    fn a_reservation_lapses_and_is_released() {
        let coin = OutPoint {
            vout: 7,
            ..OutPoint::null()
        };
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![TxIn {
                previous_output: coin,
                ..TxIn::default()
            }],
            output: Vec::new(),
        };
        let start = Instant::now();
        let mut reservations = Reservations::default();
        reservations.add(&tx, Some((Keychain::Bip84Change, 3)), start);
        reservations.drop_lapsed(start + LAPSE - Duration::from_secs(1));
        assert!(reservations.coins().contains(&coin));
        assert!(reservations.holds_change(Keychain::Bip84Change, 3));
        assert!(!reservations.holds_change(Keychain::Bip84Change, 2));
        reservations.drop_lapsed(start + LAPSE);
        assert!(reservations.coins().is_empty());

        reservations.add(&tx, None, start);
        reservations.release(&tx.compute_txid());
        assert!(reservations.coins().is_empty());
    }
}
