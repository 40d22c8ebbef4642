//! Walks through all coins of one tip.

mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use pyrite_chain::{ScanEnd, SubmitError};
use pyrite_consensus::bitcoin::hashes::Hash;
use support::{Fixture, Parent, block_on};

#[test]
fn a_scan_shows_every_coin_of_its_tip_in_order() {
    let mut fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 20, 0));
    let mut seen = Vec::new();
    let handle = fixture.chain().handle.clone();
    let scan = handle
        .scan_coins(|outpoint, coin| {
            seen.push((*outpoint, coin.clone()));
            ControlFlow::Continue(())
        })
        .expect("scans");
    assert_eq!(scan.tip, fixture.reader().tip());
    assert_eq!(scan.end, ScanEnd::Whole);
    assert!(scan.disk_bytes > 0);
    assert!(seen.is_sorted_by_key(|(outpoint, _)| (outpoint.txid.to_byte_array(), outpoint.vout)));
    let seen: BTreeMap<_, _> = seen.into_iter().collect();
    assert_eq!(seen, fixture.close_and_dump());
    let after = handle.scan_coins(|_, _| ControlFlow::Continue(()));
    assert_eq!(after, Err(SubmitError::Stopped));
}

#[test]
fn blocks_that_come_during_a_scan_are_not_seen_and_do_not_wait() {
    let fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 5, 0));
    let tip = fixture.reader().tip();
    let mut seen = 0;
    let scan = fixture
        .chain()
        .handle
        .scan_coins(|_, _| {
            if seen == 0 {
                let parent = Parent::tip(fixture.reader());
                fixture.submit(&block_on(&fixture.spec, &parent, 1));
            }
            seen += 1;
            ControlFlow::Continue(())
        })
        .expect("scans");
    assert_eq!((scan.tip, seen), (tip, 5));
    assert_eq!(fixture.reader().tip().height.0, 6);
}

#[test]
fn a_scan_ends_where_the_visitor_breaks_off() {
    let fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 5, 0));
    let mut seen = 0;
    let scan = fixture
        .chain()
        .handle
        .scan_coins(|_, _| {
            seen += 1;
            if seen == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .expect("scans");
    assert_eq!((scan.end, seen), (ScanEnd::BrokenOff, 2));
}
