//! Submitting and testing transactions.

use std::sync::Arc;
use std::thread;

use pyrite_consensus::bitcoin::{ScriptBuf, Transaction, script};

use super::fixture::{Fixture, child};
use crate::{FeeRate, MempoolError};

#[test]
fn submitting_follows_the_chain_first() {
    let fixture = Fixture::new();
    let first = fixture.spend(0, 1_000);
    fixture.submit(&first).unwrap();
    fixture.mine(&[fixture.spend(0, 2_000)]);
    fixture.submit(&fixture.spend(1, 1_000)).unwrap();
    assert!(!fixture.holds(&first));
    assert_eq!(fixture.mempool.snapshot().tip, fixture.tip());
    assert_eq!(fixture.mempool.info().size, 1);
}

#[test]
fn wrong_scripts_are_refused_and_blamed() {
    let fixture = Fixture::new();
    let mut tx = fixture.spend(0, 1_000);
    tx.input[0].script_sig = script::Builder::new().push_slice([0x52]).into_script();
    let error = fixture.submit(&tx).unwrap_err();
    assert!(matches!(error, MempoolError::Script(_)), "{error:?}");
    assert!(error.is_peer_fault());
    assert!(
        error
            .reject_reason()
            .starts_with("mempool-script-verify-flag-failed (")
    );
    let tx = Arc::new(tx);
    let error = fixture.mempool.test_accept(&tx, None).unwrap_err();
    assert!(matches!(error, MempoolError::Script(_)), "{error:?}");
}

#[test]
fn scripts_that_only_policy_refuses_are_named_and_nobody_is_blamed() {
    let fixture = Fixture::new();
    // A longer push than needed, and an element that is left over.
    for script_sig in [vec![0x4c, 1, 0x51], vec![0x51, 1, 0x51]] {
        let mut tx = fixture.spend(0, 1_000);
        tx.input[0].script_sig = ScriptBuf::from_bytes(script_sig);
        let error = fixture.submit(&tx).unwrap_err();
        assert!(
            matches!(error, MempoolError::NonStandardScript(_)),
            "{error:?}"
        );
        assert!(
            error
                .reject_reason()
                .starts_with("mempool-script-verify-flag-failed (")
        );
        assert!(!error.is_peer_fault());
        // A block may have it. When that block is undone, the transaction does not come back.
        let block = fixture.mine(std::slice::from_ref(&tx));
        let invalidated = fixture.chain.handle.invalidate_block(block.block_hash());
        invalidated.unwrap();
        fixture.mempool.sync().unwrap();
        assert!(!fixture.holds(&tx));
    }
}

#[test]
fn a_test_takes_nothing() {
    let fixture = Fixture::new();
    let tx = Arc::new(fixture.spend(0, 1_000));
    let sequence = fixture.mempool.snapshot().sequence;
    let accepted = fixture
        .mempool
        .test_accept(&tx, Some(FeeRate(1_000_000)))
        .unwrap();
    assert_eq!((accepted.txid, accepted.vsize), (tx.compute_txid(), 85));
    assert_eq!(fixture.mempool.snapshot().sequence, sequence);
    let error = fixture
        .mempool
        .test_accept(&tx, Some(FeeRate(10_000)))
        .unwrap_err();
    assert!(
        matches!(error, MempoolError::MaxFeeExceeded { .. }),
        "{error:?}"
    );
    fixture
        .mempool
        .test_accept(&tx, Some(FeeRate::ZERO))
        .unwrap();
}

#[test]
fn a_replacement_is_told() {
    let fixture = Fixture::new();
    let first = fixture.spend(0, 1_000);
    fixture.submit(&first).unwrap();
    let outpoint = first.input[0].previous_output;
    assert_eq!(
        fixture.mempool.spender(&outpoint),
        Some(first.compute_txid())
    );
    let cheap = fixture.submit(&fixture.spend(0, 1_001)).unwrap_err();
    assert_eq!(cheap.reject_reason(), "insufficient fee");
    let better = fixture.spend(0, 5_000);
    assert_eq!(fixture.submit(&better).unwrap(), [first.compute_txid()]);
    assert_eq!(
        fixture.mempool.spender(&outpoint),
        Some(better.compute_txid())
    );
}

#[test]
fn submitting_while_blocks_come_loses_nothing() {
    let fixture = Fixture::new();
    let transactions: Vec<Transaction> =
        (0..9).map(|number| fixture.spend(number, 1_000)).collect();
    thread::scope(|scope| {
        for chunk in transactions.chunks(3) {
            let fixture = &fixture;
            scope.spawn(move || {
                for tx in chunk {
                    fixture.submit(tx).unwrap();
                    fixture.submit(&child(tx, 2_000)).unwrap();
                }
            });
        }
        for _ in 0..20 {
            fixture.mine(&[]);
        }
    });
    fixture.mempool.sync().unwrap();
    let snapshot = fixture.mempool.snapshot();
    assert_eq!((snapshot.entries.len(), snapshot.tip), (18, fixture.tip()));
    let block: Vec<Transaction> = snapshot
        .entries
        .iter()
        .map(|entry| Transaction::clone(&entry.tx))
        .collect();
    fixture.mine(&block);
    fixture.mempool.sync().unwrap();
    assert!(fixture.mempool.all_txids().is_empty());
}
