//! The relay over a real chain and mempool.

use std::sync::Arc;

use pyrite_chain::Chain;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, script,
};
use pyrite_mempool::{MempoolConfig, MempoolHandle, OrphanLimits, OrphanPool, PeerNumber};
use pyrite_miner::{TemplateTip, build_template};
use pyrite_network::Verdict;
use tokio::sync::mpsc;

use super::*;
use crate::test_chain::{self, solved};

const SUBSIDY: u64 = 5_000_000_000;
const PEER: PeerNumber = PeerNumber(1);
const OTHER: PeerNumber = PeerNumber(2);
const REDEEM: [u8; 1] = [0x51];

/// A standard output script that anyone can spend.
fn open_script() -> ScriptBuf {
    ScriptBuf::new_p2sh(&Script::from_bytes(&REDEEM).script_hash())
}

struct Fixture {
    relay: Arc<Relay>,
    follower: RelayFollower,
    events: mpsc::Receiver<RelayEvent>,
    coinbases: Vec<Transaction>,
    chain: Chain,
    _directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = test_chain::config(&directory.path().join("database"));
        let clock = config.clock.clone();
        let chain = Chain::open(config).unwrap();
        let mut coinbases = Vec::new();
        for _ in 0..105 {
            coinbases.push(mine(&chain, &[]));
        }
        let reader = chain.reader.clone();
        let mempool = MempoolHandle::new(reader.clone(), clock.clone(), MempoolConfig::default());
        let pool = OrphanPool::new(OrphanLimits::default());
        let (relay, events) = Relay::new(reader, mempool, pool, clock);
        Self {
            follower: RelayFollower::new(Arc::clone(&relay)),
            relay,
            events,
            coinbases,
            chain,
            _directory: directory,
        }
    }

    /// A transaction that spends a mature coinbase.
    fn spend(&self, number: usize, fee: u64) -> Arc<Transaction> {
        let outpoint = OutPoint::new(self.coinbases[number].compute_txid(), 0);
        transaction(&[outpoint], &[SUBSIDY - fee])
    }

    fn submit(&self, tx: &Arc<Transaction>) -> Verdict {
        self.relay.submit(tx, PEER)
    }

    fn holds(&self, tx: &Transaction) -> bool {
        self.relay.mempool.contains(&tx.compute_txid())
    }

    fn waits(&self, tx: &Transaction) -> bool {
        self.relay.orphans.lock().contains(&tx.compute_wtxid())
    }

    /// Follows until there is nothing to do; returns how many steps it took.
    fn follow(&mut self) -> usize {
        for steps in 1..1_000 {
            let before = *self.relay.mempool.watch().borrow();
            self.follower.step();
            if self.follower.is_idle() && before == *self.relay.mempool.watch().borrow() {
                return steps;
            }
        }
        panic!("it never ends");
    }

    /// What the network was told: transactions that were taken, and who was blamed.
    fn told(&mut self) -> (Vec<Arc<Transaction>>, Vec<PeerNumber>) {
        let (mut taken, mut blamed) = (Vec::new(), Vec::new());
        while let Ok(event) = self.events.try_recv() {
            match event {
                RelayEvent::Taken(tx) => taken.push(tx),
                RelayEvent::Blame(peer, _) => blamed.push(peer),
            }
        }
        (taken, blamed)
    }
}

/// Mines a block on the tip; returns its coinbase.
fn mine(chain: &Chain, transactions: &[Arc<Transaction>]) -> Transaction {
    let reader = &chain.reader;
    let hash = reader.tip().hash;
    let view = reader.header_chain(&hash).unwrap();
    let tip = TemplateTip {
        parent: &view,
        hash,
    };
    let now = u64::from(reader.spec().genesis.time) + 3600;
    let template = build_template(reader.spec(), &tip, &[], &open_script(), now);
    let mut block = template.block(1, template.time, 0);
    // Without witnesses the commitment to them need not be there.
    block
        .txdata
        .extend(transactions.iter().map(|tx| Transaction::clone(tx)));
    if !transactions.is_empty() {
        block.txdata[0].output.truncate(1);
        block.txdata[0].input[0].witness = Witness::new();
    }
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    let block = solved(block);
    let coinbase = block.txdata[0].clone();
    chain.handle.submit_block(Arc::new(block)).unwrap();
    assert_ne!(chain.reader.tip().hash, hash);
    coinbase
}

fn transaction(inputs: &[OutPoint], values: &[u64]) -> Arc<Transaction> {
    let input = |outpoint: &OutPoint| TxIn {
        previous_output: *outpoint,
        script_sig: script::Builder::new().push_slice(REDEEM).into_script(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    let output = |value: &u64| TxOut {
        value: Amount::from_sat(*value),
        script_pubkey: open_script(),
    };
    Arc::new(Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.iter().map(input).collect(),
        output: values.iter().map(output).collect(),
    })
}

fn child(parent: &Transaction, fee: u64) -> Arc<Transaction> {
    let value = parent.output[0].value.to_sat() - fee;
    transaction(&[OutPoint::new(parent.compute_txid(), 0)], &[value])
}

fn orphan_of(parents: &[&Transaction]) -> Verdict {
    let mut missing: Vec<_> = parents.iter().map(|tx| tx.compute_txid()).collect();
    missing.sort_unstable();
    Verdict::Orphan { missing }
}

#[test]
fn a_child_waits_for_its_parent_and_a_family_is_settled_step_by_step() {
    let mut fixture = Fixture::new();
    let mut family = vec![fixture.spend(0, 1_000)];
    for _ in 0..20 {
        family.push(child(family.last().unwrap(), 1_000));
    }
    for pair in family.windows(2).rev() {
        assert_eq!(fixture.submit(&pair[1]), orphan_of(&[&pair[0]]));
    }
    assert_eq!(fixture.follow(), 1);
    assert_eq!(fixture.relay.orphans.lock().len(), 20);
    assert_eq!(fixture.submit(&family[0]), Verdict::Accept);
    assert!(fixture.follow() > 20, "one generation at a time");
    assert!(family.iter().all(|tx| fixture.holds(tx)));
    assert!(fixture.relay.orphans.lock().is_empty());
    assert_eq!(fixture.told(), (family[1..].to_vec(), Vec::new()));
}

#[test]
fn the_parent_may_come_by_another_door() {
    let mut fixture = Fixture::new();
    let by_mempool = fixture.spend(0, 1_000);
    let by_block = fixture.spend(1, 1_000);
    let children = [child(&by_mempool, 1_000), child(&by_block, 1_000)];
    for tx in &children {
        assert!(matches!(fixture.submit(tx), Verdict::Orphan { .. }));
    }
    fixture.relay.mempool.submit(by_mempool).unwrap();
    fixture.follow();
    assert!(fixture.holds(&children[0]) && fixture.waits(&children[1]));
    mine(&fixture.chain, &[by_block]);
    fixture.follow();
    assert!(fixture.holds(&children[1]));
}

#[test]
fn a_block_settles_orphans_that_it_makes_impossible() {
    let mut fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let (confirmed, conflicting) = (child(&parent, 1_000), child(&parent, 2_000));
    for tx in [&confirmed, &conflicting] {
        fixture.submit(tx);
    }
    mine(&fixture.chain, &[parent, confirmed]);
    fixture.follow();
    assert!(fixture.relay.orphans.lock().is_empty());
    assert!(!fixture.holds(&conflicting));
}

#[test]
fn a_child_pays_for_a_parent_that_came_first() {
    let mut fixture = Fixture::new();
    let parent = fixture.spend(0, 0);
    let paying = child(&parent, 10_000);
    assert!(matches!(fixture.submit(&parent), Verdict::Ignore(_)));
    assert_eq!(fixture.submit(&paying), Verdict::Accept);
    assert!(fixture.holds(&parent) && fixture.holds(&paying));
    // The child goes on with its own message, the parent has to be announced again.
    assert_eq!(fixture.told(), (vec![parent], Vec::new()));
}

#[test]
fn a_child_pays_for_a_parent_that_comes_later() {
    let mut fixture = Fixture::new();
    let parent = fixture.spend(0, 0);
    let (cheap, paying) = (child(&parent, 0), child(&parent, 10_000));
    assert_eq!(fixture.submit(&paying), orphan_of(&[&parent]));
    // Whatever came last is tried first, and fails.
    assert_eq!(fixture.submit(&cheap), orphan_of(&[&parent]));
    assert_eq!(fixture.submit(&parent), Verdict::Accept);
    assert!(fixture.holds(&parent) && fixture.holds(&paying) && !fixture.holds(&cheap));
    assert_eq!(fixture.told(), (vec![paying], Vec::new()));
}

#[test]
fn what_was_refused_is_not_checked_again_until_the_tip_moves() {
    let fixture = Fixture::new();
    let immature = fixture.spend(10, 1_000);
    let Verdict::Ignore(first) = fixture.submit(&immature) else {
        panic!("a coinbase is spent too early");
    };
    let Verdict::Ignore(second) = fixture.submit(&immature) else {
        panic!("it was refused");
    };
    assert_ne!(first, second);
    // Nor does a child of it wait.
    let hopeless = child(&immature, 1_000);
    assert!(matches!(fixture.submit(&hopeless), Verdict::Ignore(_)));
    assert!(!fixture.waits(&hopeless));
    let height = fixture.chain.reader.tip().height;
    assert_eq!(height, Height(105));
    for _ in 0..6 {
        mine(&fixture.chain, &[]);
    }
    assert_eq!(fixture.submit(&immature), Verdict::Accept);
    assert_eq!(fixture.submit(&hopeless), Verdict::Accept);
}

#[test]
fn whoever_gave_an_invalid_orphan_is_blamed() {
    let mut fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let greedy = transaction(&[OutPoint::new(parent.compute_txid(), 0)], &[SUBSIDY]);
    for peer in [PEER, OTHER] {
        fixture.relay.submit(&greedy, peer);
    }
    fixture.relay.mempool.submit(parent).unwrap();
    fixture.follow();
    assert!(!fixture.waits(&greedy));
    assert_eq!(fixture.told(), (Vec::new(), vec![PEER, OTHER]));
}

#[test]
fn a_flood_stays_in_bounds_and_real_orphans_still_resolve() {
    let mut fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let real = child(&parent, 1_000);
    assert!(matches!(fixture.submit(&real), Verdict::Orphan { .. }));
    for number in 0..4_000 {
        let unknown = OutPoint::new(fixture.coinbases[0].compute_txid(), 5 + number);
        fixture
            .relay
            .submit(&transaction(&[unknown], &[1_000]), OTHER);
    }
    assert!(fixture.relay.orphans.lock().len() <= 3_000);
    assert!(fixture.relay.orphans.lock().weight() <= 2 * 404_000);
    assert!(fixture.waits(&real));
    assert_eq!(fixture.submit(&parent), Verdict::Accept);
    fixture.follow();
    assert!(fixture.holds(&real));
    // The flooder leaves.
    fixture.follower.drop_old(&[PEER.0, 3]);
    assert!(fixture.relay.orphans.lock().is_empty());
}
