//! Tests of the header rules, each with a header that passes and one that fails.

use bitcoin::BlockHash;
use bitcoin::block::Version;
use bitcoin::hashes::Hash;

use super::*;

/// Every second hash meets regtest's target, so that the tests can mine.
fn spec() -> ChainSpec {
    ChainSpec::regtest()
}

fn mine(mut header: Header) -> Header {
    let target = bitcoin::Target::from_compact(header.bits);
    while !target.is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header
}

fn child(chain: &[Header], time: u32) -> Header {
    let parent = chain.last().expect("a chain has a genesis block");
    mine(Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.block_hash(),
        time,
        nonce: 0,
        ..*parent
    })
}

/// A chain whose blocks have these times after the genesis block's.
fn chain(spec: &ChainSpec, times: &[u32]) -> Vec<Header> {
    let genesis = spec.genesis_block().header;
    let mut chain = vec![genesis];
    for time in times {
        chain.push(child(&chain, genesis.time + time));
    }
    chain
}

fn check(header: &Header, chain: &[Header], now: u64) -> Result<(), HeaderError> {
    check_header(&spec(), header, chain, now)
}

fn rejected(result: Result<(), HeaderError>) -> (HeaderError, &'static str) {
    let error = result.expect_err("the header is invalid");
    let reason = error.reject_reason();
    (error, reason)
}

#[test]
fn the_median_is_of_eleven_times_in_any_order() {
    let spec = spec();
    let start = spec.genesis.time;
    let chain = chain(&spec, &[50, 10, 90, 20, 80, 30, 70, 40, 60, 100, 5, 110]);
    let median = |height| median_time_past(&chain[..], Height(height)) - start;
    assert_eq!(median(0), 0);
    // Of an even number, the later one of the middle.
    assert_eq!(median(1), 50);
    assert_eq!(median(2), 10);
    // 0 to 100 by tens, with the genesis block.
    assert_eq!(median(10), 50);
    // The genesis block has dropped out, 5 has come in.
    assert_eq!(median(11), 50);
    assert_eq!(median(12), 60);
}

#[test]
fn accepts_a_child() {
    let chain = chain(&spec(), &[600, 1200]);
    let header = child(&chain, chain[2].time + 600);
    assert_eq!(check(&header, &chain, u64::from(header.time)), Ok(()));
}

#[test]
fn proof_of_work_comes_first() {
    let chain = chain(&spec(), &[600]);
    let mut header = child(&chain, 0);
    header.prev_blockhash = BlockHash::all_zeros();
    header.bits = bitcoin::CompactTarget::from_consensus(0x207f_ffff);
    while bitcoin::Target::from_compact(header.bits).is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    let error = HeaderError::HighHash {
        hash: header.block_hash(),
        bits: header.bits,
    };
    assert_eq!(rejected(check(&header, &chain, 0)), (error, "high-hash"));
}

#[test]
fn the_parent_must_be_the_chain_s_last_block() {
    let chain = chain(&spec(), &[600, 1200]);
    let header = child(&chain, chain[2].time + 600);
    let error = HeaderError::UnknownParent {
        previous: chain[2].block_hash(),
        tip: chain[1].block_hash(),
    };
    let result = check(&header, &chain[..2], u64::from(header.time));
    assert_eq!(rejected(result), (error, "prev-blk-not-found"));
}

#[test]
fn the_bits_must_be_the_algorithm_s() {
    let chain = chain(&spec(), &[600]);
    let mut header = child(&chain, chain[1].time + 600);
    let expected = header.bits;
    header.bits = bitcoin::CompactTarget::from_consensus(0x207f_fffe);
    let header = mine(header);
    let error = HeaderError::WrongBits {
        bits: header.bits,
        expected,
    };
    let result = check(&header, &chain, u64::from(header.time));
    assert_eq!(rejected(result), (error, "bad-diffbits"));
}

#[test]
fn the_time_must_be_after_the_median() {
    let chain = chain(&spec(), &[600, 1200]);
    let median = chain[1].time;
    let now = u64::from(median);
    assert_eq!(check(&child(&chain, median + 1), &chain, now), Ok(()));
    let error = HeaderError::TimeTooOld {
        time: median,
        median_time_past: median,
    };
    let result = check(&child(&chain, median), &chain, now);
    assert_eq!(rejected(result), (error, "time-too-old"));
}

#[test]
fn the_time_may_be_two_hours_ahead() {
    let chain = chain(&spec(), &[600]);
    let now = chain[1].time;
    assert_eq!(
        check(&child(&chain, now + 7200), &chain, u64::from(now)),
        Ok(())
    );
    let header = child(&chain, now + 7201);
    let error = HeaderError::TimeTooNew {
        time: now + 7201,
        latest: u64::from(now) + 7200,
    };
    let result = check(&header, &chain, u64::from(now));
    assert_eq!(rejected(result), (error, "time-too-new"));
    // A clock at the end of time does not wrap.
    assert_eq!(check(&header, &chain, u64::MAX), Ok(()));
}

#[test]
fn versions_are_asked_for_from_the_heights_of_their_forks() {
    let mut spec = spec();
    spec.deployments.bip34 = 2;
    spec.deployments.bip66 = 3;
    spec.deployments.bip65 = 4;
    let chain = chain(&spec, &[600, 1200, 1800, 2400]);
    let check = |height: usize, version: i32| {
        let parent = &chain[..height];
        let mut header = child(parent, chain[height - 1].time + 600);
        header.version = Version::from_consensus(version);
        check_header(&spec, &mine(header), parent, u64::from(header.time))
    };
    for (height, required) in [(1, i32::MIN), (2, 2), (3, 3), (4, 4)] {
        assert_eq!(check(height, required), Ok(()), "height {height}");
        let Some(version) = required.checked_sub(1) else {
            continue;
        };
        let error = HeaderError::OldVersion { version, required };
        assert_eq!(rejected(check(height, version)), (error, "bad-version"));
    }
    // Versions are signed.
    let error = HeaderError::OldVersion {
        version: i32::MIN,
        required: 4,
    };
    assert_eq!(check(4, i32::MIN), Err(error));
}

#[test]
fn a_block_that_is_still_to_be_mined_is_checked_without_proof_of_work() {
    let spec = spec();
    let chain = chain(&spec, &[600]);
    let mut header = child(&chain, chain[1].time + 600);
    while bitcoin::Target::from_compact(header.bits).is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    let now = u64::from(header.time);
    assert_eq!(
        check_header_in_chain(&spec, &header, &chain[..], now),
        Ok(())
    );
    assert!(matches!(
        check(&header, &chain, now),
        Err(HeaderError::HighHash { .. })
    ));
}

/// A chain with an interval of four blocks, BIP-0094, and bits that stay at the limit.
fn bip94_chain(times: &[u32]) -> (ChainSpec, Vec<Header>) {
    let mut spec = spec();
    spec.difficulty = Difficulty::Retarget {
        interval: 4,
        bip94: true,
    };
    let chain = chain(&spec, times);
    (spec, chain)
}

#[test]
fn an_interval_s_first_block_is_at_most_ten_minutes_before_its_parent() {
    let (mut spec, chain) = bip94_chain(&[600, 1_200, 20_000]);
    let parent_time = chain[3].time;
    let now = u64::from(parent_time);
    let check = |spec: &ChainSpec, time| check_header(spec, &child(&chain, time), &chain[..], now);
    assert_eq!(earliest_time(&spec, &chain[..]), parent_time - 600);
    assert_eq!(check(&spec, parent_time - 600), Ok(()));
    let error = HeaderError::TimeWarp {
        time: parent_time - 601,
        earliest: parent_time - 600,
    };
    assert_eq!(
        rejected(check(&spec, parent_time - 601)),
        (error, "time-timewarp-attack")
    );
    // A time that is too old as well is called that.
    let result = check(&spec, chain[2].time);
    assert_eq!(rejected(result).1, "time-too-old");
    // Without BIP-0094 it is allowed, and templates avoid it all the same.
    spec.difficulty = Difficulty::Retarget {
        interval: 4,
        bip94: false,
    };
    assert_eq!(check(&spec, parent_time - 601), Ok(()));
    assert_eq!(earliest_time(&spec, &chain[..]), parent_time - 600);
}

#[test]
fn within_an_interval_only_the_median_counts() {
    let (spec, chain) = bip94_chain(&[600, 20_000]);
    let header = child(&chain, chain[1].time + 1);
    let now = u64::from(chain[2].time);
    assert_eq!(check_header(&spec, &header, &chain[..], now), Ok(()));
    assert_eq!(earliest_time(&spec, &chain[..]), chain[1].time + 1);
}

/// The rules of the least difficulty look at the block's own time.
#[test]
fn a_late_block_must_have_the_least_difficulty() {
    let mut spec = spec();
    spec.genesis.bits = bitcoin::CompactTarget::from_consensus(0x203f_ffff);
    spec.min_difficulty_after_s = Some(1_200);
    spec.mine_genesis(|_| {});
    let chain = chain(&spec, &[600, 1_200]);
    let check = |time: u32, bits: u32| {
        let mut header = child(&chain, time);
        header.bits = bitcoin::CompactTarget::from_consensus(bits);
        let header = mine(header);
        check_header(&spec, &header, &chain[..], u64::from(time))
    };
    let time = chain[2].time;
    assert_eq!(check(time + 1_200, 0x203f_ffff), Ok(()));
    assert_eq!(check(time + 1_201, 0x207f_ffff), Ok(()));
    for (time, bits) in [(time + 1_200, 0x207f_ffff), (time + 1_201, 0x203f_ffff)] {
        assert_eq!(rejected(check(time, bits)).1, "bad-diffbits");
    }
}
