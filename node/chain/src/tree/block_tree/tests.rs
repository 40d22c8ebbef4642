//! The tree's look-ups against slow ones that are plainly right, on random trees.

use proptest::prelude::*;
use pyrite_consensus::bitcoin::block::Version;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{CompactTarget, Target, TxMerkleNode};

use super::*;
use crate::info::TipStatus;

fn header(parent: BlockHash, nonce: u32, time: u32) -> Header {
    Header {
        version: Version::TWO,
        prev_blockhash: parent,
        merkle_root: TxMerkleNode::all_zeros(),
        time,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce,
    }
}

fn add(tree: &mut BlockTree, parent: NodeId, nonce: u32) -> NodeId {
    let header = header(tree.node(parent).hash, nonce, nonce);
    let node = tree.link(header.block_hash(), &header).expect("links");
    tree.insert(node)
}

/// Node `n + 1` becomes a child of node `parents[n]` modulo the nodes there are.
fn tree_of(parents: &[usize]) -> BlockTree {
    let mut tree = BlockTree::new(header(BlockHash::all_zeros(), 0, 0));
    tree.set_body(NodeId::ROOT, 1, 0);
    for (n, parent) in parents.iter().enumerate() {
        let parent = NodeId::from_index(parent % (n + 1));
        add(&mut tree, parent, u32::try_from(n + 1).expect("fits"));
    }
    tree
}

/// Long branches, with forks now and then.
fn trees() -> impl Strategy<Value = BlockTree> {
    let parent = (any::<usize>(), 0..10_u8);
    prop::collection::vec(parent, 1..400).prop_map(|parents| {
        let parents: Vec<_> = parents
            .into_iter()
            .enumerate()
            .map(|(n, (random, fork))| if fork == 0 { random } else { n })
            .collect();
        tree_of(&parents)
    })
}

fn chain_of(tree: &BlockTree, id: NodeId) -> Vec<NodeId> {
    let mut chain = vec![id];
    let mut id = id;
    while id != NodeId::ROOT {
        id = tree.node(id).parent;
        chain.push(id);
    }
    chain.reverse();
    chain
}

fn height(n: usize) -> Height {
    Height(u32::try_from(n).expect("fits"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ancestors_and_fork_points(
        mut tree in trees(),
        active in any::<prop::sample::Index>(),
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
    ) {
        let pick = |index: prop::sample::Index| NodeId::from_index(index.index(tree.len()));
        let (active, a, b) = (pick(active), pick(a), pick(b));
        tree.set_active(active);
        let (chain_a, chain_b) = (chain_of(&tree, a), chain_of(&tree, b));
        for (n, id) in chain_a.iter().enumerate() {
            prop_assert_eq!(tree.ancestor(a, height(n)), Some(*id));
        }
        prop_assert_eq!(tree.ancestor(a, height(chain_a.len())), None);

        let common = chain_a.iter().zip(&chain_b).take_while(|(a, b)| a == b).count();
        let fork = chain_a[common - 1];
        prop_assert_eq!(tree.fork_point(a, b), fork);
        let path = tree.path(a, b);
        let hashes = |ids: &[NodeId]| ids.iter().map(|id| tree.node(*id).hash).collect::<Vec<_>>();
        let mut down = hashes(&chain_a[common..]);
        down.reverse();
        prop_assert_eq!(path.disconnect, down);
        prop_assert_eq!(path.fork_point, tree.node(fork).hash);
        prop_assert_eq!(path.connect, hashes(&chain_b[common..]));
    }

    #[test]
    fn look_ups_are_logarithmic(length in 2_usize..5000) {
        let parents: Vec<_> = (0..length).collect();
        let tree = tree_of(&parents);
        // The tip is not active, so nothing but jumps and parents leads down.
        let tip = NodeId::from_index(length);
        let mut id = tip;
        let mut steps = 0;
        while tree.node(id).height.0 > 1 {
            let node = tree.node(id);
            id = if tree.node(node.jump).height.0 >= 1 { node.jump } else { node.parent };
            steps += 1;
        }
        prop_assert!(steps <= 3 * length.ilog2() + 3, "{steps} steps for {length}");
    }

    #[test]
    fn locators_hold_the_tip_and_the_genesis_block(tree in trees()) {
        let tip = tree.best_header();
        let locator = tree.locator(tip);
        prop_assert_eq!(locator.first(), Some(&tree.node(tip).hash));
        prop_assert_eq!(locator.last(), Some(&tree.node(NodeId::ROOT).hash));
        prop_assert!(locator.len() <= 32);
        for hash in &locator {
            let id = tree.find(hash).expect("is known");
            prop_assert_eq!(tree.ancestor(tip, tree.node(id).height), Some(id));
        }
    }

    #[test]
    fn work_is_that_of_the_headers_together(
        bits in prop::collection::vec((0x05..=0x20_u32, 0x8000..0x0080_0000_u32), 1..100),
    ) {
        let mut tree = tree_of(&[]);
        let mut tip = NodeId::ROOT;
        let mut expected = tree.node(tip).work;
        for (nonce, (size, mantissa)) in (1..).zip(bits) {
            let bits = CompactTarget::from_consensus(size << 24 | mantissa);
            let header = Header { bits, ..header(tree.node(tip).hash, nonce, nonce) };
            let node = tree.link(header.block_hash(), &header).expect("links");
            tip = tree.insert(node);
            expected = expected + Target::from_compact(bits).to_work();
            prop_assert_eq!(tree.node(tip).work, expected);
        }
        prop_assert_eq!(tree.best_header(), tip);
    }

    #[test]
    fn the_best_header_has_the_most_work_and_came_first(tree in trees()) {
        let best = tree.best_header();
        for id in tree.ids() {
            let (node, best_node) = (tree.node(id), tree.node(best));
            prop_assert!(node.work <= best_node.work);
            prop_assert!(node.work < best_node.work || id >= best);
        }
    }

    #[test]
    fn failures_follow_the_branches(mut tree in trees(), index in any::<prop::sample::Index>()) {
        let failed = NodeId::from_index(index.index(tree.len() - 1) + 1);
        tree.fail(failed);
        for id in tree.ids() {
            let follows = chain_of(&tree, id).contains(&failed);
            prop_assert_eq!(tree.node(id).is_failed(), follows);
        }
        prop_assert!(!tree.node(tree.best_header()).is_failed());
        prop_assert_eq!(tree.reconsider(failed), vec![failed]);
        prop_assert!(tree.ids().all(|id| !tree.node(id).is_failed()));
    }
}

#[test]
fn reconsidering_clears_what_is_above_and_below_but_not_beside() {
    // 0 - 1 - 2 - 3
    //      \- 4
    let mut tree = tree_of(&[0, 1, 2, 1]);
    let id = NodeId::from_index;
    for failed in [1, 3, 4] {
        tree.fail(id(failed));
    }
    assert_eq!(tree.reconsider(id(2)), vec![id(1), id(3)]);
    assert!(!tree.node(id(3)).is_failed());
    assert!(tree.node(id(4)).is_failed());
}

#[test]
fn bodies_that_came_early_are_complete_when_their_parent_is() {
    let mut tree = tree_of(&[0, 1, 2, 2]);
    let id = NodeId::from_index;
    assert_eq!(tree.set_body(id(3), 5, 1), vec![]);
    assert_eq!(tree.set_body(id(2), 4, 2), vec![]);
    assert_eq!(tree.node(id(3)).chain_tx_count, None);
    assert_eq!(tree.set_body(id(1), 3, 3), vec![id(1), id(2), id(3)]);
    assert_eq!(tree.node(id(3)).chain_tx_count, Some(1 + 3 + 4 + 5));
    assert!(!tree.node(id(4)).is_complete());
    assert_eq!(tree.set_body(id(4), 1, 4), vec![id(4)]);
}

#[test]
fn headers_that_do_not_link_are_refused() {
    let mut tree = tree_of(&[0]);
    let known = tree.node(NodeId::from_index(1)).header;
    let result = tree.link(known.block_hash(), &known).map(|_| ());
    assert_eq!(result, Err(LinkError::Known));
    let stranger = header(BlockHash::all_zeros(), 77, 77);
    let result = tree.link(stranger.block_hash(), &stranger).map(|_| ());
    assert_eq!(result, Err(LinkError::NoParent(BlockHash::all_zeros())));
    add(&mut tree, NodeId::ROOT, 2);
    assert_eq!(tree.len(), 3);
}

#[test]
fn the_median_of_times_is_that_of_the_last_eleven() {
    let parents: Vec<_> = (0..20).collect();
    let tree = tree_of(&parents);
    // Times are 0, 1, 2, …
    let median = |n: usize| tree.node(NodeId::from_index(n)).median_time_past;
    assert_eq!(median(0), 0);
    assert_eq!(median(1), 1);
    assert_eq!(median(4), 2);
    assert_eq!(median(10), 5);
    assert_eq!(median(20), 15);
}

#[test]
fn tips_are_told_by_what_is_known_of_them() {
    // 0 - 1 - 2     active
    //  \- 3         body missing
    //  \- 4         body stored
    //  \- 5         connected once
    //  \- 6         invalid
    let mut tree = tree_of(&[0, 1, 0, 0, 0, 0]);
    let id = NodeId::from_index;
    for n in [1, 2, 4, 5, 6] {
        tree.set_body(id(n), 1, 1);
    }
    tree.connected(id(5));
    tree.disconnected();
    tree.connected(id(1));
    tree.connected(id(2));
    tree.fail(id(6));
    let status = |n: usize| {
        let hash = tree.node(id(n)).hash;
        tree.tips()
            .into_iter()
            .find(|tip| tip.hash == hash)
            .map(|tip| tip.status)
    };
    assert_eq!(status(1), None);
    assert_eq!(status(2), Some(TipStatus::Active));
    assert_eq!(status(3), Some(TipStatus::HeadersOnly));
    assert_eq!(status(4), Some(TipStatus::ValidHeaders));
    assert_eq!(status(5), Some(TipStatus::ValidFork));
    assert_eq!(status(6), Some(TipStatus::Invalid));
    let tips = tree.tips();
    assert_eq!(tips[0].hash, tree.node(id(2)).hash);
    assert_eq!((tips[0].branch_length, tips[1].branch_length), (0, 1));
}

#[test]
fn headers_after_a_locator_are_those_of_the_active_chain() {
    let mut tree = tree_of(&[0, 1, 2, 1, 4]);
    let id = NodeId::from_index;
    tree.set_active(id(3));
    let hash = |n: usize| tree.node(id(n)).hash;
    let headers = |locator: &[BlockHash], stop, max| {
        let headers = tree.headers_after(locator, stop, max);
        headers.iter().map(Header::block_hash).collect::<Vec<_>>()
    };
    assert_eq!(headers(&[], None, 10), [hash(1), hash(2), hash(3)]);
    assert_eq!(
        headers(&[hash(5), hash(1), hash(0)], None, 10),
        [hash(2), hash(3)]
    );
    assert_eq!(headers(&[hash(1)], Some(hash(2)), 10), [hash(2)]);
    assert_eq!(headers(&[], None, 2), [hash(1), hash(2)]);
    assert_eq!(headers(&[hash(3)], None, 10), []);
}

#[test]
fn missing_bodies_are_those_of_the_best_header_chain_within_the_window() {
    let mut tree = tree_of(&[0, 1, 2, 3, 4, 0]);
    let id = NodeId::from_index;
    tree.set_body(id(2), 1, 1);
    let missing = |max, window| {
        let missing = tree.missing_blocks(max, window);
        missing
            .into_iter()
            .map(|(height, _)| height.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing(10, 100), [1, 3, 4, 5]);
    assert_eq!(missing(2, 100), [1, 3]);
    assert_eq!(missing(10, 3), [1, 3]);
}
