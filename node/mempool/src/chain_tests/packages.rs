//! Testing and taking packages.

use std::sync::Arc;

use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{Transaction, script};

use super::fixture::{Fixture, child};
use crate::testing::{open_transaction, output_of};
use crate::{
    FeeRate, MempoolConfig, MempoolError, PackageError, PackageMember, PackageOutcome, PackageTest,
    TrucViolation,
};

fn test(fixture: &Fixture, package: &[&Transaction]) -> PackageTest {
    let package: Vec<_> = package.iter().map(|tx| Arc::new((*tx).clone())).collect();
    fixture.mempool.test_accept_package(&package).unwrap()
}

fn submit(fixture: &Fixture, package: &[&Transaction]) -> PackageOutcome {
    let package: Vec<_> = package.iter().map(|tx| Arc::new((*tx).clone())).collect();
    fixture.mempool.submit_package(&package, None).unwrap()
}

fn message(outcome: &PackageOutcome) -> String {
    outcome
        .error
        .as_ref()
        .map_or_else(|| "success".to_owned(), ToString::to_string)
}

#[test]
fn a_package_is_judged_in_order_and_not_taken() {
    let fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let dependent = child(&parent, 2_000);
    let outcome = test(&fixture, &[&parent, &dependent]);
    let effective: Vec<(u64, i64)> = outcome
        .outcomes
        .into_iter()
        .map(|judged| judged.unwrap().unwrap())
        .map(|accepted| (accepted.fee.to_sat(), accepted.effective.fee))
        .collect();
    assert_eq!(effective, [(1_000, 1_000), (2_000, 2_000)]);
    assert!(!fixture.holds(&parent) && !fixture.holds(&dependent));

    // The first that fails is named; what was not judged fully is not.
    let cheap = child(&parent, 0);
    let outcome = test(&fixture, &[&parent, &cheap]).outcomes;
    assert!(outcome[0].is_none());
    assert!(matches!(
        outcome[1],
        Some(Err(MempoolError::BelowMinRelayFee { .. }))
    ));

    let mut unsigned = dependent.clone();
    unsigned.input[0].script_sig = script::Builder::new().push_slice([0x00]).into_script();
    let outcome = test(&fixture, &[&parent, &unsigned]).outcomes;
    assert!(matches!(outcome[0], Some(Ok(_))));
    assert!(matches!(outcome[1], Some(Err(MempoolError::Script(_)))));
}

#[test]
fn a_test_replaces_nothing_and_keeps_the_limits() {
    let fixture = Fixture::new();
    fixture.submit(&fixture.spend(0, 1_000)).unwrap();
    let outcome = test(
        &fixture,
        &[&fixture.spend(0, 9_000), &fixture.spend(1, 1_000)],
    )
    .outcomes;
    assert!(matches!(
        outcome[0],
        Some(Err(MempoolError::ReplacementDisallowed))
    ));
    assert!(outcome[1].is_none());

    let mut last = fixture.spend(1, 1_000);
    fixture.submit(&last).unwrap();
    for _ in 1..63 {
        last = child(&last, 1_000);
        fixture.submit(&last).unwrap();
    }
    let next = child(&last, 1_000);
    let over = child(&next, 1_000);
    assert_eq!(
        test(&fixture, &[&next, &over]).error,
        Some(PackageError::TooLargeCluster)
    );
    fixture.mine(&[]);
    assert!(matches!(
        test(&fixture, &[&next]).outcomes.as_slice(),
        [Some(Ok(_))]
    ));
}

#[test]
fn a_child_pays_for_its_parent() {
    let fixture = Fixture::new();
    let parent = fixture.spend(0, 0);
    assert!(matches!(
        fixture.submit(&parent),
        Err(MempoolError::BelowMinRelayFee { .. })
    ));
    let poor = child(&parent, 10);
    let outcome = submit(&fixture, &[&parent, &poor]);
    assert_eq!(message(&outcome), "transaction failed");
    // Together they would have to pay 17.
    assert!(matches!(
        &outcome.members[1],
        PackageMember::Refused(MempoolError::BelowMinRelayFee {
            fee: 10,
            required: 17
        })
    ));
    assert!(!fixture.holds(&parent));

    let paying = child(&parent, 2_000);
    let outcome = submit(&fixture, &[&parent, &paying]);
    assert_eq!(message(&outcome), "success");
    for member in &outcome.members {
        let PackageMember::Taken(accepted) = member else {
            panic!("{member:?}");
        };
        assert_eq!(
            (accepted.effective.fee, accepted.effective.vsize),
            (2_000, 170)
        );
        assert_eq!(accepted.effective.includes.len(), 2);
    }
    assert!(fixture.holds(&parent) && fixture.holds(&paying));
    let chunks = fixture.mempool.cluster(&parent.compute_txid()).unwrap();
    assert_eq!(chunks.len(), 1);

    // What is known already is no failure.
    let outcome = submit(&fixture, &[&parent, &paying]);
    assert_eq!(message(&outcome), "success");
    assert!(matches!(outcome.members[0], PackageMember::Known { .. }));
}

#[test]
fn a_parent_that_pays_for_itself_is_taken_by_itself() {
    let fixture = Fixture::new();
    let (good, free) = (fixture.spend(0, 1_000), fixture.spend(1, 0));
    let inputs = [output_of(&good, 0), output_of(&free, 0)];
    let total = good.output[0].value.to_sat() + free.output[0].value.to_sat();
    let both = open_transaction(&inputs, &[total - 1_000]);
    let outcome = submit(&fixture, &[&good, &free, &both]);
    assert_eq!(message(&outcome), "success");
    let PackageMember::Taken(first) = &outcome.members[0] else {
        panic!("{outcome:?}");
    };
    assert_eq!(first.effective.includes.len(), 1);
    let PackageMember::Taken(last) = &outcome.members[2] else {
        panic!("{outcome:?}");
    };
    assert_eq!(last.effective.includes.len(), 2);
    assert_eq!(fixture.mempool.info().size, 3);

    // One that is wrong does not keep out those that need nobody.
    let (fine, unsigned) = (fixture.spend(2, 1_000), {
        let mut tx = fixture.spend(3, 1_000);
        tx.input[0].script_sig = script::Builder::new().push_slice([0x00]).into_script();
        tx
    });
    let inputs = [output_of(&fine, 0), output_of(&unsigned, 0)];
    let child_of_both = open_transaction(&inputs, &[1_000_000]);
    let outcome = submit(&fixture, &[&fine, &unsigned, &child_of_both]);
    assert_eq!(message(&outcome), "transaction failed");
    assert!(fixture.holds(&fine));
    assert!(matches!(
        outcome.members[1],
        PackageMember::Refused(MempoolError::Script(_))
    ));
    assert!(matches!(
        outcome.members[2],
        PackageMember::Refused(MempoolError::MissingInputs(_))
    ));
}

#[test]
fn a_package_is_a_child_with_parents() {
    let fixture = Fixture::new();
    let strangers = [&fixture.spend(0, 1_000), &fixture.spend(1, 1_000)];
    let outcome = submit(&fixture, &strangers);
    assert_eq!(message(&outcome), "package-not-child-with-parents");
    assert!(matches!(outcome.members[0], PackageMember::NotJudged));
    let alone = submit(&fixture, &strangers[..1]);
    assert_eq!(message(&alone), "success");
}

#[test]
fn a_package_replaces_by_what_it_pays_together() {
    let fixture = Fixture::new();
    let standing = fixture.spend(0, 5_000);
    fixture.submit(&standing).unwrap();
    let parent = fixture.spend(0, 100);
    let refused = |child: &Transaction| {
        let outcome = submit(&fixture, &[&parent, child]);
        assert!(fixture.holds(&standing));
        message(&outcome)
    };
    let poor = child(&parent, 3_000);
    assert_eq!(
        refused(&poor),
        format!(
            "package RBF failed: insufficient anti-DoS fees, rejecting replacement {}, less fees than \
             conflicting txs; 0.000031 < 0.00005",
            poor.compute_txid()
        )
    );
    // More in all, but the large child pays less for its size than what stands there.
    let outputs = [&[10_000; 100][..], &[1_000_000]].concat();
    let large = open_transaction(&[output_of(&parent, 0)], &outputs);
    let large = {
        let mut large = large;
        let spent = parent.output[0].value.to_sat();
        let paid: u64 = outputs.iter().sum();
        large.output[100].value +=
            pyrite_consensus::bitcoin::Amount::from_sat(spent - paid - 9_000);
        large
    };
    assert_eq!(
        refused(&large),
        "package RBF failed: insufficient feerate: does not improve feerate diagram"
    );
    let better = child(&parent, 20_000);
    let outcome = submit(&fixture, &[&parent, &better]);
    assert_eq!(message(&outcome), "success");
    assert_eq!(outcome.replaced, [standing.compute_txid()]);
    assert!(fixture.holds(&parent) && fixture.holds(&better) && !fixture.holds(&standing));
}

#[test]
fn version_3_packages_are_one_parent_and_one_child() {
    let fixture = Fixture::new();
    let truc = |mut tx: Transaction| {
        tx.version = Version(3);
        tx
    };
    let parent = truc(fixture.spend(0, 0));
    let plain = child(&parent, 2_000);
    let outcome = submit(&fixture, &[&parent, &plain]);
    assert!(
        message(&outcome).starts_with("TRUC-violation, non-version=3 tx "),
        "{}",
        message(&outcome)
    );
    let other = truc(fixture.spend(1, 0));
    let inputs = [output_of(&parent, 0), output_of(&other, 0)];
    let of_two = truc(open_transaction(&inputs, &[1_000_000_000]));
    let outcome = submit(&fixture, &[&parent, &other, &of_two]);
    let Some(PackageError::Truc(violation)) = outcome.error else {
        panic!("{outcome:?}");
    };
    assert!(matches!(violation, TrucViolation::TooManyAncestors(_)));
    let only = truc(child(&parent, 2_000));
    assert_eq!(message(&submit(&fixture, &[&parent, &only])), "success");
}

#[test]
fn ephemeral_dust_comes_with_its_spender() {
    let fixture = Fixture::new();
    let value = fixture.coinbases[0].output[0].value.to_sat();
    let coin = output_of(&fixture.coinbases[0], 0);
    let parent = open_transaction(&[coin], &[value - 1, 1]);
    let leaving = child(&parent, 2_000);
    let outcome = submit(&fixture, &[&parent, &leaving]);
    assert_eq!(message(&outcome), "unspent-dust");
    assert!(matches!(
        outcome.members[1],
        PackageMember::Refused(MempoolError::MissingEphemeralSpends(_))
    ));
    assert!(!fixture.holds(&parent));
    let inputs = [output_of(&parent, 0), output_of(&parent, 1)];
    let sweeping = open_transaction(&inputs, &[value - 2_000]);
    assert_eq!(message(&submit(&fixture, &[&parent, &sweeping])), "success");
}

#[test]
fn a_full_mempool_is_told_to_a_package() {
    let fixture = Fixture::new();
    fixture.submit(&fixture.spend(0, 50_000)).unwrap();
    let config = MempoolConfig {
        max_bytes: fixture.mempool.info().usage,
        ..MempoolConfig::default()
    };
    let fixture = Fixture::with_config(config);
    fixture.submit(&fixture.spend(0, 50_000)).unwrap();
    let parent = fixture.spend(1, 1_000);
    let outcome = submit(&fixture, &[&parent, &child(&parent, 1_000)]);
    assert_eq!(message(&outcome), "transaction failed");
    assert_eq!(fixture.mempool.info().size, 1);
    assert!(fixture.mempool.info().min_fee > FeeRate(100));
}
