//! LWMA-1, the linearly weighted moving average of the last solve times, by zawy12 and others.
//!
//! The algorithm is the one published as "LWMA-1 for BTC & Zcash clones" (2019):
//! <https://github.com/zawy12/difficulty-algorithms/issues/3#issuecomment-442129791>. The next target is the
//! average target of the last N blocks times their average solve time over the intended one, where the
//! newest solve time weighs N, the one before it N - 1, and so on. A solve time counts as at most six
//! spacings, and as at least one second: a time that is not after the latest so far counts as one second
//! after it. (An older version let solve times be negative, down to six spacings: times that
//! go back could then make the chain easier.)

use bitcoin::CompactTarget;

use super::target::{decode_bits, encode_bits};
use super::uint256::U256;

/// Longer solve times count as this many spacings.
const MAX_SOLVE_TIME_SPACINGS: u64 = 6;

/// The parameters of the average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Average {
    /// Intended seconds between blocks.
    pub spacing_s: u32,
    /// The easiest target.
    pub pow_limit: CompactTarget,
}

/// A block of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowBlock {
    /// Its time, Unix seconds.
    pub time: i64,
    /// Its bits; `None` when they say nothing about the hash power (a block of the least difficulty),
    /// so that only its solve time counts.
    pub bits: Option<CompactTarget>,
}

/// The window that the publication recommends for a spacing: 60, 90 and 120 blocks for 600, 300 and 150
/// seconds.
pub fn recommended_window(spacing_s: u32) -> u32 {
    match spacing_s {
        600.. => 60,
        300..600 => 90,
        0..300 => 120,
    }
}

/// The bits of the block after a window of N blocks, oldest first. `previous_time` is the time of the
/// block before the window.
///
/// The limit where no block of the window has bits that count: the schedule starts again from there.
///
/// # Panics
/// When a block's bits or the limit are not a target, the spacing is zero, or the window is so long that
/// its weights overflow (a spec's are at most 10,000 blocks of a month).
pub fn next_target_bits(
    average: &Average,
    previous_time: i64,
    window: &[WindowBlock],
) -> CompactTarget {
    let limit = decode_bits(average.pow_limit).expect("the limit of a spec is a target");
    let counted = window.iter().filter(|block| block.bits.is_some()).count();
    let Ok(counted @ 1..) = u64::try_from(counted) else {
        return encode_bits(limit);
    };
    let spacing_s = u64::from(average.spacing_s);
    let blocks = u64::try_from(window.len()).expect("usize has at most 64 bits");
    // What the weighted solve times add up to on schedule.
    let on_schedule = blocks * (blocks + 1) / 2 * spacing_s;

    let mut weighted_s = 0;
    // The average target over `on_schedule`. The publication divides each target before adding, which
    // decides how it rounds.
    let mut average_target = U256::ZERO;
    let mut latest = previous_time;
    for (weight, block) in (1..).zip(window) {
        let time = block.time.max(latest.saturating_add(1));
        let solve_time_s = time
            .abs_diff(latest)
            .min(MAX_SOLVE_TIME_SPACINGS * spacing_s);
        latest = time;
        weighted_s += solve_time_s * weight;
        if let Some(bits) = block.bits {
            let target = decode_bits(bits).expect("bits of a header in the chain are a target");
            let share = target
                .mul_div(1, counted)
                .and_then(|share| share.mul_div(1, on_schedule))
                .expect("a quotient is not larger");
            average_target = average_target
                .checked_add(share)
                .expect("an average is not larger than the largest");
        }
    }
    let next = average_target
        .mul_div(weighted_s, 1)
        .map_or(limit, |next| next.min(limit));
    encode_bits(next.max(U256::ONE))
}

#[cfg(test)]
mod tests;
