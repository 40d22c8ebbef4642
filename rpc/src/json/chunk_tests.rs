use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Network, Wtxid, blockdata::constants::genesis_block};

use super::*;

fn txid(number: u8) -> Txid {
    Txid::from_byte_array([number; 32])
}

/// Entries numbered from 0, of fee and weight and parents.
fn entries(list: &[(u64, u64, &[u8])]) -> Vec<Arc<MempoolEntry>> {
    let tx = Arc::new(genesis_block(Network::Regtest).txdata.remove(0));
    let number = |index: usize| u8::try_from(index).unwrap();
    let entry = |(index, (fee, weight, parents)): (usize, &(u64, u64, &[u8]))| {
        let children = list
            .iter()
            .enumerate()
            .filter(|(_, (_, _, parents))| parents.contains(&number(index)));
        Arc::new(MempoolEntry {
            tx: Arc::clone(&tx),
            txid: txid(number(index)),
            wtxid: Wtxid::all_zeros(),
            fee: Amount::from_sat(*fee),
            weight: *weight,
            vsize: weight.div_ceil(4),
            sigop_cost: 0,
            time: 0,
            height: Height(1),
            sequence: 0,
            depends: parents.iter().copied().map(txid).collect(),
            spent_by: children.map(|(index, _)| txid(number(index))).collect(),
            ancestor_count: 1,
            ancestor_size: 0,
            ancestor_fees: Amount::ZERO,
            descendant_count: 1,
            descendant_size: 0,
            descendant_fees: Amount::ZERO,
        })
    };
    list.iter().enumerate().map(entry).collect()
}

/// The chunks of the entries as fees and weights.
fn shown(list: &[(u64, u64, &[u8])]) -> Vec<(u64, u64)> {
    let chunks = chunks(&entries(list));
    (0..list.len())
        .map(|index| {
            let chunk = chunks[&txid(u8::try_from(index).unwrap())];
            (chunk.fees.to_sat(), chunk.weight)
        })
        .collect()
}

#[test]
fn a_transaction_alone_is_a_chunk() {
    assert_eq!(
        shown(&[(100, 400, &[]), (5, 400, &[])]),
        [(100, 400), (5, 400)]
    );
}

#[test]
fn a_child_that_pays_better_joins_its_parent() {
    assert_eq!(shown(&[(100, 400, &[]), (300, 400, &[0])]), [(400, 800); 2]);
    assert_eq!(
        shown(&[(300, 400, &[]), (100, 400, &[0])]),
        [(300, 400), (100, 400)]
    );
    // Of the same rate, they stay apart.
    assert_eq!(
        shown(&[(100, 400, &[]), (100, 400, &[0])]),
        [(100, 400), (100, 400)]
    );
}

#[test]
fn a_rich_child_pays_for_one_parent_of_a_fan_at_a_time() {
    // Two children of one parent: the better one pays for it, the other is left alone.
    assert_eq!(
        shown(&[(0, 400, &[]), (500, 400, &[0]), (100, 400, &[0])]),
        [(500, 800), (500, 800), (100, 400)]
    );
    // A chain in which each pays better than the one before is one chunk.
    assert_eq!(
        shown(&[(1, 400, &[]), (2, 400, &[0]), (9, 400, &[1])]),
        [(12, 1_200); 3]
    );
    // A child of two parents.
    assert_eq!(
        shown(&[(40, 400, &[]), (1, 400, &[]), (99, 400, &[0, 1])]),
        [(140, 1_200); 3]
    );
    assert_eq!(
        shown(&[(90, 400, &[]), (1, 400, &[]), (99, 400, &[0, 1])]),
        [(90, 400), (100, 800), (100, 800)]
    );
}

#[test]
fn sigops_weigh() {
    let mut list = entries(&[(100, 400, &[])]);
    Arc::make_mut(&mut list[0]).sigop_cost = 80;
    assert_eq!(chunks(&list)[&txid(0)].weight, 1_600);
}

#[test]
fn a_long_chain_is_cut_in_order() {
    let parents: Vec<[u8; 1]> = (0..60).map(|index| [index]).collect();
    let mut list: Vec<(u64, u64, &[u8])> = vec![(1_000, 400, &[])];
    for (index, parent) in parents.iter().enumerate() {
        list.push((900 - 10 * u64::try_from(index).unwrap(), 400, parent));
    }
    let shown = shown(&list);
    assert!(
        shown
            .iter()
            .zip(&list)
            .all(|(chunk, entry)| *chunk == (entry.0, entry.1))
    );
}
