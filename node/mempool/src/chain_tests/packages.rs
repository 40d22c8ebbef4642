//! Testing packages.

use pyrite_consensus::bitcoin::script;

use super::fixture::{Fixture, child};
use crate::{MempoolError, PackageError};

#[test]
fn a_package_is_judged_in_order_and_not_taken() {
    let fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let dependent = child(&parent, 2_000);
    let package = [parent.clone(), dependent.clone()];
    let outcome = fixture.mempool.test_accept_package(&package).unwrap();
    let fees: Vec<u64> = outcome
        .into_iter()
        .map(|judged| judged.unwrap().unwrap().fee.to_sat())
        .collect();
    assert_eq!(fees, [1_000, 2_000]);
    assert!(!fixture.holds(&parent) && !fixture.holds(&dependent));

    // The first that fails is named; what was not judged fully is not.
    let cheap = child(&parent, 0);
    let outcome = fixture
        .mempool
        .test_accept_package(&[parent.clone(), cheap])
        .unwrap();
    assert!(outcome[0].is_none());
    assert!(matches!(
        outcome[1],
        Some(Err(MempoolError::BelowMinRelayFee { .. }))
    ));

    let mut unsigned = dependent.clone();
    unsigned.input[0].script_sig = script::Builder::new().push_slice([0x00]).into_script();
    let outcome = fixture
        .mempool
        .test_accept_package(&[parent.clone(), unsigned])
        .unwrap();
    assert!(matches!(outcome[0], Some(Ok(_))));
    assert!(matches!(outcome[1], Some(Err(MempoolError::Script(_)))));
}

#[test]
fn a_package_replaces_nothing_and_keeps_the_limits() {
    let fixture = Fixture::new();
    let standing = fixture.spend(0, 1_000);
    fixture.submit(&standing).unwrap();
    let outcome = fixture
        .mempool
        .test_accept_package(&[fixture.spend(0, 9_000), fixture.spend(1, 1_000)])
        .unwrap();
    assert!(matches!(
        outcome[0],
        Some(Err(MempoolError::ReplacementDisallowed))
    ));
    assert!(outcome[1].is_none());

    let mut last = fixture.spend(1, 1_000);
    fixture.submit(&last).unwrap();
    for _ in 1..24 {
        last = child(&last, 1_000);
        fixture.submit(&last).unwrap();
    }
    let next = child(&last, 1_000);
    let package = [next.clone(), child(&next, 1_000)];
    assert_eq!(
        fixture.mempool.test_accept_package(&package).unwrap_err(),
        PackageError::MempoolLimits
    );
    fixture.mine(&[]);
    assert!(
        fixture
            .mempool
            .test_accept_package(&package[..1])
            .unwrap()
            .iter()
            .all(|judged| matches!(judged, Some(Ok(_))))
    );
}
