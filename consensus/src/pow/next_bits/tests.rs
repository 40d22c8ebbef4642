//! The algorithms on chains of headers.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, TxMerkleNode};

use super::*;
use crate::pow::decode_bits;

fn header(time: u32, bits: u32) -> Header {
    Header {
        version: Version::ONE,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time,
        bits: CompactTarget::from_consensus(bits),
        nonce: 0,
    }
}

/// Only the two headers that an adjustment may look at exist.
struct Interval {
    first: (Height, Header),
    last: (Height, Header),
}

impl HeaderChain for Interval {
    fn tip_height(&self) -> Height {
        self.last.0
    }

    fn header(&self, height: Height) -> Header {
        [self.first, self.last]
            .into_iter()
            .find_map(|(at, header)| (at == height).then_some(header))
            .expect("only the ends of the interval are asked for")
    }
}

#[test]
fn retargets_from_the_first_block_of_the_interval() {
    let mainnet = ChainSpec::mainnet();
    let chain = Interval {
        first: (Height(30_240), header(1_261_130_161, 0x1d00_ffff)),
        last: (Height(32_255), header(1_262_152_739, 0x1d00_ffff)),
    };
    assert_eq!(
        next_bits(&mainnet, &chain, 0),
        CompactTarget::from_consensus(0x1d00_d86a)
    );
}

#[test]
fn keeps_the_bits_within_an_interval() {
    let mainnet = ChainSpec::mainnet();
    for height in [32_254, 32_256, 32_257] {
        let last = (Height(height), header(1_262_152_739, 0x1d00_d86a));
        let chain = Interval { first: last, last };
        assert_eq!(
            next_bits(&mainnet, &chain, 0),
            CompactTarget::from_consensus(0x1d00_d86a)
        );
    }
}

#[test]
fn asert_starts_at_its_anchor() {
    let pyrite = ChainSpec::pyrite();
    let start = pyrite.genesis.bits;
    let genesis = pyrite.genesis_block().header;
    // The first block comes a year late: the schedule starts from it.
    let late = genesis.time + 365 * 86_400;
    let first = header(late, start.to_consensus());
    assert_eq!(next_bits(&pyrite, &[genesis][..], 0), start);
    assert_eq!(next_bits(&pyrite, &[genesis, first][..], 0), start);
    let on_time = header(late + 10, start.to_consensus());
    assert_eq!(next_bits(&pyrite, &[genesis, first, on_time][..], 0), start);
    // 600 seconds behind the schedule: twice the target.
    let behind = header(late + 610, start.to_consensus());
    let doubled = next_bits(&pyrite, &[genesis, first, behind][..], 0);
    assert_eq!(doubled, CompactTarget::from_consensus(0x1e1f_fffe));
}

#[test]
fn asert_with_a_later_anchor_keeps_the_start_until_it() {
    let mut spec = ChainSpec::pyrite();
    spec.difficulty = Difficulty::Asert {
        half_life_s: 600,
        anchor_height: 3,
    };
    let genesis = spec.genesis_block().header;
    let mut chain = vec![genesis];
    for height in 1..=3 {
        assert_eq!(
            next_bits(&spec, &chain[..], 0),
            spec.genesis.bits,
            "{height}"
        );
        chain.push(header(
            genesis.time + height,
            spec.genesis.bits.to_consensus(),
        ));
    }
    assert_eq!(next_bits(&spec, &chain[..], 0), spec.genesis.bits);
    chain.push(header(genesis.time + 4, spec.genesis.bits.to_consensus()));
    assert_ne!(next_bits(&spec, &chain[..], 0), spec.genesis.bits);
}

#[test]
fn fixed_never_moves() {
    let regtest = ChainSpec::regtest();
    let genesis = regtest.genesis_block().header;
    let fast = header(genesis.time + 1, 0x207f_ffff);
    assert_eq!(
        next_bits(&regtest, &[genesis, fast][..], 0),
        regtest.genesis.bits
    );
}

/// Bitcoin's testnet3, with an interval of ten blocks to keep the chains short.
fn testnet(bip94: bool) -> ChainSpec {
    ChainSpec {
        difficulty: Difficulty::Retarget {
            interval: 10,
            bip94,
        },
        min_difficulty_after_s: Some(1_200),
        ..ChainSpec::mainnet()
    }
}

const LIMIT: u32 = 0x1d00_ffff;

fn bits(value: u32) -> CompactTarget {
    CompactTarget::from_consensus(value)
}

/// Ten blocks of the limit, then blocks with these solve times and bits.
fn testnet_chain(blocks: &[(u32, u32)]) -> Vec<Header> {
    let mut chain: Vec<Header> = (0..10).map(|height| header(height * 600, LIMIT)).collect();
    for (solve_time, bits) in blocks {
        let time = chain.last().expect("ten blocks").time + solve_time;
        chain.push(header(time, *bits));
    }
    chain
}

#[test]
fn a_late_block_has_the_least_difficulty() {
    let chain = testnet_chain(&[(600, 0x1c0f_ffff), (600, 0x1c0f_ffff)]);
    let time = chain[11].time;
    for bip94 in [false, true] {
        let spec = testnet(bip94);
        assert_eq!(min_difficulty_from(&spec, &chain[..]), Some(time + 1_201));
        for (after_s, expected) in [
            (0, 0x1c0f_ffff),
            (1_200, 0x1c0f_ffff),
            (1_201, LIMIT),
            (7_200, LIMIT),
        ] {
            assert_eq!(next_bits(&spec, &chain[..], time + after_s), bits(expected));
        }
        // A time before the parent's is not late.
        assert_eq!(next_bits(&spec, &chain[..], 0), bits(0x1c0f_ffff));
    }
    let mut without = testnet(false);
    without.min_difficulty_after_s = None;
    assert_eq!(min_difficulty_from(&without, &chain[..]), None);
    let late = next_bits(&without, &chain[..], time + 7_200);
    assert_eq!(late, bits(0x1c0f_ffff));
}

#[test]
fn the_last_ordinary_bits_come_back() {
    let spec = testnet(false);
    let chain = testnet_chain(&[
        (600, 0x1c0f_ffff),
        (600, 0x1c0f_ffff),
        (1_201, LIMIT),
        (1_201, LIMIT),
    ]);
    assert_eq!(
        next_bits(&spec, &chain[..], chain[13].time),
        bits(0x1c0f_ffff)
    );
    // Without the rule the parent's bits stay.
    let mut without = spec;
    without.min_difficulty_after_s = None;
    assert_eq!(next_bits(&without, &chain[..], chain[13].time), bits(LIMIT));
}

#[test]
fn the_search_for_ordinary_bits_ends_with_the_interval() {
    let spec = testnet(false);
    // Block 9 is harder, but of the interval before; block 10 starts with the limit.
    let mut chain = testnet_chain(&[(600, LIMIT), (1_201, LIMIT)]);
    chain[9].bits = bits(0x1c0f_ffff);
    assert_eq!(next_bits(&spec, &chain[..], chain[11].time), bits(LIMIT));
    // The genesis block ends it too.
    let chain = [header(0, LIMIT), header(5_000, LIMIT)];
    assert_eq!(next_bits(&spec, &chain[..], 5_000), bits(LIMIT));
}

#[test]
fn the_first_block_of_an_interval_is_never_of_the_least_difficulty() {
    let mut blocks = vec![(600, 0x1c0f_ffff); 9];
    blocks.push((600, 0x1c0f_ffff));
    let chain = testnet_chain(&blocks);
    assert_eq!(chain.len(), 20);
    for bip94 in [false, true] {
        let spec = testnet(bip94);
        assert_eq!(min_difficulty_from(&spec, &chain[..]), None);
        let expected = next_bits(&spec, &chain[..], chain[19].time + 600);
        assert_eq!(next_bits(&spec, &chain[..], u32::MAX), expected);
        assert_ne!(expected, bits(LIMIT));
    }
}

/// Testnet3's well-known weakness, and what BIP-0094 makes of it: an interval whose last block has the
/// least difficulty resets the chain, or does not.
#[test]
fn an_adjustment_from_a_block_of_the_least_difficulty() {
    let mut blocks = vec![(600, 0x1c0f_ffff); 9];
    blocks.push((1_201, LIMIT));
    let chain = testnet_chain(&blocks);
    let taken_s = chain[19].time - chain[10].time;
    let from = |value| retarget(bits(value), 0, taken_s, 6_000, bits(LIMIT));
    let next = |bip94| next_bits(&testnet(bip94), &chain[..], chain[19].time + 600);
    assert_eq!(next(false), from(LIMIT));
    assert_eq!(next(true), from(0x1c0f_ffff));
    assert_eq!(next(true), bits(0x1c10_00ad));
}

/// The same limit in a longer form: headers have the shortest.
#[test]
fn the_limit_has_one_form() {
    let mut spec = testnet(false);
    spec.pow_limit = bits(0x1e00_00ff);
    let chain = [header(0, 0x1c0f_ffff), header(600, 0x1c0f_ffff)];
    assert_eq!(next_bits(&spec, &chain[..], 2_000), bits(0x1d00_ff00));
}

#[test]
fn a_time_that_no_header_can_have_is_never_late() {
    let spec = testnet(false);
    let chain = [header(0, LIMIT), header(u32::MAX - 1_200, 0x1c0f_ffff)];
    assert_eq!(min_difficulty_from(&spec, &chain[..]), None);
    assert_eq!(next_bits(&spec, &chain[..], u32::MAX), bits(0x1c0f_ffff));
    let chain = [header(0, LIMIT), header(u32::MAX - 1_201, 0x1c0f_ffff)];
    assert_eq!(min_difficulty_from(&spec, &chain[..]), Some(u32::MAX));
}

fn pyrite_with_rule(difficulty: Difficulty) -> ChainSpec {
    ChainSpec {
        difficulty,
        min_difficulty_after_s: Some(120),
        ..ChainSpec::pyrite()
    }
}

const PYRITE_LIMIT: u32 = 0x1f00_ffff;

#[test]
fn the_first_mined_block_is_not_late() {
    let asert = Difficulty::Asert {
        half_life_s: 600,
        anchor_height: 1,
    };
    for difficulty in [asert, Difficulty::Lwma { window: 60 }, Difficulty::Fixed] {
        let spec = pyrite_with_rule(difficulty);
        let genesis = spec.genesis_block().header;
        assert_eq!(min_difficulty_from(&spec, &[genesis][..]), None);
        assert_eq!(next_bits(&spec, &[genesis][..], u32::MAX), genesis.bits);
        let first = header(genesis.time + 1_000_000, genesis.bits.to_consensus());
        let chain = [genesis, first];
        let in_time = next_bits(&spec, &chain[..], first.time + 120);
        assert!(near(in_time, genesis.bits), "{in_time:08x}");
        let late = next_bits(&spec, &chain[..], first.time + 121);
        assert_eq!(late, bits(PYRITE_LIMIT));
    }
}

/// What the blocks of the least difficulty have as bits is the same to ASERT, even at its anchor.
#[test]
fn asert_does_not_see_the_bits_of_late_blocks() {
    let spec = pyrite_with_rule(Difficulty::Asert {
        half_life_s: 600,
        anchor_height: 2,
    });
    let start = spec.genesis.bits.to_consensus();
    let chain_with = |late: u32| {
        [
            header(0, start),
            header(1_000, start),
            header(1_300, late),
            header(1_600, late),
        ]
    };
    let (late, ordinary) = (chain_with(PYRITE_LIMIT), chain_with(start));
    let next = next_bits(&spec, &late[..], 1_601);
    assert_eq!(next, next_bits(&spec, &ordinary[..], 1_601));
    // 290 seconds behind: about 2^(290/600) times the target.
    assert_eq!(next, bits(0x1e16_5d8e));
}

#[test]
fn lwma_starts_on_schedule() {
    let spec = ChainSpec {
        difficulty: Difficulty::Lwma { window: 60 },
        ..ChainSpec::pyrite()
    };
    let start = spec.genesis.bits;
    let genesis = spec.genesis_block().header;
    // The first block comes a year late: that does not count.
    let late = genesis.time + 365 * 86_400;
    let mut chain = vec![genesis];
    assert_eq!(next_bits(&spec, &chain[..], late), start);
    chain.push(header(late, start.to_consensus()));
    let first = next_bits(&spec, &chain[..], late);
    assert!(near(first, start), "{first:08x}");
    // Twice as fast as intended: harder from the first blocks on, and twice as hard in the end, when
    // nothing of before is left in the window.
    let mut last = first;
    for height in 2..200 {
        chain.push(header(late + height * 5, start.to_consensus()));
        let next = next_bits(&spec, &chain[..], late);
        assert!(number(next) <= number(last), "{height}");
        last = next;
    }
    assert!(near(last, bits(0x1e07_ffff)), "{last:08x}");
}

/// The published rule wants as many blocks as the window has, and the one before it.
#[test]
fn lwma_is_the_published_average_once_the_window_is_full() {
    let spec = ChainSpec {
        difficulty: Difficulty::Lwma { window: 3 },
        ..ChainSpec::pyrite()
    };
    let chain = [
        header(0, 0x1e0f_ffff),
        header(1_000, 0x1e0f_ffff),
        header(1_015, 0x1e0e_0000),
        header(1_012, 0x1e0d_0000),
        header(1_050, 0x1e0c_0000),
    ];
    let window: Vec<WindowBlock> = chain[2..]
        .iter()
        .map(|header| WindowBlock {
            time: header.time.into(),
            bits: Some(header.bits),
        })
        .collect();
    let average = Average {
        spacing_s: 10,
        pow_limit: spec.pow_limit,
    };
    let expected = lwma::next_target_bits(&average, 1_000, &window);
    assert_eq!(next_bits(&spec, &chain[..], 1_050), expected);
    // Solve times 15, 1 and 34, of which the weights are 1, 2 and 3, and the average target 0x0d0000: by 119 / 60.
    assert_eq!(expected, bits(0x1e19_c888));
}

#[test]
fn lwma_leaves_out_the_bits_of_late_blocks() {
    let spec = pyrite_with_rule(Difficulty::Lwma { window: 20 });
    let start = spec.genesis.bits.to_consensus();
    let mut chain: Vec<Header> = (0..40).map(|height| header(height * 10, start)).collect();
    for _ in 0..5 {
        let last = chain.last().expect("forty blocks").time;
        assert_eq!(next_bits(&spec, &chain[..], last + 121), bits(PYRITE_LIMIT));
        chain.push(header(last + 121, PYRITE_LIMIT));
    }
    let next = next_bits(&spec, &chain[..], 0);
    // Five of twenty took six spacings (as much as counts): by (15·16/2 + 6·(16+17+18+19+20)) / (20·21/2).
    let expected = number(bits(start)) as f64 * (120.0 + 6.0 * 90.0) / 210.0;
    assert!((number(next) as f64 / expected - 1.0).abs() < 0.001);
    // When only such blocks are left, the schedule starts again from the limit.
    for _ in 0..15 {
        let last = chain.last().expect("forty blocks").time;
        chain.push(header(last + 121, PYRITE_LIMIT));
    }
    assert_eq!(next_bits(&spec, &chain[..], 0), bits(PYRITE_LIMIT));
}

/// The top 64 bits of a target.
fn number(bits: CompactTarget) -> u64 {
    let target = bitcoin::Target::from_compact(bits).to_be_bytes();
    u64::from_be_bytes(target[..8].try_into().expect("eight bytes"))
}

/// Equal but for what the divisions of LWMA lose.
fn near(a: CompactTarget, b: CompactTarget) -> bool {
    number(a).abs_diff(number(b)) <= number(b) / 10_000
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn any_difficulty() -> impl Strategy<Value = Difficulty> {
        prop_oneof![
            Just(Difficulty::Fixed),
            (2u32..30, any::<bool>())
                .prop_map(|(interval, bip94)| Difficulty::Retarget { interval, bip94 }),
            (1u32..10_000, 1u32..5).prop_map(|(half_life_s, anchor_height)| {
                Difficulty::Asert {
                    half_life_s,
                    anchor_height,
                }
            }),
            (3u32..40).prop_map(|window| Difficulty::Lwma { window }),
        ]
    }

    proptest! {
        /// A chain that obeys the rule, with any times: the next bits are a target within the limit, and the
        /// same every time.
        #[test]
        fn bits_are_a_target_within_the_limit(
            difficulty in any_difficulty(),
            min_difficulty_after_s in prop::option::of(11u32..300),
            steps in prop::collection::vec(-100i64..400, 1..80),
        ) {
            let spec = ChainSpec { difficulty, min_difficulty_after_s, ..ChainSpec::pyrite() };
            let mut chain = vec![spec.genesis_block().header];
            for step in steps {
                let time = u32::try_from(i64::from(chain[chain.len() - 1].time) + step).expect("a time");
                let next = next_bits(&spec, &chain[..], time);
                prop_assert_eq!(next, next_bits(&spec, &chain[..], time));
                let target = decode_bits(next).expect("a target");
                prop_assert!(target <= decode_bits(spec.pow_limit).expect("the limit"));
                let is_late = min_difficulty_from(&spec, &chain[..]).is_some_and(|from| time >= from);
                prop_assert!(!is_late || next == bits(PYRITE_LIMIT));
                chain.push(header(time, next.to_consensus()));
            }
        }
    }
}
