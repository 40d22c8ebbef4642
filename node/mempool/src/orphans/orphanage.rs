//! Transactions that wait for their parents, and the peers that gave them.
//!
//! Each peer has a share of the room. When all together have too much, the peer that is furthest above its share loses its oldest,
//! so that nobody's flood pushes out what others gave (as in Bitcoin Core since 30).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid, Wtxid};

/// The number of a peer's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerNumber(pub u64);

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrphanLimits {
    /// Weight of a peer's share. Weight stands for memory: a decoded transaction takes a few bytes for each unit at most.
    pub weight_per_peer: u64,
    /// Announcements of all peers together; ten inputs count for one more, because looking for parents takes time for each.
    pub announcements: u64,
    /// The heaviest transaction that is kept.
    pub max_weight: u64,
    /// Seconds after which one is dropped.
    pub lifetime_s: u64,
}

impl Default for OrphanLimits {
    fn default() -> Self {
        Self {
            weight_per_peer: 404_000,
            announcements: 3_000,
            max_weight: 400_000,
            lifetime_s: 20 * 60,
        }
    }
}

/// What became of a transaction that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptOrphan {
    /// It is kept, and was not before.
    New,
    /// It was kept already; another peer gave it now.
    AnotherPeer,
    /// The same peer gave it before.
    Known,
    /// It is heavier than what is kept, or had to make room at once.
    Refused,
}

/// A transaction that waits for its parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// BIP-0141 weight.
    pub weight: u64,
    /// The peers that gave it, in the order of their numbers.
    pub from: Vec<PeerNumber>,
}

/// An orphan and its places in the indexes.
#[derive(Debug)]
struct Kept {
    tx: Arc<Transaction>,
    txid: Txid,
    weight: u64,
    since: u64,
    /// The number of its first announcement: the order in which orphans came.
    arrival: u64,
    /// Who gave it, and the numbers of those announcements.
    announcements: BTreeMap<PeerNumber, u64>,
}

/// What a peer gave.
#[derive(Debug, Default)]
struct Share {
    /// By the announcements' numbers: oldest first.
    orphans: BTreeMap<u64, Wtxid>,
    weight: u64,
    cost: u64,
}

/// The transactions that wait for their parents.
#[derive(Debug)]
pub struct Orphanage {
    limits: OrphanLimits,
    kept: HashMap<Wtxid, Kept>,
    /// Who spends an output. An id's outputs are next to each other, so that it is the index of missing parents as well.
    by_outpoint: BTreeMap<OutPoint, BTreeSet<Wtxid>>,
    by_time: BTreeSet<(u64, Wtxid)>,
    peers: BTreeMap<PeerNumber, Share>,
    /// The number of the next announcement.
    next: u64,
    /// Of all orphans, each counted once.
    weight: u64,
    /// Of all announcements.
    cost: u64,
}

impl Orphanage {
    /// An empty one.
    #[must_use]
    pub fn new(limits: OrphanLimits) -> Self {
        Self {
            limits,
            kept: HashMap::new(),
            by_outpoint: BTreeMap::new(),
            by_time: BTreeSet::new(),
            peers: BTreeMap::new(),
            next: 0,
            weight: 0,
            cost: 0,
        }
    }

    /// Keeps a transaction that a peer gave at a time, in seconds. Others may have to make room, and it may itself.
    pub fn add(&mut self, tx: Arc<Transaction>, from: PeerNumber, now: u64) -> KeptOrphan {
        let weight = tx.weight().to_wu();
        if weight > self.limits.max_weight {
            return KeptOrphan::Refused;
        }
        self.expire(now);
        let wtxid = tx.compute_wtxid();
        let number = self.next;
        let outcome = match self.kept.get_mut(&wtxid) {
            Some(kept) if kept.announcements.contains_key(&from) => return KeptOrphan::Known,
            Some(kept) => {
                kept.announcements.insert(from, number);
                KeptOrphan::AnotherPeer
            }
            None => {
                for input in &tx.input {
                    let spenders = self.by_outpoint.entry(input.previous_output).or_default();
                    spenders.insert(wtxid);
                }
                self.by_time.insert((now, wtxid));
                self.weight += weight;
                let kept = Kept {
                    txid: tx.compute_txid(),
                    tx: Arc::clone(&tx),
                    weight,
                    since: now,
                    arrival: number,
                    announcements: BTreeMap::from([(from, number)]),
                };
                self.kept.insert(wtxid, kept);
                KeptOrphan::New
            }
        };
        self.next += 1;
        let share = self.peers.entry(from).or_default();
        share.orphans.insert(number, wtxid);
        share.weight += weight;
        share.cost += cost(&tx);
        self.cost += cost(&tx);
        self.make_room();
        if self.kept.contains_key(&wtxid) {
            outcome
        } else {
            KeptOrphan::Refused
        }
    }

    /// Whether it is kept.
    #[must_use]
    pub fn contains(&self, wtxid: &Wtxid) -> bool {
        self.kept.contains_key(wtxid)
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, wtxid: &Wtxid) -> Option<Orphan> {
        self.kept.get(wtxid).map(|kept| described(*wtxid, kept))
    }

    /// Those that spend an output of `parent`, in the order in which they came.
    #[must_use]
    pub fn children_of(&self, parent: &Txid) -> Vec<Wtxid> {
        let output = |vout| OutPoint {
            txid: *parent,
            vout,
        };
        let spenders = self.by_outpoint.range(output(0)..=output(u32::MAX));
        let children: BTreeSet<(u64, Wtxid)> = spenders
            .flat_map(|(_, spenders)| spenders)
            .map(|wtxid| (self.arrival(wtxid), *wtxid))
            .collect();
        children.into_iter().map(|(_, wtxid)| wtxid).collect()
    }

    /// Takes one out. With a peer's last orphan its share goes, so that others may have to go as well.
    pub fn remove(&mut self, wtxid: &Wtxid) -> Option<Orphan> {
        let removed = self.take(wtxid)?;
        self.make_room();
        Some(removed)
    }

    fn take(&mut self, wtxid: &Wtxid) -> Option<Orphan> {
        let kept = self.kept.remove(wtxid)?;
        for input in &kept.tx.input {
            if let Some(spenders) = self.by_outpoint.get_mut(&input.previous_output) {
                spenders.remove(wtxid);
                if spenders.is_empty() {
                    self.by_outpoint.remove(&input.previous_output);
                }
            }
        }
        self.by_time.remove(&(kept.since, *wtxid));
        self.weight -= kept.weight;
        for (peer, number) in &kept.announcements {
            self.forget(*peer, *number, &kept.tx, kept.weight);
        }
        Some(described(*wtxid, &kept))
    }

    /// Drops those that a block contains, or makes impossible. Returns how many.
    pub fn remove_spenders<'a>(
        &mut self,
        transactions: impl Iterator<Item = &'a Transaction>,
    ) -> usize {
        if self.is_empty() {
            return 0;
        }
        let spent = transactions.flat_map(|tx| &tx.input);
        let spenders: BTreeSet<Wtxid> = spent
            .filter_map(|input| self.by_outpoint.get(&input.previous_output))
            .flatten()
            .copied()
            .collect();
        let removed = spenders.iter().filter(|wtxid| self.take(wtxid).is_some());
        let count = removed.count();
        self.make_room();
        count
    }

    /// Drops what only peers gave that are gone.
    pub fn keep_peers(&mut self, is_here: impl Fn(PeerNumber) -> bool) {
        let peers = self.peers.keys().copied();
        let gone: Vec<PeerNumber> = peers.filter(|peer| !is_here(*peer)).collect();
        for peer in gone {
            let Some(share) = self.peers.get(&peer) else {
                continue;
            };
            let announced: Vec<Wtxid> = share.orphans.values().copied().collect();
            for wtxid in announced {
                self.retract(peer, &wtxid);
            }
        }
        self.make_room();
    }

    /// Drops those that have waited too long at a time, in seconds. Returns how many.
    pub fn expire(&mut self, now: u64) -> usize {
        let mut expired = 0;
        while let Some((since, wtxid)) = self.by_time.first().copied()
            && now.saturating_sub(since) >= self.limits.lifetime_s
        {
            self.take(&wtxid);
            expired += 1;
        }
        self.make_room();
        expired
    }

    /// All of them, in the order in which they came.
    #[must_use]
    pub fn list(&self) -> Vec<Orphan> {
        let mut all: Vec<(u64, Orphan)> = self
            .kept
            .iter()
            .map(|(wtxid, kept)| (kept.arrival, described(*wtxid, kept)))
            .collect();
        all.sort_unstable_by_key(|(arrival, _)| *arrival);
        all.into_iter().map(|(_, orphan)| orphan).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Their weight.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.weight
    }

    fn arrival(&self, wtxid: &Wtxid) -> u64 {
        self.kept.get(wtxid).map_or(u64::MAX, |kept| kept.arrival)
    }

    /// A peer's announcement does not count any more; an orphan that nobody else gave goes.
    fn retract(&mut self, peer: PeerNumber, wtxid: &Wtxid) {
        let Some(kept) = self.kept.get_mut(wtxid) else {
            return;
        };
        if kept.announcements.len() > 1 {
            let (tx, weight) = (Arc::clone(&kept.tx), kept.weight);
            if let Some(number) = kept.announcements.remove(&peer) {
                self.forget(peer, number, &tx, weight);
            }
        } else {
            self.take(wtxid);
        }
    }

    /// Takes an announcement off a peer's share.
    fn forget(&mut self, peer: PeerNumber, number: u64, tx: &Transaction, weight: u64) {
        self.cost -= cost(tx);
        if let Some(share) = self.peers.get_mut(&peer) {
            share.orphans.remove(&number);
            share.weight -= weight;
            share.cost -= cost(tx);
            if share.orphans.is_empty() {
                self.peers.remove(&peer);
            }
        }
    }

    /// Makes the peer that is furthest above its share lose its oldest, until all fits.
    fn make_room(&mut self) {
        loop {
            let peers = self.peers.len() as u64;
            if self.weight <= self.limits.weight_per_peer.saturating_mul(peers)
                && self.cost <= self.limits.announcements
            {
                return;
            }
            let worst = self.peers.iter().max_by(|a, b| self.by_use(a.1, b.1));
            let oldest =
                worst.and_then(|(peer, share)| Some((*peer, *share.orphans.first_key_value()?.1)));
            let Some((peer, wtxid)) = oldest else { return };
            self.retract(peer, &wtxid);
        }
    }

    /// Which of two peers uses more of its share: of the weight or of the announcements, whichever is more.
    fn by_use(&self, a: &Share, b: &Share) -> Ordering {
        // In units of both limits' product, so that the fractions have one denominator.
        let peers = self.peers.len() as u128;
        let used = |share: &Share| {
            let by_weight = u128::from(share.weight) * u128::from(self.limits.announcements.max(1));
            let by_cost = u128::from(share.cost) * peers * u128::from(self.limits.weight_per_peer);
            by_weight.max(by_cost)
        };
        used(a).cmp(&used(b))
    }
}

/// What an announcement counts for.
fn cost(tx: &Transaction) -> u64 {
    1 + tx.input.len() as u64 / 10
}

fn described(wtxid: Wtxid, kept: &Kept) -> Orphan {
    Orphan {
        tx: Arc::clone(&kept.tx),
        txid: kept.txid,
        wtxid,
        weight: kept.weight,
        from: kept.announcements.keys().copied().collect(),
    }
}

#[cfg(test)]
mod tests;
