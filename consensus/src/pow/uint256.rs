//! The 256-bit integers of targets and chain work, with the few operations that the rules need.
//!
//! Products are exact: they are taken in 320 bits, so nothing wraps before a division or a shift.

use std::cmp::Ordering;

const LIMBS: usize = 4;
const LIMB_BITS: u32 = 64;

/// An unsigned integer of 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct U256([u64; LIMBS]); // least significant limb first

impl U256 {
    pub(crate) const ZERO: Self = Self([0; LIMBS]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);

    pub(crate) fn from_u64(value: u64) -> Self {
        Self([value, 0, 0, 0])
    }

    pub(crate) fn from_le_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; LIMBS];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes"));
        }
        Self(limbs)
    }

    pub(crate) fn to_be_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0.iter().rev()) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }

    /// The least significant 64 bits.
    pub(crate) fn low_u64(self) -> u64 {
        self.0[0]
    }

    /// How many bits the number takes: 0 for zero.
    pub(crate) fn bit_length(self) -> u32 {
        bit_length(&self.0)
    }

    /// `self · 2^bits`, `None` when it takes more than 256 bits.
    pub(crate) fn checked_shl(self, bits: u32) -> Option<Self> {
        if self == Self::ZERO {
            return Some(self);
        }
        if self.bit_length().checked_add(bits)? > 256 {
            return None;
        }
        Some(Self(shift_left(self.0, bits)))
    }

    /// `⌊self / 2^bits⌋`.
    pub(crate) fn shr(self, bits: u32) -> Self {
        Self(shift_right(self.0, bits))
    }

    /// `⌊self · factor / divisor⌋`, `None` when it takes more than 256 bits.
    ///
    /// # Panics
    /// When `divisor` is zero.
    pub(crate) fn mul_div(self, factor: u64, divisor: u64) -> Option<Self> {
        let mut limbs = self.wide_product(factor);
        let mut remainder = 0;
        for limb in limbs.iter_mut().rev() {
            let dividend = join(*limb, remainder);
            // The remainder is below the divisor, so the quotient fits one limb.
            *limb = split(dividend / u128::from(divisor)).0;
            remainder = split(dividend % u128::from(divisor)).0;
        }
        narrow(limbs)
    }

    /// `⌊self · factor · 2^shift⌋`, `None` when it takes more than 256 bits.
    pub(crate) fn mul_shift(self, factor: u64, shift: i32) -> Option<Self> {
        let product = self.wide_product(factor);
        if shift <= 0 {
            narrow(shift_right(product, shift.unsigned_abs()))
        } else {
            narrow(product)?.checked_shl(shift.unsigned_abs())
        }
    }

    /// `⌊2^256 / (self + 1)⌋`, the expected number of tries until a random number of 256 bits is at
    /// most `self`. `None` for zero, whose quotient takes 257 bits.
    pub(crate) fn expected_tries(self) -> Option<Self> {
        if self == Self::ZERO {
            return None;
        }
        // 2^256 / (x + 1) = (2^256 - (x + 1)) / (x + 1) + 1 = !x / (x + 1) + 1.
        let complement = Self(self.0.map(|limb| !limb));
        let Some(divisor) = self.checked_add(Self::ONE) else {
            return Some(Self::ONE);
        };
        Some(
            complement
                .div(divisor)
                .checked_add(Self::ONE)
                .expect("the divisor is at least two, so the quotient is below 2^255"),
        )
    }

    /// The sum, `None` when it takes more than 256 bits.
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        let mut sum = [0; LIMBS];
        let mut carry = 0;
        for (index, limb) in sum.iter_mut().enumerate() {
            let (low, high) =
                split(u128::from(self.0[index]) + u128::from(other.0[index]) + u128::from(carry));
            *limb = low;
            carry = high;
        }
        (carry == 0).then_some(Self(sum))
    }

    /// The difference; `other` is at most `self`.
    fn sub(self, other: Self) -> Self {
        let mut difference = [0; LIMBS];
        let mut borrow = false;
        for (index, limb) in difference.iter_mut().enumerate() {
            let (partial, first) = self.0[index].overflowing_sub(other.0[index]);
            let (value, second) = partial.overflowing_sub(u64::from(borrow));
            *limb = value;
            borrow = first || second;
        }
        Self(difference)
    }

    /// Long division in base two; `divisor` is not zero.
    fn div(self, divisor: Self) -> Self {
        let Some(mut shift) = self.bit_length().checked_sub(divisor.bit_length()) else {
            return Self::ZERO;
        };
        let mut remainder = self;
        let mut quotient = Self::ZERO;
        loop {
            let step = Self(shift_left(divisor.0, shift));
            if step <= remainder {
                remainder = remainder.sub(step);
                quotient.0[limb_index(shift)] |= 1 << (shift % LIMB_BITS);
            }
            match shift.checked_sub(1) {
                Some(next) => shift = next,
                None => return quotient,
            }
        }
    }

    fn wide_product(self, factor: u64) -> [u64; LIMBS + 1] {
        let mut product = [0; LIMBS + 1];
        let mut carry = 0;
        for (limb, digit) in product.iter_mut().zip(self.0) {
            let (low, high) = split(u128::from(digit) * u128::from(factor) + u128::from(carry));
            *limb = low;
            carry = high;
        }
        product[LIMBS] = carry;
        product
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for U256 {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn split(value: u128) -> (u64, u64) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low half is what is asked for"
    )]
    let low = value as u64;
    let high = u64::try_from(value >> LIMB_BITS).expect("half of 128 bits");
    (low, high)
}

fn join(low: u64, high: u64) -> u128 {
    u128::from(high) << LIMB_BITS | u128::from(low)
}

fn limb_index(bits: u32) -> usize {
    usize::try_from(bits / LIMB_BITS).expect("usize has at least 32 bits")
}

fn bit_length(limbs: &[u64]) -> u32 {
    let mut length = 0;
    let mut below = 0;
    for limb in limbs {
        if *limb != 0 {
            length = below + LIMB_BITS - limb.leading_zeros();
        }
        below += LIMB_BITS;
    }
    length
}

fn shift_left<const N: usize>(limbs: [u64; N], bits: u32) -> [u64; N] {
    let (skip, bits) = (limb_index(bits), bits % LIMB_BITS);
    let mut shifted = [0; N];
    for index in skip..N {
        let high = limbs[index - skip];
        let low = (index - skip)
            .checked_sub(1)
            .map_or(0, |below| limbs[below]);
        shifted[index] = split((join(low, high) << bits) >> LIMB_BITS).0;
    }
    shifted
}

fn shift_right<const N: usize>(limbs: [u64; N], bits: u32) -> [u64; N] {
    let (skip, bits) = (limb_index(bits), bits % LIMB_BITS);
    let mut shifted = [0; N];
    for (index, limb) in shifted.iter_mut().enumerate() {
        let low = limbs.get(index + skip).copied().unwrap_or(0);
        let high = limbs.get(index + skip + 1).copied().unwrap_or(0);
        *limb = split(join(low, high) >> bits).0;
    }
    shifted
}

fn narrow(limbs: [u64; LIMBS + 1]) -> Option<U256> {
    let [a, b, c, d, top] = limbs;
    (top == 0).then_some(U256([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small(value: u128) -> U256 {
        let (low, high) = split(value);
        U256([low, high, 0, 0])
    }

    #[test]
    fn shifts_report_overflow() {
        assert_eq!(U256::ONE.checked_shl(255).map(U256::bit_length), Some(256));
        assert_eq!(U256::ONE.checked_shl(256), None);
        assert_eq!(U256::from_u64(3).checked_shl(255), None);
        assert_eq!(U256::ZERO.checked_shl(u32::MAX), Some(U256::ZERO));
        assert_eq!(U256([u64::MAX; 4]).shr(256), U256::ZERO);
        assert_eq!(U256([u64::MAX; 4]).shr(255), U256::ONE);
    }

    #[test]
    fn products_do_not_wrap() {
        let max = U256([u64::MAX; 4]);
        assert_eq!(max.mul_div(12, 12), Some(max));
        assert_eq!(max.mul_div(13, 12), None);
        assert_eq!(max.mul_shift(1 << 40, -40), Some(max));
        assert_eq!(max.mul_shift(1 << 40, -39), None);
        assert_eq!(U256::ONE.mul_shift(3, 254), Some(U256([0, 0, 0, 3 << 62])));
        assert_eq!(U256::ONE.mul_shift(3, 255), None);
        assert_eq!(U256::ONE.mul_shift(3, -2), Some(U256::ZERO));
    }

    #[test]
    fn expected_tries_at_the_ends() {
        assert_eq!(U256::ZERO.expected_tries(), None);
        assert_eq!(U256::ONE.expected_tries(), U256::ONE.checked_shl(255));
        assert_eq!(U256([u64::MAX; 4]).expected_tries(), Some(U256::ONE));
        // 2^256 / 3, rounded down, is 0x5555….
        assert_eq!(
            U256::from_u64(2).expected_tries(),
            Some(U256([0x5555_5555_5555_5555; 4]))
        );
    }

    proptest! {
        #[test]
        fn division_agrees_with_u128(a: u128, b in 1u128..) {
            prop_assert_eq!(small(a).div(small(b)), small(a / b));
        }

        #[test]
        fn division_has_a_remainder_below_the_divisor(a: [u64; 4], b: u64) {
            prop_assume!(b != 0);
            let quotient = U256(a).div(U256::from_u64(b));
            prop_assert_eq!(Some(quotient), U256(a).mul_div(1, b));
            let back = quotient.mul_div(b, 1).expect("at most the dividend");
            prop_assert!(back <= U256(a));
            prop_assert!(U256(a).sub(back) < U256::from_u64(b));
        }

        #[test]
        fn mul_div_agrees_with_u128(a: u64, b: u64, c in 1u64..) {
            let exact = u128::from(a) * u128::from(b) / u128::from(c);
            prop_assert_eq!(U256::from_u64(a).mul_div(b, c), Some(small(exact)));
        }

        #[test]
        fn shifting_there_and_back(a: [u64; 4], bits in 0u32..256) {
            if let Some(shifted) = U256(a).checked_shl(bits) {
                prop_assert_eq!(shifted.shr(bits), U256(a));
            } else {
                prop_assert!(U256(a).bit_length() + bits > 256);
            }
        }

        #[test]
        fn order_is_that_of_the_bytes(a: [u64; 4], b: [u64; 4]) {
            prop_assert_eq!(U256(a).cmp(&U256(b)), U256(a).to_be_bytes().cmp(&U256(b).to_be_bytes()));
        }

        #[test]
        fn bytes_round_trip(bytes: [u8; 32]) {
            let mut reversed = U256::from_le_bytes(bytes).to_be_bytes();
            reversed.reverse();
            prop_assert_eq!(reversed, bytes);
        }
    }
}
