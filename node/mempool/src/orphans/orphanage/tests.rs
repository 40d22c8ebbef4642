//! The orphanage against a slow model, and under floods.

use proptest::prelude::*;
use pyrite_consensus::bitcoin::hashes::Hash as _;

use super::*;
use crate::testing::open_transaction;

const LIMITS: OrphanLimits = OrphanLimits {
    weight_per_peer: 2_000,
    announcements: 12,
    max_weight: 3_000,
    lifetime_s: 50,
};

fn parent(number: u8) -> Txid {
    Txid::from_byte_array([number; 32])
}

/// A transaction that spends outputs of these parents; the value tells it from others.
fn spending(parents: &[u8], value: u64) -> Arc<Transaction> {
    let outpoints: Vec<OutPoint> = parents
        .iter()
        .map(|number| OutPoint::new(parent(*number), u32::from(*number) % 3))
        .collect();
    Arc::new(open_transaction(&outpoints, &[value]))
}

/// A transaction about as heavy.
fn heavy(value: u64, weight: u64) -> Arc<Transaction> {
    let outputs = usize::try_from(weight / 128).unwrap();
    Arc::new(open_transaction(
        &[OutPoint::new(parent(1), 0)],
        &vec![value; outputs],
    ))
}

/// All figures anew from what is kept.
fn check(orphans: &Orphanage) {
    let all = orphans.list();
    assert_eq!(all.len(), orphans.len());
    assert_eq!(
        all.iter().map(|orphan| orphan.weight).sum::<u64>(),
        orphans.weight
    );
    let announced = all
        .iter()
        .map(|orphan| cost(&orphan.tx) * orphan.from.len() as u64);
    assert_eq!(announced.sum::<u64>(), orphans.cost);
    assert!(orphans.cost <= orphans.limits.announcements);
    let peers: BTreeSet<PeerNumber> = all.iter().flat_map(|orphan| orphan.from.clone()).collect();
    assert!(peers.iter().eq(orphans.peers.keys()));
    assert!(orphans.weight <= orphans.limits.weight_per_peer * peers.len() as u64);
    let mut spent: BTreeMap<OutPoint, BTreeSet<Wtxid>> = BTreeMap::new();
    for orphan in &all {
        assert!(!orphan.from.is_empty());
        for input in &orphan.tx.input {
            spent
                .entry(input.previous_output)
                .or_default()
                .insert(orphan.wtxid);
        }
    }
    assert_eq!(spent, orphans.by_outpoint);
    assert_eq!(orphans.by_time.len(), all.len());
    for (peer, share) in &orphans.peers {
        let given: Vec<&Orphan> = all
            .iter()
            .filter(|orphan| orphan.from.contains(peer))
            .collect();
        assert_eq!(given.len(), share.orphans.len());
        assert_eq!(
            given.iter().map(|orphan| orphan.weight).sum::<u64>(),
            share.weight
        );
        assert_eq!(
            given.iter().map(|orphan| cost(&orphan.tx)).sum::<u64>(),
            share.cost
        );
    }
}

#[test]
fn children_are_found_by_their_parents_in_the_order_in_which_they_came() {
    let mut orphans = Orphanage::new(OrphanLimits::default());
    let (second, first) = (spending(&[1, 2], 1), spending(&[1], 2));
    assert_eq!(
        orphans.add(Arc::clone(&first), PeerNumber(1), 0),
        KeptOrphan::New
    );
    assert_eq!(
        orphans.add(Arc::clone(&second), PeerNumber(1), 0),
        KeptOrphan::New
    );
    assert_eq!(
        orphans.add(Arc::clone(&first), PeerNumber(1), 0),
        KeptOrphan::Known
    );
    assert_eq!(
        orphans.add(Arc::clone(&first), PeerNumber(2), 0),
        KeptOrphan::AnotherPeer
    );
    let (first, second) = (first.compute_wtxid(), second.compute_wtxid());
    assert_eq!(orphans.children_of(&parent(1)), [first, second]);
    assert_eq!(orphans.children_of(&parent(2)), [second]);
    assert_eq!(orphans.children_of(&parent(3)), []);
    assert_eq!(
        orphans.get(&first).unwrap().from,
        [PeerNumber(1), PeerNumber(2)]
    );
    assert!(orphans.remove(&first).is_some() && orphans.remove(&first).is_none());
    assert_eq!(orphans.children_of(&parent(1)), [second]);
    check(&orphans);
}

#[test]
fn a_block_settles_what_it_contains_and_what_it_conflicts_with() {
    let mut orphans = Orphanage::new(OrphanLimits::default());
    let (contained, conflicting) = (spending(&[1], 1), spending(&[1, 2], 2));
    let other = spending(&[2], 3);
    for tx in [&contained, &conflicting, &other] {
        orphans.add(Arc::clone(tx), PeerNumber(1), 0);
    }
    assert_eq!(orphans.remove_spenders([contained.as_ref()].into_iter()), 2);
    assert_eq!(orphans.list().len(), 1);
    assert!(orphans.contains(&other.compute_wtxid()));
    check(&orphans);
}

#[test]
fn what_only_a_peer_gave_goes_with_it() {
    let mut orphans = Orphanage::new(OrphanLimits::default());
    let (shared, own) = (spending(&[1], 1), spending(&[1], 2));
    orphans.add(Arc::clone(&shared), PeerNumber(1), 0);
    orphans.add(Arc::clone(&shared), PeerNumber(2), 0);
    orphans.add(Arc::clone(&own), PeerNumber(1), 0);
    orphans.keep_peers(|peer| peer == PeerNumber(2));
    assert!(orphans.contains(&shared.compute_wtxid()));
    assert!(!orphans.contains(&own.compute_wtxid()));
    check(&orphans);
    orphans.keep_peers(|_| false);
    assert!(orphans.is_empty());
    check(&orphans);
}

#[test]
fn they_are_dropped_after_their_time_and_heavy_ones_are_not_kept() {
    let mut orphans = Orphanage::new(LIMITS);
    orphans.add(spending(&[1], 1), PeerNumber(1), 100);
    orphans.add(spending(&[1], 2), PeerNumber(1), 120);
    assert_eq!(orphans.expire(149), 0);
    assert_eq!(orphans.expire(150), 1);
    // The clock may go back.
    assert_eq!(orphans.expire(10), 0);
    assert_eq!(
        orphans.add(heavy(1, 4_000), PeerNumber(1), 150),
        KeptOrphan::Refused
    );
    assert_eq!(orphans.len(), 1);
    check(&orphans);
}

#[test]
fn a_flood_stays_in_bounds_and_leaves_the_others_alone() {
    let limits = OrphanLimits::default();
    let mut orphans = Orphanage::new(limits);
    let (honest, flooder) = (PeerNumber(1), PeerNumber(2));
    let real: Vec<_> = (0..100).map(|value| spending(&[7], value)).collect();
    for tx in &real {
        orphans.add(Arc::clone(tx), honest, 0);
    }
    for value in 0..10_000 {
        orphans.add(spending(&[3], value), flooder, 0);
    }
    check(&orphans);
    for value in 0..30 {
        orphans.add(heavy(value, 390_000), flooder, 0);
    }
    check(&orphans);
    assert!(orphans.weight() <= 2 * limits.weight_per_peer);
    for tx in &real {
        assert!(orphans.contains(&tx.compute_wtxid()));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add {
        parents: Vec<u8>,
        value: u64,
        from: u64,
    },
    AddHeavy {
        value: u64,
        weight: u64,
        from: u64,
    },
    Remove(usize),
    Block(u8),
    Leave(u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let parents = proptest::collection::vec(1_u8..6, 1..14);
    prop_oneof![
        6 => (parents, 0_u64..6, 0_u64..4).prop_map(|(parents, value, from)| Step::Add { parents, value, from }),
        3 => (0_u64..6, 200_u64..4_000, 0_u64..4)
            .prop_map(|(value, weight, from)| Step::AddHeavy { value, weight, from }),
        2 => (0_usize..20).prop_map(Step::Remove),
        1 => (1_u8..6).prop_map(Step::Block),
        1 => (0_u64..4).prop_map(Step::Leave),
        1 => (0_u64..30).prop_map(Step::Wait),
    ]
}

/// The rules in the simplest form: a list of announcements in their order.
#[derive(Default)]
struct Model(Vec<(Arc<Transaction>, PeerNumber, u64)>);

impl Model {
    fn add(&mut self, tx: &Arc<Transaction>, from: PeerNumber, now: u64) {
        self.expire(now);
        if tx.weight().to_wu() > LIMITS.max_weight
            || self.0.iter().any(|a| a.0 == *tx && a.1 == from)
        {
            return;
        }
        let since = self.0.iter().find(|a| a.0 == *tx).map_or(now, |a| a.2);
        self.0.push((Arc::clone(tx), from, since));
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.is_over() {
            let worst = self.peers().into_iter().max_by(|a, b| {
                let use_of = |peer: &PeerNumber| {
                    let own = || self.0.iter().filter(|a| a.1 == *peer);
                    let weight: u64 = own().map(|a| a.0.weight().to_wu()).sum();
                    let cost: u64 = own().map(|a| cost(&a.0)).sum();
                    let peers = self.peers().len() as u64;
                    (weight * LIMITS.announcements).max(cost * peers * LIMITS.weight_per_peer)
                };
                use_of(a).cmp(&use_of(b))
            });
            let oldest = self.0.iter().position(|a| Some(a.1) == worst).unwrap();
            self.0.remove(oldest);
        }
    }

    fn peers(&self) -> BTreeSet<PeerNumber> {
        self.0.iter().map(|a| a.1).collect()
    }

    fn ids(&self) -> BTreeSet<Wtxid> {
        self.0.iter().map(|a| a.0.compute_wtxid()).collect()
    }

    fn is_over(&self) -> bool {
        let each: HashMap<Wtxid, u64> = self
            .0
            .iter()
            .map(|a| (a.0.compute_wtxid(), a.0.weight().to_wu()))
            .collect();
        each.values().sum::<u64>() > LIMITS.weight_per_peer * self.peers().len() as u64
            || self.0.iter().map(|a| cost(&a.0)).sum::<u64>() > LIMITS.announcements
    }

    fn expire(&mut self, now: u64) {
        self.0.retain(|a| now - a.2 < LIMITS.lifetime_s);
    }
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut orphans, mut model, mut now) = (Orphanage::new(LIMITS), Model::default(), 1_000);
        for step in steps {
            match step {
                Step::Add { parents, value, from } => {
                    let tx = spending(&parents, value);
                    orphans.add(Arc::clone(&tx), PeerNumber(from), now);
                    model.add(&tx, PeerNumber(from), now);
                }
                Step::AddHeavy { value, weight, from } => {
                    let tx = heavy(value, weight);
                    orphans.add(Arc::clone(&tx), PeerNumber(from), now);
                    model.add(&tx, PeerNumber(from), now);
                }
                Step::Remove(index) => {
                    if let Some(orphan) = orphans.list().get(index) {
                        orphans.remove(&orphan.wtxid);
                        model.0.retain(|a| a.0 != orphan.tx);
                    }
                }
                Step::Block(number) => {
                    let block = spending(&[number], 99);
                    orphans.remove_spenders([block.as_ref()].into_iter());
                    let spent = block.input[0].previous_output;
                    model.0.retain(|a| a.0.input.iter().all(|input| input.previous_output != spent));
                }
                Step::Leave(number) => {
                    orphans.keep_peers(|peer| peer != PeerNumber(number));
                    model.0.retain(|a| a.1 != PeerNumber(number));
                }
                Step::Wait(seconds) => {
                    now += seconds;
                    orphans.expire(now);
                    model.expire(now);
                }
            }
            model.make_room();
            check(&orphans);
            let ids: BTreeSet<Wtxid> = orphans.list().iter().map(|orphan| orphan.wtxid).collect();
            prop_assert_eq!(ids, model.ids());
        }
    }
}
