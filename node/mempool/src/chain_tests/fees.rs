//! The fee estimator behind a mempool on a real chain.

use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Transaction;

use super::fixture::{Fixture, child};
use crate::{
    EstimateMode, EstimatesError, FeeFallback, FeeHorizon, FeeRate, FeeReason, MempoolConfig,
    SavedEstimates, SmartEstimate,
};

/// Transactions that were confirmed, and those that left unconfirmed, by the short horizon.
fn counted(fixture: &Fixture) -> (f64, f64) {
    // With a threshold of one nothing passes, and everything is in one range that fails.
    let raw = fixture
        .mempool
        .estimate_raw_fee(1, 1.1, FeeHorizon::Short)
        .unwrap();
    let range = raw.fail.unwrap();
    (range.total_confirmed, range.left_mempool)
}

fn saved(fixture: &Fixture) -> SavedEstimates {
    SavedEstimates::decode(&fixture.mempool.encode_fee_estimates(5)).unwrap()
}

fn mine(fixture: &Fixture, transactions: &[Transaction]) {
    fixture.mine(transactions);
    fixture.mempool.sync().unwrap();
}

#[test]
fn blocks_confirm_what_came_alone() {
    let fixture = Fixture::new();
    let first = fixture.spend(0, 1_000);
    let second = child(&first, 1_000);
    fixture.submit(&first).unwrap();
    fixture.submit(&second).unwrap();
    mine(&fixture, &[first, second]);
    let (confirmed, left) = counted(&fixture);
    // The child was mined with its parent: that says nothing.
    assert_eq!((confirmed, left), (1.0, 0.0));
    // Empty blocks pass too, also while the mempool is empty.
    mine(&fixture, &[]);
    mine(&fixture, &[]);
    assert_eq!(saved(&fixture).estimator.best_height(), Height(112));
    assert!((counted(&fixture).0 - 0.962 * 0.962).abs() < 1e-12);
}

#[test]
fn what_came_in_a_package_says_nothing() {
    let fixture = Fixture::new();
    let tx = fixture.spend(0, 1_000);
    let taken = fixture
        .mempool
        .submit_package(&[Arc::new(tx.clone())], None);
    assert_eq!(taken.unwrap().error, None);
    mine(&fixture, &[tx]);
    assert_eq!(counted(&fixture), (0.0, 0.0));
}

#[test]
fn the_fallback_answers_where_nothing_is_known() {
    let nothing = Fixture::new()
        .mempool
        .estimate_smart_fee(6, EstimateMode::Economical);
    assert_eq!((nothing.rate, nothing.blocks), (None, 0));
    let fixture = Fixture::with_config(MempoolConfig {
        fee_fallback: FeeFallback::NextBlocks,
        ..MempoolConfig::default()
    });
    fixture.submit(&fixture.spend(0, 1_000)).unwrap();
    let estimate = fixture
        .mempool
        .estimate_smart_fee(6, EstimateMode::Economical);
    let expected = SmartEstimate {
        rate: Some(FeeRate(100)),
        reason: FeeReason::Fallback,
        blocks: 6,
    };
    assert_eq!(estimate, expected);
}

#[test]
fn what_is_replaced_after_a_block_counts_against_its_rate() {
    let fixture = Fixture::new();
    let cheap = fixture.spend(0, 1_000);
    fixture.submit(&cheap).unwrap();
    mine(&fixture, &[]);
    fixture.submit(&fixture.spend(0, 10_000)).unwrap();
    assert_eq!(counted(&fixture), (0.0, 1.0));
}

#[test]
fn a_reorganisation_teaches_nothing_twice() {
    let fixture = Fixture::new();
    let fork = fixture.tip();
    let tx = fixture.spend(0, 1_000);
    fixture.submit(&tx).unwrap();
    mine(&fixture, std::slice::from_ref(&tx));
    fixture.overtake(fork, &[&[], &[]]);
    fixture.mempool.sync().unwrap();
    assert!(fixture.holds(&tx));
    // It came back from a block: nobody knows since when it waits.
    mine(&fixture, &[tx]);
    let (confirmed, left) = counted(&fixture);
    assert!((confirmed - 0.962 * 0.962).abs() < 1e-12, "{confirmed}");
    assert_eq!(left, 0.0);
}

#[test]
fn enough_blocks_give_an_estimate_and_a_restart_keeps_it() {
    let fixture = Fixture::new();
    let mut spent = fixture.spend(0, 1_000);
    fixture.submit(&spent).unwrap();
    mine(&fixture, &[spent.clone()]);
    for _ in 0..20 {
        let next = child(&spent, 1_000);
        fixture.submit(&next).unwrap();
        mine(&fixture, std::slice::from_ref(&next));
        spent = next;
    }
    let estimate = |fixture: &Fixture| {
        fixture
            .mempool
            .estimate_smart_fee(6, EstimateMode::Economical)
    };
    let before = estimate(&fixture);
    let next = Arc::new(child(&spent, 1_000));
    let paid = fixture.mempool.test_accept(&next, None);
    let paid = paid.unwrap();
    assert_eq!(before.rate, Some(FeeRate::of(paid.fee, paid.vsize)));
    assert_eq!(before.blocks, 6);
    fixture.mempool.finish_fee_estimates();
    let kept = saved(&fixture);

    let shorter = Fixture::new();
    let error = shorter
        .mempool
        .restore_fee_estimates(kept.estimator.clone());
    let (height, tip) = (Height(130), Height(109));
    assert_eq!(error, Err(EstimatesError::AboveTip { height, tip }));
    assert_eq!(estimate(&shorter).rate, None);

    let longer = Fixture::new();
    for _ in 0..22 {
        longer.mine(&[]);
    }
    longer.mempool.sync().unwrap();
    longer
        .mempool
        .restore_fee_estimates(kept.estimator)
        .unwrap();
    assert_eq!(estimate(&longer).rate, before.rate);
    assert_eq!(saved(&longer).estimator.best_height(), Height(131));
}
