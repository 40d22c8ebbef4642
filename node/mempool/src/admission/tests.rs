//! Each rule of admission with what it accepts and what it rejects.

use pyrite_consensus::TransactionError;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxOut, Witness,
};

use super::plan::SiblingEviction;
use super::{PlanRules, plan_return};
use crate::testing::{Bench, SPACING, START, TIP_HEIGHT, open_transaction, output_of};
use crate::{Evicts, FeeRate, MempoolError, NonStandard, ReplacementError, TrucViolation};

/// The median time past of the test's tip: the time of the sixth of the last eleven blocks.
const MEDIAN_TIME_PAST: u32 = START + SPACING * (TIP_HEIGHT - 5);

macro_rules! assert_rejected {
    ($result:expr, $pattern:pat $(if $guard:expr)?, $reason:expr) => {
        match $result {
            Err(error) => {
                assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
                assert_eq!(error.reject_reason(), $reason);
            }
            Ok(_) => panic!("accepted, expected {}", $reason),
        }
    };
}

/// Spends an output of `parent` with a fee.
fn child(parent: &Transaction, vout: u32, fee: u64) -> Transaction {
    let value = parent.output[vout as usize].value.to_sat() - fee;
    open_transaction(&[output_of(parent, vout)], &[value])
}

/// Whether a transaction of a block that left the best chain comes back.
fn returns(bench: &Bench, tx: &Transaction) -> Result<(), MempoolError> {
    bench.with_admission(|admission| {
        let draft = bench.draft(admission, tx)?;
        plan_return(&bench.config, &bench.state.pool, &draft).map(|_| ())
    })
}

/// A transaction with two outputs of the same value, from a fresh coin.
fn fork(bench: &mut Bench, fee: u64) -> Transaction {
    let coin = bench.fund(1_000_000 + fee);
    open_transaction(&[coin], &[500_000, 500_000])
}

#[test]
fn a_plain_transaction_is_taken_once() {
    let mut bench = Bench::new();
    let tx = bench.paying(1_000);
    let (draft, plan) = bench.check(&tx).unwrap();
    assert_eq!(draft.fee, Amount::from_sat(1_000));
    assert_eq!(draft.weight, tx.weight().to_wu());
    assert_eq!(draft.vsize, tx.weight().to_wu().div_ceil(4));
    assert_eq!((plan.total_fee(), plan.evicted.len()), (1_000, 0));
    bench.submit(&tx).unwrap();
    assert_rejected!(
        bench.submit(&tx),
        MempoolError::AlreadyInMempool,
        "txn-already-in-mempool"
    );
    let mut other = tx;
    other.input[0].witness = Witness::from_slice(&[vec![1]]);
    assert_rejected!(
        bench.submit(&other),
        MempoolError::SameTxidInMempool,
        "txn-same-nonwitness-data-in-mempool"
    );
}

#[test]
fn a_transaction_must_be_well_formed() {
    let mut bench = Bench::new();
    let mut tx = bench.paying(1_000);
    tx.output.clear();
    assert_rejected!(
        bench.check(&tx),
        MempoolError::Invalid(TransactionError::NoOutputs),
        "bad-txns-vout-empty"
    );
    let mut coinbase = bench.paying(1_000);
    coinbase.input[0].previous_output = OutPoint::null();
    assert_rejected!(bench.check(&coinbase), MempoolError::Coinbase, "coinbase");
}

#[test]
fn a_nonstandard_transaction_needs_the_setting() {
    let mut bench = Bench::new();
    let mut tx = bench.paying(1_000);
    tx.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 5]);
    assert_rejected!(
        bench.check(&tx),
        MempoolError::NonStandard(NonStandard::ScriptPubkey),
        "scriptpubkey"
    );
    let coin = bench.fund_with(ScriptBuf::from_bytes(vec![0x51]), 10_000);
    let spend = open_transaction(&[coin], &[9_000]);
    assert_rejected!(
        bench.check(&spend),
        MempoolError::NonStandard(NonStandard::Inputs),
        "bad-txns-nonstandard-inputs"
    );
    let mut ballast = bench.paying(1_000);
    ballast.input[0].witness = Witness::from_slice(&[vec![1]]);
    assert_rejected!(
        bench.check(&ballast),
        MempoolError::NonStandard(NonStandard::Witness),
        "bad-witness-nonstandard"
    );
    bench.config.accept_nonstandard = true;
    for tx in [&tx, &spend, &ballast] {
        bench.check(tx).unwrap();
    }
    // Size has nothing to do with taste.
    tx.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51]);
    assert_rejected!(
        bench.check(&tx),
        MempoolError::NonStandard(NonStandard::TooSmall),
        "tx-size-small"
    );
}

#[test]
fn a_witness_waits_for_its_deployment() {
    let mut bench = Bench::new();
    bench.config.accept_nonstandard = true;
    let mut tx = bench.paying(1_000);
    tx.input[0].witness = Witness::from_slice(&[vec![1]]);
    bench.spec.deployments.segwit = TIP_HEIGHT + 1;
    bench.check(&tx).unwrap();
    bench.spec.deployments.segwit = TIP_HEIGHT + 2;
    assert_rejected!(
        bench.check(&tx),
        MempoolError::WitnessNotActive,
        "no-witness-yet"
    );
}

#[test]
fn sigops_are_bounded() {
    let mut bench = Bench::new();
    let mut bare = vec![0x51, 33, 2];
    bare.extend([7; 32]);
    bare.extend([0x51, 0xae]);
    let with_outputs = |coin, count| {
        let mut tx = open_transaction(&[coin], &[]);
        let script_pubkey = ScriptBuf::from_bytes(bare.clone());
        tx.output = vec![
            TxOut {
                value: Amount::from_sat(1_000),
                script_pubkey
            };
            count
        ];
        tx
    };
    // A bare multisig counts for 20 sigops, each four times.
    let coin = bench.fund(10_000_000);
    let (draft, _) = bench.check(&with_outputs(coin, 200)).unwrap();
    assert_eq!((draft.sigop_cost, draft.vsize), (16_000, 80_000));
    assert_eq!(draft.adjusted_weight, 320_000);
    assert_rejected!(
        bench.check(&with_outputs(coin, 201)),
        MempoolError::NonStandard(NonStandard::TooManySigops { cost: 16_080 }),
        "bad-txns-too-many-sigops"
    );
}

#[test]
fn a_transaction_must_be_final_in_the_next_block() {
    let mut bench = Bench::new();
    let mut tx = bench.paying(1_000);
    tx.input[0].sequence = Sequence::ENABLE_LOCKTIME_NO_RBF;
    for (lock_time, is_final) in [
        (TIP_HEIGHT, true),
        (TIP_HEIGHT + 1, false),
        (MEDIAN_TIME_PAST - 1, true),
        (MEDIAN_TIME_PAST, false),
    ] {
        tx.lock_time = LockTime::from_consensus(lock_time);
        if is_final {
            bench.check(&tx).unwrap();
        } else {
            assert_rejected!(bench.check(&tx), MempoolError::NonFinal, "non-final");
        }
    }
}

#[test]
fn relative_locks_must_have_passed() {
    let mut bench = Bench::new();
    let mut tx = bench.paying(1_000);
    // The coin is of height 100, so it is 201 deep in the next block.
    tx.input[0].sequence = Sequence::from_height(201);
    bench.check(&tx).unwrap();
    tx.input[0].sequence = Sequence::from_height(202);
    assert_rejected!(
        bench.check(&tx),
        MempoolError::NonBip68Final,
        "non-BIP68-final"
    );

    let parent = bench.paying(1_000);
    bench.submit(&parent).unwrap();
    let mut dependent = child(&parent, 0, 1_000);
    dependent.input[0].sequence = Sequence::from_height(1);
    assert_rejected!(
        bench.check(&dependent),
        MempoolError::NonBip68Final,
        "non-BIP68-final"
    );
    dependent.input[0].sequence = Sequence::from_height(0);
    bench.check(&dependent).unwrap();
}

#[test]
fn inputs_must_exist_be_mature_and_worth_enough() {
    let mut bench = Bench::new();
    let unknown = open_transaction(&[output_of(&bench.paying(5_000), 7)], &[10_000]);
    let wanted = unknown.input[0].previous_output;
    assert_rejected!(
        bench.check(&unknown),
        MempoolError::MissingInputs(missing) if *missing == [wanted],
        "bad-txns-inputs-missingorspent"
    );

    let coin = bench.fund(10_000);
    let greedy = open_transaction(&[coin], &[10_001]);
    assert_rejected!(
        bench.check(&greedy),
        MempoolError::Invalid(TransactionError::InputsBelowOutputs { .. }),
        "bad-txns-in-belowout"
    );

    let tx = open_transaction(&[coin], &[9_000]);
    let entry = bench.coins.get_mut(&coin).unwrap();
    entry.is_coinbase = true;
    entry.height.0 = TIP_HEIGHT - 98; // 99 deep in the next block
    assert_rejected!(
        bench.check(&tx),
        MempoolError::Invalid(TransactionError::ImmatureCoinbase { .. }),
        "bad-txns-premature-spend-of-coinbase"
    );
    bench.coins.get_mut(&coin).unwrap().height.0 = TIP_HEIGHT - 99;
    bench.check(&tx).unwrap();
}

#[test]
fn an_output_that_a_parent_lacks_is_missing() {
    let mut bench = Bench::new();
    let parent = bench.paying(1_000);
    bench.submit(&parent).unwrap();
    bench.check(&child(&parent, 0, 1_000)).unwrap();
    let orphan = open_transaction(&[output_of(&parent, 1)], &[1_000]);
    assert_rejected!(
        bench.check(&orphan),
        MempoolError::MissingInputs(_),
        "bad-txns-inputs-missingorspent"
    );
}

#[test]
fn the_relay_minimum_is_asked_of_what_is_submitted() {
    let mut bench = Bench::new();
    let free = bench.paying(0);
    let vsize = free.weight().to_wu().div_ceil(4);
    let required = FeeRate(100).fee_for(vsize);
    let error = bench.check(&free).unwrap_err();
    assert_eq!(
        error.reject_string(),
        format!("min relay fee not met, 0 < {}", required.to_sat())
    );
    assert!(matches!(error, MempoolError::BelowMinRelayFee { .. }));
    returns(&bench, &free).unwrap();
    let paying = bench.paying(required.to_sat());
    bench.check(&paying).unwrap();
}

#[test]
fn a_cluster_has_64_transactions_at_most() {
    let mut bench = Bench::new();
    let chain = bench.submit_chain(64);
    let next = child(&chain[63], 0, 1_000);
    let error = bench.check(&next).unwrap_err();
    assert_eq!(error.reject_string(), "too-large-cluster");
    assert!(matches!(error, MempoolError::TooLargeCluster));

    // Siblings count as ancestors do.
    let coin = bench.fund(10_000_000);
    let parent = open_transaction(&[coin], &[100_000; 64]);
    bench.submit(&parent).unwrap();
    for vout in 0..63 {
        bench.submit(&child(&parent, vout, 1_000)).unwrap();
    }
    assert_rejected!(
        bench.check(&child(&parent, 63, 1_000)),
        MempoolError::TooLargeCluster,
        "too-large-cluster"
    );
    // One that takes a sibling's place adds none.
    let both = [output_of(&parent, 0), output_of(&parent, 63)];
    bench.check(&open_transaction(&both, &[190_000])).unwrap();
}

#[test]
fn a_cluster_is_bounded_in_size() {
    // Each of these has 85 virtual bytes, or 340 weight units: no rounding for each.
    let mut bench = Bench::new();
    bench.config.limits.vsize = 85 * 6 - 1;
    let chain = bench.submit_chain(5);
    assert_rejected!(
        bench.check(&child(&chain[4], 0, 1_000)),
        MempoolError::TooLargeCluster,
        "too-large-cluster"
    );
    bench.config.limits.vsize += 1;
    bench.submit(&child(&chain[4], 0, 1_000)).unwrap();
    bench.config.limits.vsize = 84;
    let alone = bench.paying(1_000);
    assert_rejected!(
        bench.check(&alone),
        MempoolError::TooLargeCluster,
        "too-large-cluster"
    );
}

#[test]
fn two_clusters_that_join_count_together() {
    let mut bench = Bench::new();
    bench.config.limits.count = 5;
    let left = bench.submit_chain(2);
    let right = bench.submit_chain(3);
    let joint = [output_of(&left[1], 0), output_of(&right[2], 0)];
    let joint = open_transaction(&joint, &[1_900_000]);
    assert_rejected!(
        bench.check(&joint),
        MempoolError::TooLargeCluster,
        "too-large-cluster"
    );
    bench.config.limits.count = 6;
    bench.submit(&joint).unwrap();
    let slot = bench.state.pool.slot(&left[0].compute_txid()).unwrap();
    let members = bench.state.pool.cluster_of(slot);
    assert_eq!(
        members.iter().map(|(slots, _)| slots.len()).sum::<usize>(),
        6
    );
}

#[test]
fn a_replacement_pays_for_all_and_for_itself() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    let first = open_transaction(&[coin], &[999_000]);
    bench.submit(&first).unwrap();
    let dependent = child(&first, 0, 2_000);
    bench.submit(&dependent).unwrap();

    let replacement = |fee: u64| open_transaction(&[coin], &[1_000_000 - fee]);
    let error = bench.check(&replacement(999)).unwrap_err();
    assert_eq!(
        error.reject_string(),
        format!(
            "insufficient fee, rejecting replacement {}, less fees than conflicting txs; \
             0.00000999 < 0.00003",
            replacement(999).compute_txid()
        )
    );
    assert_rejected!(
        bench.check(&replacement(2_999)),
        MempoolError::Replacement {
            reason: ReplacementError::LowerFee { .. },
            ..
        },
        "insufficient fee"
    );
    assert_rejected!(
        bench.check(&replacement(3_001)),
        MempoolError::Replacement {
            reason: ReplacementError::IncrementTooSmall { .. },
            ..
        },
        "insufficient fee"
    );
    let replaced = bench.submit(&replacement(3_100)).unwrap();
    assert_eq!(replaced, [first.compute_txid(), dependent.compute_txid()]);
    assert_eq!(bench.state.pool.len(), 1);
}

#[test]
fn what_does_not_signal_is_replaced_too() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    let mut first = open_transaction(&[coin], &[999_000]);
    first.input[0].sequence = Sequence::MAX;
    bench.submit(&first).unwrap();
    let replaced = bench
        .submit(&open_transaction(&[coin], &[998_000]))
        .unwrap();
    assert_eq!(replaced, [first.compute_txid()]);
}

#[test]
fn a_replacement_may_add_unconfirmed_inputs() {
    let mut bench = Bench::new();
    let other = bench.paying(1_000);
    bench.submit(&other).unwrap();
    let coin = bench.fund(1_000_000);
    bench
        .submit(&open_transaction(&[coin], &[999_000]))
        .unwrap();
    let replacement = open_transaction(&[coin, output_of(&other, 0)], &[1_900_000]);
    assert_eq!(bench.submit(&replacement).unwrap().len(), 1);
    assert_eq!(bench.state.pool.len(), 2);
}

#[test]
fn a_replacement_touches_100_clusters_at_most() {
    let mut bench = Bench::new();
    let coins: Vec<OutPoint> = (0..101).map(|_| bench.fund(1_000_000)).collect();
    for coin in &coins {
        let parent = open_transaction(&[*coin], &[999_000]);
        bench.submit(&parent).unwrap();
        // What goes with a conflict does not count.
        bench.submit(&child(&parent, 0, 1_000)).unwrap();
    }
    let (_, plan) = bench
        .check(&open_transaction(&coins[1..], &[50_000_000]))
        .unwrap();
    assert_eq!(plan.evicted.len(), 200);
    let error = bench
        .check(&open_transaction(&coins, &[50_000_000]))
        .unwrap_err();
    let txid = open_transaction(&coins, &[50_000_000]).compute_txid();
    assert_eq!(
        error.reject_string(),
        format!(
            "too many potential replacements, rejecting replacement {txid}; too many conflicting \
             clusters (101 > 100)"
        )
    );
}

/// A large replacement that pays more in all, but less for its size: blocks would pay less.
#[test]
fn a_replacement_must_improve_the_diagram() {
    let mut bench = Bench::new();
    let coin = bench.fund(10_000_000);
    bench
        .submit(&open_transaction(&[coin], &[9_990_000]))
        .unwrap();
    let large = |fee: u64| {
        let outputs = [10_000; 100];
        let change = 10_000_000 - 1_000_000 - fee;
        open_transaction(&[coin], &[&outputs[..], &[change]].concat())
    };
    let error = bench.check(&large(100_000)).unwrap_err();
    assert_eq!(
        error.reject_string(),
        "replacement-failed, insufficient feerate: does not improve feerate diagram"
    );
    assert!(error.is_reconsiderable());
    bench.submit(&large(500_000)).unwrap();
}

/// A parent that pays little pulls down what spends it: the child's own rate is not what counts.
#[test]
fn a_cheap_unconfirmed_parent_spoils_a_replacement() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    bench
        .submit(&open_transaction(&[coin], &[998_000]))
        .unwrap();
    let other = bench.fund(10_000_000);
    let heavy = open_transaction(&[other], &[&[10_000; 200][..], &[7_990_000]].concat());
    bench.submit(&heavy).unwrap();
    let replacement = |fee: u64| {
        let inputs = [coin, output_of(&heavy, 200)];
        open_transaction(&inputs, &[1_000_000 + 7_990_000 - fee])
    };
    assert_rejected!(
        bench.check(&replacement(4_000)),
        MempoolError::Replacement {
            reason: ReplacementError::Diagram,
            ..
        },
        "replacement-failed"
    );
    bench.check(&replacement(400_000)).unwrap();
}

#[test]
fn what_the_operator_added_counts_in_replacements() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    let first = open_transaction(&[coin], &[999_000]);
    bench.submit(&first).unwrap();
    let better = open_transaction(&[coin], &[998_000]);
    bench.state.prioritise(first.compute_txid(), 5_000);
    assert_rejected!(
        bench.check(&better),
        MempoolError::Replacement {
            reason: ReplacementError::LowerFee {
                fee: 2_000,
                replaced: 6_000
            },
            ..
        },
        "insufficient fee"
    );
    bench.state.prioritise(better.compute_txid(), 5_000);
    bench.submit(&better).unwrap();
    // A fee below the minimum is made up for, and a good one made bad.
    let free = bench.paying(0);
    bench.state.prioritise(free.compute_txid(), 1_000);
    bench.submit(&free).unwrap();
    let dear = bench.paying(1_000);
    bench.state.prioritise(dear.compute_txid(), -1_000);
    let error = bench.submit(&dear).unwrap_err();
    assert_eq!(error.reject_string(), "min relay fee not met, 0 < 9");
}

#[test]
fn dust_is_ephemeral() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    let paying = open_transaction(&[coin], &[990_000, 1]);
    let error = bench.check(&paying).unwrap_err();
    assert_eq!(
        error.reject_string(),
        "dust, tx with dust output must be 0-fee"
    );
    let two = open_transaction(&[coin], &[999_998, 1, 1]);
    assert_eq!(bench.check(&two).unwrap_err().reject_string(), "dust");

    // Alone it pays too little; a node that asks for nothing takes it.
    let parent = open_transaction(&[coin], &[999_999, 1]);
    assert_rejected!(
        bench.check(&parent),
        MempoolError::BelowMinRelayFee { .. },
        "min relay fee not met"
    );
    bench.config.min_relay_fee = FeeRate::ZERO;
    bench.submit(&parent).unwrap();
    let leaving = child(&parent, 0, 1_000);
    let error = bench.check(&leaving).unwrap_err();
    assert_eq!(
        error.reject_string(),
        format!(
            "missing-ephemeral-spends, tx {} (wtxid={}) did not spend parent's ephemeral dust",
            leaving.compute_txid(),
            leaving.compute_wtxid()
        )
    );
    let sweeping = [output_of(&parent, 0), output_of(&parent, 1)];
    bench
        .check(&open_transaction(&sweeping, &[999_000]))
        .unwrap();
}

#[test]
fn a_replacement_spends_no_output_of_what_it_replaces() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    let first = open_transaction(&[coin], &[500_000, 499_000]);
    bench.submit(&first).unwrap();
    let middle = child(&first, 0, 1_000);
    bench.submit(&middle).unwrap();
    for (parent, conflict) in [
        (output_of(&first, 1), first.compute_txid()),
        (output_of(&middle, 0), middle.compute_txid()),
    ] {
        assert_rejected!(
            bench.check(&open_transaction(&[coin, parent], &[1_000_000])),
            MempoolError::SpendsConflicting { conflict: found, .. } if *found == conflict,
            "bad-txns-spends-conflicting-tx"
        );
    }
}

#[test]
fn what_returns_replaces_nothing() {
    let mut bench = Bench::new();
    let coin = bench.fund(1_000_000);
    bench
        .submit(&open_transaction(&[coin], &[999_000]))
        .unwrap();
    let better = open_transaction(&[coin], &[900_000]);
    assert_rejected!(
        returns(&bench, &better),
        MempoolError::MissingInputs(missing) if *missing == [coin],
        "bad-txns-inputs-missingorspent"
    );
    bench.check(&better).unwrap();
}

#[test]
fn version_3_stays_small_and_apart() {
    let mut bench = Bench::new();
    let plain = fork(&mut bench, 1_000);
    bench.submit(&plain).unwrap();
    let mut parent = fork(&mut bench, 1_000);
    parent.version = Version(3);
    bench.submit(&parent).unwrap();
    let truc = |mut tx: Transaction| {
        tx.version = Version(3);
        tx
    };

    assert_rejected!(
        bench.check(&truc(child(&plain, 0, 1_000))),
        MempoolError::NonStandard(NonStandard::Truc(violation))
            if matches!(violation, TrucViolation::ParentOfOtherVersion(_)),
        "TRUC-violation"
    );
    assert_rejected!(
        bench.check(&child(&parent, 0, 1_000)),
        MempoolError::NonStandard(NonStandard::Truc(violation))
            if matches!(violation, TrucViolation::ChildOfOtherVersion(_)),
        "TRUC-violation"
    );
    let large = truc(open_transaction(&[output_of(&parent, 0)], &[1_000; 40]));
    assert_rejected!(
        bench.check(&large),
        MempoolError::NonStandard(NonStandard::Truc(violation))
            if matches!(violation, TrucViolation::ChildTooBig {
            max: 1_000,
            ..
        }),
        "TRUC-violation"
    );
    let only = truc(child(&parent, 0, 1_000));
    bench.submit(&only).unwrap();
    assert_rejected!(
        bench.check(&truc(child(&only, 0, 1_000))),
        MempoolError::NonStandard(NonStandard::Truc(violation))
            if matches!(violation, TrucViolation::TooManyAncestors(_)),
        "TRUC-violation"
    );
    // The only other child gives way if what comes pays enough.
    let error = bench.check(&truc(child(&parent, 1, 1_000))).unwrap_err();
    assert!(matches!(
        error,
        MempoolError::Replacement {
            evicts: Evicts::Sibling,
            ..
        }
    ));
    assert_eq!(
        error.reject_reason(),
        "insufficient fee (including sibling eviction)"
    );
    let no_siblings = PlanRules {
        siblings: SiblingEviction::Disallowed,
        ..PlanRules::SINGLE
    };
    let sibling = truc(child(&parent, 1, 5_000));
    assert_rejected!(
        bench.check_under(&sibling, no_siblings),
        MempoolError::NonStandard(NonStandard::Truc(violation))
            if matches!(violation, TrucViolation::TooManyDescendants(_)),
        "TRUC-violation"
    );
    let both = [output_of(&parent, 0), output_of(&parent, 1)];
    bench
        .check(&truc(open_transaction(&both, &[900_000])))
        .unwrap();
    assert_eq!(bench.submit(&sibling).unwrap(), [only.compute_txid()]);
}
