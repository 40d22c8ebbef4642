//! Transactions whose inputs are not known yet, kept for a moment until their parents arrive.
//! Pure: the time is an argument.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use pyrite_consensus::bitcoin::{Transaction, Txid};

const MAX_ORPHANS: usize = 200;
const MAX_BYTES: usize = 5_000_000;
const LIFETIME: Duration = Duration::from_secs(120);

#[derive(Debug)]
struct Orphan {
    transaction: Arc<Transaction>,
    from: PeerId,
    since: Instant,
    bytes: usize,
}

/// The transactions that wait for their parents.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    by_id: HashMap<Txid, Orphan>,
    bytes: usize,
}

impl Orphans {
    /// Keeps a transaction; the oldest ones make room for it. Returns whether it is new here.
    pub(crate) fn insert(
        &mut self,
        transaction: Arc<Transaction>,
        from: PeerId,
        now: Instant,
    ) -> bool {
        let (txid, bytes) = (transaction.compute_txid(), transaction.total_size());
        if bytes > MAX_BYTES / 10 || self.by_id.contains_key(&txid) {
            return false;
        }
        self.expire(now);
        while self.by_id.len() >= MAX_ORPHANS || self.bytes + bytes > MAX_BYTES {
            let oldest = self.by_id.iter().min_by_key(|(_, orphan)| orphan.since);
            let Some(oldest) = oldest.map(|(txid, _)| *txid) else {
                break;
            };
            self.remove(&oldest);
        }
        self.bytes += bytes;
        self.by_id.insert(
            txid,
            Orphan {
                transaction,
                from,
                since: now,
                bytes,
            },
        );
        true
    }

    /// Takes out the transactions that spend an output of `parent`.
    pub(crate) fn take_children(&mut self, parent: &Txid) -> Vec<(Arc<Transaction>, PeerId)> {
        let spends = |orphan: &Orphan| {
            orphan
                .transaction
                .input
                .iter()
                .any(|input| input.previous_output.txid == *parent)
        };
        let children: Vec<Txid> = self
            .by_id
            .iter()
            .filter(|(_, orphan)| spends(orphan))
            .map(|(txid, _)| *txid)
            .collect();
        children
            .iter()
            .filter_map(|txid| self.remove(txid))
            .map(|orphan| (orphan.transaction, orphan.from))
            .collect()
    }

    fn expire(&mut self, now: Instant) {
        let is_old = |orphan: &Orphan| now.saturating_duration_since(orphan.since) >= LIFETIME;
        let old: Vec<Txid> = self
            .by_id
            .iter()
            .filter(|(_, orphan)| is_old(orphan))
            .map(|(txid, _)| *txid)
            .collect();
        for txid in old {
            self.remove(&txid);
        }
    }

    fn remove(&mut self, txid: &Txid) -> Option<Orphan> {
        let orphan = self.by_id.remove(txid)?;
        self.bytes -= orphan.bytes;
        Some(orphan)
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::absolute::LockTime;
    use pyrite_consensus::bitcoin::hashes::Hash as _;
    use pyrite_consensus::bitcoin::transaction::Version;
    use pyrite_consensus::bitcoin::{OutPoint, TxIn};

    use super::*;

    fn spending(parent: Txid, lock: u32) -> Arc<Transaction> {
        let input = TxIn {
            previous_output: OutPoint::new(parent, 0),
            ..TxIn::default()
        };
        Arc::new(Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(lock),
            input: vec![input],
            output: vec![],
        })
    }

    #[test]
    fn children_come_out_with_their_parent() {
        let (mut orphans, now) = (Orphans::default(), Instant::now());
        let (parent, other) = (
            Txid::from_byte_array([1; 32]),
            Txid::from_byte_array([2; 32]),
        );
        let peer = PeerId::random();
        let child = spending(parent, 1);
        assert!(orphans.insert(Arc::clone(&child), peer, now));
        assert!(!orphans.insert(Arc::clone(&child), peer, now));
        assert!(orphans.take_children(&other).is_empty());
        assert_eq!(orphans.take_children(&parent), vec![(child, peer)]);
        assert!(orphans.take_children(&parent).is_empty());
        assert_eq!(orphans.bytes, 0);
    }

    #[test]
    fn they_are_bounded_and_expire() {
        let (mut orphans, now) = (Orphans::default(), Instant::now());
        let parent = Txid::from_byte_array([1; 32]);
        for lock in 0..500 {
            orphans.insert(spending(parent, lock), PeerId::random(), now);
        }
        assert_eq!(orphans.by_id.len(), MAX_ORPHANS);
        orphans.insert(spending(parent, 1000), PeerId::random(), now + LIFETIME);
        assert_eq!(orphans.by_id.len(), 1);
    }
}
