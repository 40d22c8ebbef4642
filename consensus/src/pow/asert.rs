//! ASERT, version `aserti3-2d`: the target is exponential in how far the chain is behind an ideal schedule.
//!
//! The schedule starts from an anchor block. There is no memory between blocks but the schedule, so
//! the same height and time always give the same bits.

use bitcoin::CompactTarget;

use super::target::{decode_bits, encode_bits};
use super::uint256::U256;

/// Fixed-point numbers of the exponent have this many bits after the point.
const RADIX_BITS: u32 = 16;
const RADIX: i128 = 1 << RADIX_BITS;

/// Any shift this long overflows to the left, and leaves nothing to the right.
const LONGEST_SHIFT: i128 = 1024;

/// The block that the schedule starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its bits.
    pub bits: CompactTarget,
    /// Its height.
    pub height: u64,
    /// The time of its parent, Unix seconds.
    pub parent_time: i64,
}

/// The parameters of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Intended seconds between blocks.
    pub spacing_s: u32,
    /// Seconds behind the schedule that double the target. Not zero.
    pub half_life_s: u32,
    /// The easiest target.
    pub pow_limit: CompactTarget,
}

/// The bits of the block after a parent with this height and time.
///
/// # Panics
/// When the anchor's bits or the limit are not a target, or the half-life is zero.
pub fn next_target_bits(
    anchor: &Anchor,
    schedule: &Schedule,
    parent_height: u64,
    parent_time: i64,
) -> CompactTarget {
    let target = decode_bits(anchor.bits).expect("bits of a header in the chain are a target");
    let limit = decode_bits(schedule.pow_limit).expect("the limit of a spec is a target");

    // Blocks are counted from the anchor's parent, whose time is the reference: hence the one.
    let taken_s = i128::from(parent_time) - i128::from(anchor.parent_time);
    let blocks = i128::from(parent_height) - i128::from(anchor.height) + 1;
    let behind_s = taken_s - i128::from(schedule.spacing_s) * blocks;
    // The published algorithm rounds this quotient towards zero, and the next one down.
    let exponent = behind_s * RADIX / i128::from(schedule.half_life_s);
    let whole = exponent
        .div_euclid(RADIX)
        .clamp(-LONGEST_SHIFT, LONGEST_SHIFT);
    let fraction = u64::try_from(exponent.rem_euclid(RADIX)).expect("16 bits");

    let shift = i32::try_from(whole).expect("clamped") - RADIX_BITS.cast_signed();
    let next = target
        .mul_shift(power_of_two(fraction), shift)
        .map_or(limit, |next| next.min(limit));
    encode_bits(next.max(U256::ONE))
}

/// 2^(fraction / 65536) · 65536, by the cubic approximation that the algorithm prescribes. The sum
/// stays below 2^64 for every fraction of 16 bits.
fn power_of_two(fraction: u64) -> u64 {
    let polynomial = 195_766_423_245_049 * fraction
        + 971_821_376 * fraction.pow(2)
        + 5_127 * fraction.pow(3)
        + (1 << 47);
    (1 << RADIX_BITS) + (polynomial >> 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(value: u32) -> CompactTarget {
        CompactTarget::from_consensus(value)
    }

    /// A schedule with 10 seconds and 600, from height 1 and a parent at time 0.
    fn next(anchor_bits: u32, pow_limit: u32, height: u64, time: i64) -> CompactTarget {
        next_target_bits(
            &Anchor {
                bits: bits(anchor_bits),
                height: 1,
                parent_time: 0,
            },
            &Schedule {
                spacing_s: 10,
                half_life_s: 600,
                pow_limit: bits(pow_limit),
            },
            height,
            time,
        )
    }

    #[test]
    fn on_schedule_the_target_stays() {
        for height in [1, 2, 1_000, u32::MAX] {
            let time = i64::from(height) * 10;
            assert_eq!(
                next(0x1e0f_ffff, 0x1f00_ffff, u64::from(height), time),
                bits(0x1e0f_ffff)
            );
        }
    }

    #[test]
    fn a_half_life_behind_doubles_and_ahead_halves() {
        assert_eq!(
            next(0x1e0f_ffff, 0x1f00_ffff, 100, 1_000 + 600),
            bits(0x1e1f_fffe)
        );
        assert_eq!(
            next(0x1e0f_fffe, 0x1f00_ffff, 100, 1_000 - 600),
            bits(0x1e07_ffff)
        );
    }

    #[test]
    fn the_ends_are_one_and_the_limit() {
        assert_eq!(
            next(0x1e0f_ffff, 0x1f00_ffff, 1, i64::MAX),
            bits(0x1f00_ffff)
        );
        assert_eq!(
            next(0x1e0f_ffff, 0x1f00_ffff, 100, 1_000 + 600 * 4),
            bits(0x1f00_ffff)
        );
        assert_eq!(
            next(0x1e0f_ffff, 0x1f00_ffff, u64::MAX, i64::MIN),
            bits(0x0101_0000)
        );
        assert_eq!(
            next(0x1e0f_ffff, 0x1f00_ffff, 1, -600 * 300),
            bits(0x0101_0000)
        );
    }

    /// With so easy a target, the product with the factor takes more than 256 bits.
    #[test]
    fn an_easy_limit_does_not_wrap() {
        assert_eq!(
            next(0x207f_ffff, 0x207f_ffff, 1, 10 + 599),
            bits(0x207f_ffff)
        );
        let harder = next(0x207f_ffff, 0x207f_ffff, 1, 10 - 300);
        // Half a half-life: divided by about the square root of two.
        assert_eq!(harder, bits(0x205a_807f));
    }

    #[test]
    fn the_polynomial_stays_in_range() {
        assert_eq!(power_of_two(0), 65_536);
        assert_eq!(power_of_two(65_535), 131_071);
        // The square root of two would be 92,682: the approximation is off by less than 0.013%.
        assert_eq!(power_of_two(32_768), 92_674);
    }
}
