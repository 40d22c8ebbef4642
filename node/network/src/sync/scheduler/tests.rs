//! The scheduler.

use std::collections::{BTreeMap, HashSet};

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Work;
use pyrite_consensus::bitcoin::hashes::Hash as _;

use super::*;

fn hash(number: u32) -> BlockHash {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    BlockHash::from_byte_array(bytes)
}

fn tip(height: u32) -> TipSummary {
    let mut work = [0; 32];
    work[28..].copy_from_slice(&height.to_be_bytes());
    TipSummary {
        hash: hash(height),
        height: Height(height),
        work: Work::from_be_bytes(work),
    }
}

fn missing(from: u32, to: u32) -> Vec<BlockHash> {
    (from..=to).map(hash).collect()
}

/// A scheduler at height 0 and peers at `height`, whose tips are checked.
fn with_peers(count: usize, height: u32, now: Instant) -> (Scheduler, Vec<PeerId>) {
    let mut scheduler = Scheduler::new(tip(0));
    let peers: Vec<PeerId> = (0..count).map(|_| PeerId::random()).collect();
    for peer in &peers {
        scheduler.add_peer(*peer, now);
        scheduler.tip_told(peer, tip(height), now);
    }
    (scheduler, peers)
}

fn check_tips(scheduler: &mut Scheduler, known: bool) {
    let tips = scheduler.tips_to_check();
    scheduler.tips_checked(&tips.into_iter().map(|tip| (tip, known)).collect());
}

fn block_requests(actions: &[Action]) -> Vec<(PeerId, Vec<BlockHash>)> {
    let blocks = |action: &Action| match action {
        Action::GetBlocks(peer, hashes) => Some((*peer, hashes.clone())),
        _ => None,
    };
    actions.iter().filter_map(blocks).collect()
}

fn header_requests(actions: &[Action]) -> Vec<(PeerId, Option<BlockHash>)> {
    let headers = |action: &Action| match action {
        Action::GetHeaders(peer, after) => Some((*peer, *after)),
        _ => None,
    };
    actions.iter().filter_map(headers).collect()
}

#[test]
fn a_new_peer_is_asked_for_tip_and_peers_and_again_later() {
    let now = Instant::now();
    let mut scheduler = Scheduler::new(tip(0));
    let peer = PeerId::random();
    scheduler.add_peer(peer, now);
    assert_eq!(
        scheduler.poll(now),
        [Action::ExchangeTip(peer), Action::GetPeers(peer)]
    );
    assert_eq!(scheduler.poll(now), []);
    scheduler.tip_told(&peer, tip(0), now);
    scheduler.tip_exchanged(&peer, now);
    assert_eq!(
        scheduler.poll(now + TIP_INTERVAL - Duration::from_millis(1)),
        []
    );
    assert_eq!(
        scheduler.poll(now + TIP_INTERVAL),
        [Action::ExchangeTip(peer)]
    );
}

#[test]
fn a_new_tip_of_ours_is_told_soon() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 0, now);
    check_tips(&mut scheduler, true);
    scheduler.poll(now);
    scheduler.tip_exchanged(&peers[0], now);
    scheduler.set_local(tip(1), vec![], now);
    assert_eq!(scheduler.poll(now), []);
    assert_eq!(
        scheduler.poll(now + TIP_DELAY),
        [Action::ExchangeTip(peers[0])]
    );
}

#[test]
fn headers_of_one_tip_are_fetched_once() {
    let now = Instant::now();
    let (mut scheduler, _) = with_peers(5, 100, now);
    assert!(
        header_requests(&scheduler.poll(now)).is_empty(),
        "the tips are not looked up yet"
    );
    check_tips(&mut scheduler, false);
    assert_eq!(header_requests(&scheduler.poll(now)).len(), 1);
    assert_eq!(header_requests(&scheduler.poll(now)).len(), 0);
}

#[test]
fn known_tips_need_no_headers() {
    let now = Instant::now();
    let (mut scheduler, _) = with_peers(2, 100, now);
    check_tips(&mut scheduler, true);
    assert!(header_requests(&scheduler.poll(now)).is_empty());
}

#[test]
fn full_answers_are_continued_where_they_ended() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 5000, now);
    check_tips(&mut scheduler, false);
    assert_eq!(header_requests(&scheduler.poll(now)), [(peers[0], None)]);
    for last in [2000, 4000] {
        let result = HeadersResult {
            count: 2000,
            new: 2000,
            last: Some(hash(last)),
            taken: true,
        };
        scheduler.headers_received(&peers[0], result, now);
        check_tips(&mut scheduler, false);
        assert_eq!(
            header_requests(&scheduler.poll(now)),
            [(peers[0], Some(hash(last)))]
        );
    }
    let result = HeadersResult {
        count: 1000,
        new: 1000,
        last: Some(hash(5000)),
        taken: true,
    };
    scheduler.headers_received(&peers[0], result, now);
    check_tips(&mut scheduler, true);
    assert!(header_requests(&scheduler.poll(now)).is_empty());
}

#[test]
fn a_peer_that_gives_no_new_headers_is_asked_less_and_less() {
    let mut now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 5000, now);
    let empty = HeadersResult {
        count: 0,
        new: 0,
        last: None,
        taken: true,
    };
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        check_tips(&mut scheduler, false);
        assert_eq!(header_requests(&scheduler.poll(now)).len(), 1);
        scheduler.headers_received(&peers[0], empty, now);
        check_tips(&mut scheduler, false);
        let wait = Duration::from_secs(seconds);
        let early = scheduler.poll(now + wait - Duration::from_millis(1));
        assert!(header_requests(&early).is_empty());
        now += wait;
    }
}

#[test]
fn the_same_full_answer_again_ends_the_fetch() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 5000, now);
    check_tips(&mut scheduler, false);
    scheduler.poll(now);
    let result = HeadersResult {
        count: 2000,
        new: 0,
        last: Some(hash(2000)),
        taken: true,
    };
    scheduler.headers_received(&peers[0], result, now);
    assert_eq!(header_requests(&scheduler.poll(now)).len(), 1);
    scheduler.headers_received(&peers[0], result, now);
    check_tips(&mut scheduler, false);
    assert!(header_requests(&scheduler.poll(now)).is_empty());
}

#[test]
fn a_block_without_parent_leads_to_headers() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 100, now);
    check_tips(&mut scheduler, true);
    assert!(header_requests(&scheduler.poll(now)).is_empty());
    scheduler.parent_missing(&peers[0], now);
    assert_eq!(header_requests(&scheduler.poll(now)), [(peers[0], None)]);
}

#[test]
fn blocks_are_shared_out_lowest_first() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(2, 100, now);
    check_tips(&mut scheduler, true);
    scheduler.set_local(tip(0), missing(1, 100), now);
    let requests = block_requests(&scheduler.poll(now));
    assert_eq!(requests.len(), 4);
    let asked: Vec<BlockHash> = requests
        .iter()
        .flat_map(|(_, hashes)| hashes.clone())
        .collect();
    assert_eq!(asked, missing(1, 32), "each block once, the lowest ones");
    for peer in &peers {
        let blocks: usize = requests
            .iter()
            .filter(|(asked, _)| asked == peer)
            .map(|(_, hashes)| hashes.len())
            .sum();
        assert_eq!(blocks, 16);
    }
    assert!(block_requests(&scheduler.poll(now)).is_empty());
}

#[test]
fn only_peers_with_more_work_are_asked_for_blocks_unless_nobody_has() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 100, now);
    let behind = PeerId::random();
    scheduler.add_peer(behind, now);
    scheduler.tip_told(&behind, tip(0), now);
    check_tips(&mut scheduler, true);
    scheduler.set_local(tip(0), missing(1, 100), now);
    let asked: HashSet<PeerId> = block_requests(&scheduler.poll(now))
        .into_iter()
        .map(|(peer, _)| peer)
        .collect();
    assert_eq!(asked, HashSet::from([peers[0]]));
    scheduler.remove_peer(&peers[0]);
    let asked: HashSet<PeerId> = block_requests(&scheduler.poll(now))
        .into_iter()
        .map(|(peer, _)| peer)
        .collect();
    assert_eq!(asked, HashSet::from([behind]));
}

#[test]
fn blocks_of_a_peer_that_left_or_failed_go_to_others() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(3, 100, now);
    check_tips(&mut scheduler, true);
    scheduler.set_local(tip(0), missing(1, 8), now);
    let (first, hashes) = block_requests(&scheduler.poll(now)).remove(0);
    scheduler.remove_peer(&first);
    let (second, again) = block_requests(&scheduler.poll(now)).remove(0);
    assert_ne!(first, second);
    assert_eq!(hashes, again);
    scheduler.failed(&second, &Asked::Blocks(again.clone()), now);
    let (third, once_more) = block_requests(&scheduler.poll(now)).remove(0);
    assert!(third != first && third != second && peers.contains(&third));
    assert_eq!(again, once_more);
}

#[test]
fn late_blocks_are_asked_of_a_second_idle_peer_and_no_third() {
    let now = Instant::now();
    let (mut scheduler, _) = with_peers(3, 100, now);
    check_tips(&mut scheduler, true);
    scheduler.set_local(tip(0), missing(1, 3), now);
    assert_eq!(block_requests(&scheduler.poll(now)).len(), 1);
    let before = now + SECOND_TRY - Duration::from_millis(1);
    assert_eq!(block_requests(&scheduler.poll(before)).len(), 0);
    assert_eq!(block_requests(&scheduler.poll(now + SECOND_TRY)).len(), 1);
    assert_eq!(
        block_requests(&scheduler.poll(now + SECOND_TRY * 3)).len(),
        0
    );
}

#[test]
fn lacking_and_premature_blocks_wait() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 100, now);
    check_tips(&mut scheduler, true);
    scheduler.set_local(tip(0), missing(1, 3), now);
    scheduler.poll(now);
    let results = [
        (hash(1), BlockResult::Lacking),
        (hash(2), BlockResult::NotNow),
        (hash(3), BlockResult::Cut),
    ];
    scheduler.blocks_received(&peers[0], &results, now);
    assert_eq!(
        block_requests(&scheduler.poll(now)),
        [(peers[0], vec![hash(3)])]
    );
    scheduler.blocks_received(&peers[0], &[(hash(3), BlockResult::Done)], now);
    assert!(block_requests(&scheduler.poll(now)).is_empty());
    scheduler.set_local(tip(0), missing(1, 2), now + LATER);
    assert_eq!(
        block_requests(&scheduler.poll(now + LATER)),
        [(peers[0], missing(1, 2))]
    );
}

#[test]
fn a_peer_that_keeps_failing_is_disconnected() {
    let mut now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 100, now);
    for _ in 0..MAX_FAILURES {
        assert!(!scheduler.poll(now).contains(&Action::Disconnect(peers[0])));
        scheduler.failed(&peers[0], &Asked::Tip, now);
        now += TIP_INTERVAL;
    }
    assert_eq!(scheduler.poll(now), [Action::Disconnect(peers[0])]);
    assert_eq!(scheduler.peers().count(), 0);
}

#[test]
fn mempools_are_exchanged_once_caught_up_and_again() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 100, now);
    let later = now + MEMPOOL_DELAY;
    let wants = |actions: Vec<Action>| actions.contains(&Action::GetMempool(peers[0]));
    assert!(
        !wants(scheduler.poll(later)),
        "the tip is not looked up yet"
    );
    check_tips(&mut scheduler, true);
    scheduler.set_local(tip(0), missing(1, 100), now);
    assert!(!wants(scheduler.poll(later)), "blocks are missing");
    scheduler.set_local(tip(100), vec![], now);
    assert!(wants(scheduler.poll(later)));
    assert!(!wants(scheduler.poll(later)));
    scheduler.mempool_exchanged(&peers[0], later);
    assert!(!wants(scheduler.poll(later)));
    assert!(wants(scheduler.poll(later + MEMPOOL_INTERVAL)));
}

#[test]
fn a_tip_that_jumps_hastens_the_mempool_exchange() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 100, now);
    check_tips(&mut scheduler, true);
    let wants = |actions: Vec<Action>| actions.contains(&Action::GetMempool(peers[0]));
    assert!(wants(scheduler.poll(now + MEMPOOL_DELAY)));
    scheduler.mempool_exchanged(&peers[0], now);
    scheduler.tip_told(&peers[0], tip(101), now);
    check_tips(&mut scheduler, true);
    assert!(
        !wants(scheduler.poll(now + MEMPOOL_DELAY)),
        "one block more is no jump"
    );
    scheduler.tip_told(&peers[0], tip(107), now);
    check_tips(&mut scheduler, true);
    assert!(wants(scheduler.poll(now + MEMPOOL_DELAY)));
}

/// A simulated sync: peers answer, fail, leave and lack blocks at random, and still all blocks come.
#[test]
fn every_block_comes_in_the_end() {
    use rand::{Rng as _, SeedableRng as _};
    const BLOCKS: u32 = 700;
    for seed in 0..20 {
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let mut now = Instant::now();
        let (mut scheduler, peers) = with_peers(5, BLOCKS, now);
        check_tips(&mut scheduler, true);
        let mut left: BTreeMap<u32, BlockHash> = (1..=BLOCKS).map(|n| (n, hash(n))).collect();
        let mut rounds = 0;
        while !left.is_empty() {
            rounds += 1;
            assert!(rounds < 20_000, "{} blocks never came", left.len());
            scheduler.set_local(tip(0), left.values().take(WINDOW).copied().collect(), now);
            for action in scheduler.poll(now) {
                match action {
                    Action::GetBlocks(peer, hashes) => {
                        assert!(hashes.len() <= BLOCKS_PER_REQUEST);
                        match random.gen_range(0..10) {
                            0 => scheduler.failed(&peer, &Asked::Blocks(hashes), now),
                            1 => scheduler.remove_peer(&peer),
                            _ => {
                                let mut results = Vec::new();
                                for hash in hashes {
                                    let result = match random.gen_range(0..10) {
                                        0 => BlockResult::Lacking,
                                        1 => BlockResult::NotNow,
                                        2 => BlockResult::Cut,
                                        _ => {
                                            left.retain(|_, other| *other != hash);
                                            BlockResult::Done
                                        }
                                    };
                                    results.push((hash, result));
                                }
                                scheduler.blocks_received(&peer, &results, now);
                            }
                        }
                    }
                    Action::ExchangeTip(peer) => scheduler.tip_exchanged(&peer, now),
                    Action::GetMempool(peer) => scheduler.mempool_exchanged(&peer, now),
                    Action::GetPeers(peer) => scheduler.peers_received(&peer, now),
                    Action::GetHeaders(..) | Action::Disconnect(_) => {}
                }
            }
            for peer in &peers {
                if !scheduler.peers.contains_key(peer) {
                    scheduler.add_peer(*peer, now);
                    scheduler.tip_told(peer, tip(BLOCKS), now);
                    check_tips(&mut scheduler, true);
                }
            }
            now += Duration::from_millis(100);
        }
        assert!(scheduler.in_flight.len() <= 5 * 16);
    }
}

#[test]
fn blocks_of_the_background_come_after_the_others() {
    let now = Instant::now();
    let (mut scheduler, peers) = with_peers(1, 40, now);
    check_tips(&mut scheduler, true);
    scheduler.set_background(missing(1, 12));
    scheduler.set_local(tip(30), missing(31, 34), now);
    assert!(!scheduler.is_catching_up());
    let requests = block_requests(&scheduler.poll(now));
    let asked: Vec<_> = requests.iter().flat_map(|(_, hashes)| hashes).collect();
    let expected: Vec<_> = (31..=34).chain(1..=12).map(hash).collect();
    assert_eq!(asked, expected.iter().collect::<Vec<_>>());

    // However many there are, others are not kept waiting for us.
    scheduler.set_background(missing(1, 400));
    assert!(!scheduler.is_catching_up());
    let done: Vec<_> = missing(1, 12)
        .into_iter()
        .map(|hash| (hash, BlockResult::Done))
        .collect();
    scheduler.blocks_received(&peers[0], &done, now);
    let requests = block_requests(&scheduler.poll(now));
    assert_eq!(requests[0].1[0], hash(13));
}
