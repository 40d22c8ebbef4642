//! Blocks, bounds and the log of changes, without a chain.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, CompactTarget, Transaction, TxMerkleNode};
use pyrite_consensus::{HashedBlock, Height};

use super::Cursor;
use crate::testing::{Bench, TIP_HEIGHT, open_transaction, output_of};
use crate::{Changes, FeeRate, MempoolError, RemovalReason};

fn connect(bench: &mut Bench, transactions: &[&Transaction]) {
    let header = Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 0,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    let txdata = transactions
        .iter()
        .map(|transaction| (*transaction).clone())
        .collect();
    let cursor = Cursor {
        hash: header.block_hash(),
        height: Height(TIP_HEIGHT + 1),
    };
    let block = HashedBlock::new(Arc::new(Block { header, txdata }));
    bench.state.connect_block(&block);
    bench.state.move_cursor(cursor, bench.now);
}

fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.output[0].value.to_sat() - fee;
    open_transaction(&[output_of(parent, 0)], &[value])
}

#[test]
fn a_block_takes_what_it_contains_and_leaves_the_children() {
    let mut bench = Bench::new();
    let chain = bench.submit_chain(3);
    connect(&mut bench, &[&chain[0], &chain[1]]);
    assert_eq!(bench.state.pool.len(), 1);
    let slot = bench.state.pool.slot(&chain[2].compute_txid()).unwrap();
    assert_eq!(bench.state.pool.parents(slot), []);
    assert_eq!(bench.state.cursor.height, Height(TIP_HEIGHT + 1));
}

#[test]
fn a_block_drops_conflicts_with_their_descendants() {
    let mut bench = Bench::new();
    let chain = bench.submit_chain(2);
    let unrelated = bench.paying(1_000);
    bench.submit(&unrelated).unwrap();
    let before = bench.state.sequence;
    let conflict = open_transaction(&[chain[0].input[0].previous_output], &[5_000]);
    connect(&mut bench, &[&conflict]);
    assert_eq!(bench.state.pool.len(), 1);
    assert!(bench.state.pool.contains(&unrelated.compute_txid()));
    let changes = bench.state.changes_since(before);
    let conflict = RemovalReason::Conflict;
    assert_eq!(
        changes.removed,
        [
            (chain[0].compute_txid(), conflict),
            (chain[1].compute_txid(), conflict)
        ]
    );
}

#[test]
fn the_bound_in_bytes_is_never_exceeded() {
    let mut bench = Bench::new();
    let first = bench.paying(1_000);
    bench.submit(&first).unwrap();
    let one = bench.state.pool.usage();
    bench.config.max_bytes = 10 * one + one / 2;
    let mut refused = 0;
    for number in 1..=200 {
        let tx = bench.paying(100 + number * 37 % 1_000);
        match bench.submit(&tx) {
            Ok(_) => assert!(bench.state.pool.contains(&tx.compute_txid())),
            Err(MempoolError::Full | MempoolError::BelowMempoolMinFee { .. }) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert!(bench.state.pool.usage() <= bench.config.max_bytes);
    }
    assert_eq!(bench.state.pool.len(), 10);
    assert!(refused > 0);
    // What stayed pays more than what would be refused now.
    let min_fee = bench.min_fee();
    assert!(min_fee > FeeRate(1_000));
    let cheap = bench.paying(100);
    let error = bench.submit(&cheap).unwrap_err();
    assert_eq!(error.reject_reason(), "mempool min fee not met");
}

#[test]
fn an_eviction_takes_the_cheapest_package() {
    let mut bench = Bench::new();
    let dear = bench.paying(50_000);
    let parent = bench.paying(200);
    let cheap = child(&parent, 200);
    for tx in [&dear, &parent, &cheap] {
        bench.submit(tx).unwrap();
    }
    let before = bench.state.sequence;
    bench.config.max_bytes = bench.state.pool.usage();
    let next = bench.paying(2_000);
    bench.submit(&next).unwrap();
    assert!(bench.state.pool.contains(&dear.compute_txid()));
    assert!(bench.state.pool.contains(&next.compute_txid()));
    assert!(!bench.state.pool.contains(&cheap.compute_txid()));
    let removed = bench.state.changes_since(before).removed;
    assert!(removed.contains(&(cheap.compute_txid(), RemovalReason::SizeLimit)));
}

#[test]
fn what_waited_two_weeks_expires_with_its_descendants() {
    let mut bench = Bench::new();
    let chain = bench.submit_chain(2);
    bench.now += bench.config.expiry_s;
    let late = bench.paying(1_000);
    bench.submit(&late).unwrap();
    assert_eq!(bench.state.pool.len(), 3);
    let before = bench.state.sequence;
    bench.now += 1;
    bench.state.keep_bounds(&bench.config, bench.now);
    assert_eq!(bench.state.pool.len(), 1);
    let expired = RemovalReason::Expired;
    assert_eq!(
        bench.state.changes_since(before).removed,
        [
            (chain[0].compute_txid(), expired),
            (chain[1].compute_txid(), expired)
        ]
    );
}

#[test]
fn changes_tell_the_net_effect() {
    let mut bench = Bench::new();
    let start = bench.state.sequence;
    let chain = bench.submit_chain(3);
    let middle = bench.state.sequence;
    connect(&mut bench, &[&chain[0]]);
    let changes = bench.state.changes_since(start);
    let added: Vec<_> = changes
        .added
        .iter()
        .map(|(tx, _)| tx.compute_txid())
        .collect();
    assert_eq!(added, [chain[1].compute_txid(), chain[2].compute_txid()]);
    assert_eq!(
        changes.removed,
        [(chain[0].compute_txid(), RemovalReason::Block)]
    );
    assert_eq!(
        (changes.sequence, changes.complete),
        (bench.state.sequence, true)
    );
    assert_eq!(bench.state.changes_since(middle).added, []);

    let sequence = bench.state.sequence;
    let nothing = Changes {
        sequence,
        added: vec![],
        removed: vec![],
        complete: true,
    };
    assert_eq!(bench.state.changes_since(sequence), nothing);
    assert!(!bench.state.changes_since(sequence + 1).complete);
}

#[test]
fn the_minimum_fades_only_after_a_block() {
    let mut bench = Bench::new();
    let tx = bench.paying(5_000);
    bench.submit(&tx).unwrap();
    bench.config.max_bytes = bench.state.pool.usage();
    let better = bench.paying(9_000);
    bench.submit(&better).unwrap();
    let bumped = bench.min_fee();
    assert!(bumped > FeeRate(50_000));
    bench.now += 24 * 60 * 60;
    assert_eq!(bench.min_fee(), bumped);
    connect(&mut bench, &[&better]);
    bench.now += 3 * 60 * 60;
    let (half, now) = (bench.min_fee().0, bumped.0);
    assert!(half.abs_diff(now / 2) <= 1, "{half} is not half of {now}");
}
