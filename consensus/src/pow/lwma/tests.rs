//! The average against a plain computation with big numbers, and what always holds.

use bitcoin::Target;
use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;

const LIMIT: u32 = 0x1f00_ffff;

fn bits(value: u32) -> CompactTarget {
    CompactTarget::from_consensus(value)
}

fn average(spacing_s: u32) -> Average {
    Average {
        spacing_s,
        pow_limit: bits(LIMIT),
    }
}

/// A window of blocks with these bits and solve times, after a block at time 0.
fn window(bits_value: u32, solve_times: &[i64]) -> Vec<WindowBlock> {
    let mut time = 0;
    solve_times
        .iter()
        .map(|solve_time| {
            time += solve_time;
            WindowBlock {
                time,
                bits: Some(bits(bits_value)),
            }
        })
        .collect()
}

fn next(window: &[WindowBlock]) -> CompactTarget {
    next_target_bits(&average(10), 0, window)
}

fn big(bits: CompactTarget) -> BigUint {
    BigUint::from_bytes_be(&Target::from_compact(bits).to_be_bytes())
}

fn compact(number: &BigUint) -> CompactTarget {
    let bytes = number.to_bytes_be();
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(&bytes);
    Target::from_be_bytes(padded).to_compact_lossy()
}

/// The solve times that the publication counts: each from the latest time so far, 1 second at least,
/// six spacings at most.
fn counted_solve_times(spacing_s: u32, previous_time: i64, window: &[WindowBlock]) -> Vec<i64> {
    let mut latest = previous_time;
    let mut counted = Vec::new();
    for block in window {
        let time = if block.time > latest {
            block.time
        } else {
            latest + 1
        };
        counted.push((time - latest).min(6 * i64::from(spacing_s)));
        latest = time;
    }
    counted
}

fn weighted_sum(solve_times: &[i64]) -> BigUint {
    let weighted: i64 = solve_times
        .iter()
        .zip(1..)
        .map(|(time, weight)| time * weight)
        .sum();
    BigUint::from(u64::try_from(weighted).expect("solve times are positive"))
}

/// The published steps, with numbers that can't overflow. Without blocks of the least difficulty.
fn published(spacing_s: u32, previous_time: i64, window: &[WindowBlock]) -> CompactTarget {
    let n = window.len() as u64;
    let k = n * (n + 1) * u64::from(spacing_s) / 2;
    let solve_times = counted_solve_times(spacing_s, previous_time, window);
    let mut sum = BigUint::ZERO;
    for block in window {
        sum += big(block.bits.expect("an ordinary block")) / n / k;
    }
    let next = sum * weighted_sum(&solve_times);
    compact(&next.min(big(bits(LIMIT))))
}

/// The average as a fraction: numerator and denominator.
fn exact(spacing_s: u32, previous_time: i64, window: &[WindowBlock]) -> (BigUint, BigUint) {
    let targets: Vec<BigUint> = window
        .iter()
        .filter_map(|block| block.bits)
        .map(big)
        .collect();
    let n = window.len() as u64;
    let solve_times = counted_solve_times(spacing_s, previous_time, window);
    let numerator = targets.iter().sum::<BigUint>() * weighted_sum(&solve_times);
    let on_schedule = n * (n + 1) / 2 * u64::from(spacing_s);
    (numerator, BigUint::from(targets.len() as u64) * on_schedule)
}

#[test]
fn on_schedule_the_target_stays() {
    // 0x1e0ff000: what the divisions lose is below the precision of the bits.
    let blocks = window(0x1e0f_f000, &[10; 60]);
    let (numerator, denominator) = exact(10, 0, &blocks);
    assert_eq!(compact(&(numerator / denominator)), bits(0x1e0f_f000));
    let next = big(next(&blocks));
    let lost = big(bits(0x1e0f_f000)) - &next;
    assert!(
        lost * 60_000_u32 < next,
        "less than one part in sixty thousand"
    );
}

#[test]
fn twice_and_half_the_time() {
    let doubled = next(&window(0x1d10_0000, &[20; 60]));
    let halved = next(&window(0x1d10_0000, &[5; 60]));
    // Rounded down, by less than the bits can tell here.
    assert_eq!(compact(&(big(doubled) >> 8 << 8)), doubled);
    assert_eq!(doubled, bits(0x1d1f_ffff));
    assert_eq!(halved, bits(0x1d07_ffff));
}

#[test]
fn the_newest_solve_times_weigh_most() {
    let mut late = [10; 60];
    late[59] = 40;
    let mut early = [10; 60];
    early[0] = 40;
    let start = bits(0x1d10_0000);
    let (late, early) = (
        next(&window(start.to_consensus(), &late)),
        next(&window(start.to_consensus(), &early)),
    );
    assert!(big(late) > big(early));
    assert!(big(early) >= big(next(&window(start.to_consensus(), &[10; 60]))));
}

#[test]
fn solve_times_are_bounded() {
    let start = 0x1c10_0000;
    // No pause counts as more than six spacings.
    let six = next(&window(start, &[60; 60]));
    assert_eq!(next(&window(start, &[60_000; 60])), six);
    // Times that stand still or go back count as a second each.
    let one = next(&window(start, &[1; 60]));
    assert_eq!(next(&window(start, &[0; 60])), one);
    assert_eq!(next(&window(start, &[-30; 60])), one);
}

#[test]
fn a_time_that_goes_back_takes_from_those_after_it() {
    // Ahead by 100 s and back again: 100 s (60 count), then 1 s each until the clock has caught up.
    let blocks = window(0x1d10_0000, &[100, -90, 10, 10]);
    assert_eq!(counted_solve_times(10, 0, &blocks), [60, 1, 1, 1]);
    assert_eq!(next(&blocks), published(10, 0, &blocks));
}

#[test]
fn blocks_of_the_least_difficulty_count_with_their_time_alone() {
    let mut blocks = window(0x1d10_0000, &[10; 60]);
    let without = next(&blocks);
    for block in &mut blocks[30..40] {
        block.bits = None;
    }
    let (numerator, denominator) = exact(10, 0, &blocks);
    assert_eq!(compact(&(numerator / denominator)), bits(0x1d10_0000));
    // The others' average target is the same; only the rounding may differ.
    assert_eq!(big(next(&blocks)) >> 216_u32, big(without) >> 216_u32);
    for block in &mut blocks {
        block.bits = None;
    }
    assert_eq!(next(&blocks), bits(LIMIT));
}

#[test]
fn the_ends_are_one_and_the_limit() {
    assert_eq!(next(&window(LIMIT, &[60; 60])), bits(LIMIT));
    assert_eq!(next(&window(0x0101_0000, &[1; 60])), bits(0x0101_0000));
    assert_eq!(next(&window(0x1e0f_ffff, &[60; 60])), bits(0x1e5f_fff9));
}

#[test]
fn an_easy_limit_does_not_wrap() {
    let average = Average {
        spacing_s: 10,
        pow_limit: bits(0x207f_ffff),
    };
    let blocks = window(0x207f_ffff, &[60; 60]);
    assert_eq!(next_target_bits(&average, 0, &blocks), bits(0x207f_ffff));
    let blocks = window(0x207f_ffff, &[5; 60]);
    assert_eq!(next_target_bits(&average, 0, &blocks), bits(0x203f_ffff));
}

#[test]
fn windows_by_spacing() {
    for (spacing_s, window) in [
        (1, 120),
        (150, 120),
        (299, 120),
        (300, 90),
        (599, 90),
        (600, 60),
    ] {
        assert_eq!(recommended_window(spacing_s), window, "{spacing_s}");
    }
    assert_eq!(recommended_window(u32::MAX), 60);
}

/// Bits of targets from 1 up to the limit.
fn any_bits() -> impl Strategy<Value = CompactTarget> {
    (any::<[u8; 32]>(), 16u32..256).prop_map(|(bytes, shift)| {
        let number = (BigUint::from_bytes_be(&bytes) >> shift).min(big(bits(LIMIT)));
        compact(&number.max(BigUint::from(1_u32)))
    })
}

prop_compose! {
    fn any_window()(
        blocks in prop::collection::vec((any_bits(), -200i64..5_000), 1..150),
        start in 0i64..4_000_000_000,
    ) -> (i64, Vec<WindowBlock>) {
        let mut time = start;
        let window = blocks
            .into_iter()
            .map(|(bits, step)| {
                time += step;
                WindowBlock { time, bits: Some(bits) }
            })
            .collect();
        (start, window)
    }
}

proptest! {
    #[test]
    fn agrees_with_the_published_steps((start, window) in any_window(), spacing_s in 1u32..100_000) {
        let actual = next_target_bits(&average(spacing_s), start, &window);
        let expected = published(spacing_s, start, &window);
        // The publication may give zero, which no hash meets.
        let expected = if expected.to_consensus() == 0 { bits(0x0101_0000) } else { expected };
        prop_assert_eq!(actual, expected);
    }

    #[test]
    fn is_the_exact_average_but_for_rounding(
        (start, window) in any_window(),
        special: [u8; 19],
        spacing_s in 1u32..100_000,
    ) {
        let mut window = window;
        for (index, block) in window.iter_mut().enumerate() {
            if special[index / 8] >> (index % 8) & 1 == 1 {
                block.bits = None;
            }
        }
        let actual = next_target_bits(&average(spacing_s), start, &window);
        let counted = window.iter().filter(|block| block.bits.is_some()).count();
        if counted == 0 {
            prop_assert_eq!(actual, bits(LIMIT));
        } else {
            let (numerator, denominator) = exact(spacing_s, start, &window);
            let most = (numerator / denominator).min(big(bits(LIMIT)));
            // Each of the targets loses less than two, before they are multiplied.
            let solve_times = counted_solve_times(spacing_s, start, &window);
            let lost = weighted_sum(&solve_times) * (2 * counted as u64);
            let least = if most > lost { &most - lost } else { BigUint::from(1_u32) };
            let actual = big(actual);
            prop_assert!(actual <= most.clone().max(BigUint::from(1_u32)));
            prop_assert!(actual >= big(compact(&least)));
        }
    }

    #[test]
    fn stays_within_one_and_the_limit((start, window) in any_window(), spacing_s in 1u32..2_592_000) {
        let next = next_target_bits(&average(spacing_s), start, &window);
        prop_assert!(big(next) >= BigUint::from(1_u32));
        prop_assert!(big(next) <= big(bits(LIMIT)));
        prop_assert_eq!(next, next_target_bits(&average(spacing_s), start, &window));
    }
}
