//! Targets and work with numbers that have no limit, straight from their definitions.

use num_bigint::BigUint;

/// Bitcoin Core's `arith_uint256::SetCompact`; `None` where it reports zero, a negative number or an overflow.
pub(crate) fn target(bits: u32) -> Option<BigUint> {
    let size = bits >> 24;
    let mantissa = BigUint::from(bits & 0x007f_ffff);
    let target = if size <= 3 {
        mantissa >> (8 * (3 - size))
    } else {
        mantissa << (8 * (size - 3))
    };
    let is_negative = bits & 0x0080_0000 != 0;
    (target != BigUint::ZERO && !is_negative && target.bits() <= 256).then_some(target)
}

/// 2^256 over the target plus one, rounded down (Bitcoin Core's `GetBlockProof`); zero without a target.
pub(crate) fn work(bits: u32) -> BigUint {
    target(bits).map_or(BigUint::ZERO, |target| {
        (BigUint::from(1_u8) << 256) / (target + 1_u8)
    })
}
