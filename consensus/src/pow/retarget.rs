//! Bitcoin's difficulty adjustment (Bitcoin Core's `CalculateNextWorkRequired`).

use bitcoin::CompactTarget;

use super::target::{decode_bits, encode_bits};

/// The bits after an interval that should have taken `timespan_s` and whose first and last block have these
/// times. The two are one spacing short of the interval: that is Bitcoin's rule.
///
/// The product of target and time is exact, where Bitcoin Core's wraps at 256 bits; they differ only for
/// limits so easy that no network with a retarget has them.
///
/// # Panics
/// When `last_bits` or `pow_limit` is not a target. Neither happens in a chain that passed the checks.
pub(super) fn retarget(
    last_bits: CompactTarget,
    first_time: u32,
    last_time: u32,
    timespan_s: u64,
    pow_limit: CompactTarget,
) -> CompactTarget {
    let target = decode_bits(last_bits).expect("bits of a header in the chain are a target");
    let limit = decode_bits(pow_limit).expect("the limit of a spec is a target");
    // The last block may be older than the first: the clamp takes care of negative times too.
    let taken_s = u64::from(last_time.saturating_sub(first_time));
    let clamped_s = taken_s.clamp(timespan_s / 4, timespan_s.saturating_mul(4));
    let next = target
        .mul_div(clamped_s, timespan_s)
        .map_or(limit, |next| next.min(limit));
    encode_bits(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_WEEKS_S: u64 = 14 * 24 * 60 * 60;

    fn bits(value: u32) -> CompactTarget {
        CompactTarget::from_consensus(value)
    }

    /// Adjustments of Bitcoin's mainnet: first and last time of the interval, bits before and after.
    #[test]
    fn follows_mainnet() {
        for (first, last, before, after) in [
            // Block 32256: no constraint.
            (1_261_130_161, 1_262_152_739, 0x1d00_ffff, 0x1d00_d86a),
            // Block 2016: at the limit.
            (1_231_006_505, 1_233_061_996, 0x1d00_ffff, 0x1d00_ffff),
            // Block 68544: harder by at most a factor of four.
            (1_279_008_237, 1_279_297_671, 0x1c05_a3f4, 0x1c01_68fd),
            // Easier by at most a factor of four (a constructed time).
            (1_263_163_443, 1_269_211_443, 0x1c38_7f6f, 0x1d00_e1fd),
        ] {
            let next = retarget(bits(before), first, last, TWO_WEEKS_S, bits(0x1d00_ffff));
            assert_eq!(next, bits(after), "{before:08x}");
        }
    }

    #[test]
    fn time_that_runs_backwards_counts_as_the_shortest() {
        let limit = bits(0x1d00_ffff);
        let shortest = retarget(bits(0x1c05_a3f4), 1_000_000, 1_000_000, TWO_WEEKS_S, limit);
        assert_eq!(shortest, bits(0x1c01_68fd));
        assert_eq!(
            retarget(bits(0x1c05_a3f4), 1_000_000, 5, TWO_WEEKS_S, limit),
            shortest
        );
    }

    #[test]
    fn an_easy_limit_does_not_wrap() {
        let limit = bits(0x207f_ffff);
        assert_eq!(retarget(limit, 0, u32::MAX, TWO_WEEKS_S, limit), limit);
        assert_eq!(retarget(limit, 0, 0, TWO_WEEKS_S, limit), bits(0x201f_ffff));
    }
}
