//! Numbers modulo the prime 2^3072 − 1103717: the group that MuHash multiplies in.

/// Limbs of 64 bits, the least significant first.
const LIMBS: usize = 48;

/// What the prime lacks of 2^3072, so what 2^3072 is equal to.
const COMPLEMENT: u64 = 1_103_717;

/// The prime less two ends in so many bits that are not all ones…
const TAIL_BITS: u32 = 21;
/// …and these are they: 2^21 − 1103717 − 2.
const TAIL: u32 = (1 << TAIL_BITS) - 1_103_719;
/// The bits before them, all ones.
const LEADING_ONES: u32 = 3072 - TAIL_BITS;

/// A number modulo the prime. It may be stored as itself plus the prime, as long as it fits.
#[derive(Clone, Debug)]
pub(super) struct Num3072([u64; LIMBS]);

impl Num3072 {
    /// Bytes of a number.
    pub(super) const BYTES: usize = LIMBS * 8;

    /// The neutral element.
    pub(super) const ONE: Self = {
        let mut limbs = [0; LIMBS];
        limbs[0] = 1;
        Self(limbs)
    };

    /// Reads a number, the least significant byte first.
    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut limbs = [0; LIMBS];
        let (chunks, _) = bytes.as_chunks();
        for (limb, chunk) in limbs.iter_mut().zip(chunks) {
            *limb = u64::from_le_bytes(*chunk);
        }
        Self(limbs)
    }

    /// The number below the prime, the least significant byte first.
    pub(super) fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut limbs = self.0;
        if self.is_not_below_prime() {
            // Adding the complement and dropping 2^3072 is subtracting the prime.
            let _dropped = add_small(&mut limbs, COMPLEMENT);
        }
        let mut bytes = [0; Self::BYTES];
        for (chunk, limb) in bytes.as_chunks_mut().0.iter_mut().zip(limbs) {
            *chunk = limb.to_le_bytes();
        }
        bytes
    }

    /// Whether it is one, as it is stored.
    pub(super) fn is_one(&self) -> bool {
        self.0 == Self::ONE.0
    }

    fn is_not_below_prime(&self) -> bool {
        let [lowest, others @ ..] = &self.0;
        *lowest >= COMPLEMENT.wrapping_neg() && others.iter().all(|limb| *limb == u64::MAX)
    }

    /// The product.
    pub(super) fn multiply(&self, other: &Self) -> Self {
        let mut product = [0; 2 * LIMBS];
        for (row, factor) in self.0.iter().enumerate() {
            let mut carry = 0;
            let (sums, next) = product[row..].split_at_mut(LIMBS);
            for (sum, limb) in sums.iter_mut().zip(&other.0) {
                (*sum, carry) = factor.carrying_mul_add(*limb, carry, *sum);
            }
            next[0] = carry;
        }
        Self::reduce(&product)
    }

    /// Folds the upper half of a product onto the lower, for 2^3072 is equal to the complement.
    fn reduce(product: &[u64; 2 * LIMBS]) -> Self {
        let (lower, upper) = product.split_at(LIMBS);
        let mut limbs = [0; LIMBS];
        let mut carry = 0;
        for ((limb, low), high) in limbs.iter_mut().zip(lower).zip(upper) {
            (*limb, carry) = high.carrying_mul_add(COMPLEMENT, carry, *low);
        }
        // The carry is at most the complement, so its product fits.
        if add_small(&mut limbs, carry * COMPLEMENT) {
            // What is left after the overflow is small, so it can't happen again.
            let _never = add_small(&mut limbs, COMPLEMENT);
        }
        Self(limbs)
    }

    /// The number whose product with this one is one (zero for zero): the power to the prime less two,
    /// by Fermat's little theorem.
    pub(super) fn inverse(&self) -> Self {
        let mut power = self.to_power_of_ones(LEADING_ONES);
        for bit in (0..TAIL_BITS).rev() {
            power = power.square_times(1);
            if TAIL >> bit & 1 == 1 {
                power = power.multiply(self);
            }
        }
        power
    }

    /// The power to a number of `count` bits that are all ones, `count` above zero. Two such powers make
    /// one of twice the length, so it takes few products beside the squares.
    fn to_power_of_ones(&self, count: u32) -> Self {
        let mut power = self.clone();
        let mut ones = 1;
        for bit in (0..count.ilog2()).rev() {
            power = power.square_times(ones).multiply(&power);
            ones *= 2;
            if count >> bit & 1 == 1 {
                power = power.square_times(1).multiply(self);
                ones += 1;
            }
        }
        power
    }

    fn square_times(&self, times: u32) -> Self {
        let mut square = self.clone();
        for _ in 0..times {
            square = square.multiply(&square);
        }
        square
    }
}

/// Adds a number of one limb; whether 2^3072 overflowed and is missing.
fn add_small(limbs: &mut [u64; LIMBS], mut addend: u64) -> bool {
    for limb in limbs {
        let overflows;
        (*limb, overflows) = limb.overflowing_add(addend);
        if !overflows {
            return false;
        }
        addend = 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    fn prime() -> BigUint {
        (BigUint::from(1_u8) << 3072) - COMPLEMENT
    }

    fn big(number: &Num3072) -> BigUint {
        BigUint::from_bytes_le(&number.to_bytes())
    }

    /// A number as it is stored, the prime and above included.
    fn stored(number: &BigUint) -> Num3072 {
        let mut bytes = number.to_bytes_le();
        bytes.resize(Num3072::BYTES, 0);
        Num3072::from_bytes(&bytes.try_into().expect("the number has at most 3072 bits"))
    }

    /// Any limbs, and often those at the edges.
    fn numbers() -> impl Strategy<Value = Num3072> {
        let limb = prop_oneof![Just(0), Just(u64::MAX), any::<u64>()];
        let any = proptest::collection::vec(limb, LIMBS)
            .prop_map(|limbs| Num3072(limbs.try_into().expect("there are 48 limbs")));
        let largest = (0..=COMPLEMENT * 2)
            .prop_map(|below| stored(&((BigUint::from(1_u8) << 3072) - 1_u8 - below)));
        prop_oneof![any, largest]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn products_are_those_of_unbounded_integers(a in numbers(), b in numbers()) {
            prop_assert_eq!(big(&a.multiply(&b)), big(&a) * big(&b) % prime());
        }

        #[test]
        fn bytes_are_below_the_prime(a in numbers()) {
            let value = BigUint::from_slice(
                &a.0.iter().flat_map(|limb| [*limb & 0xffff_ffff, *limb >> 32])
                    .map(|half| u32::try_from(half).expect("half a limb"))
                    .collect::<Vec<_>>(),
            );
            prop_assert_eq!(big(&a), value % prime());
        }
    }

    proptest! {
        // Thousands of products each.
        #![proptest_config(ProptestConfig::with_cases(4))]

        #[test]
        fn inverses_are_those_of_unbounded_integers(a in numbers()) {
            let exponent = prime() - 2_u8;
            prop_assert_eq!(big(&a.inverse()), big(&a).modpow(&exponent, &prime()));
        }
    }

    #[test]
    fn a_number_and_its_inverse_make_one() {
        let number = stored(&BigUint::from(1_234_567_u32));
        let one = number.multiply(&number.inverse());
        assert_eq!(one.to_bytes(), Num3072::ONE.to_bytes());
        assert!(Num3072::ONE.inverse().is_one());
        let zero = stored(&BigUint::ZERO);
        assert_eq!(big(&zero.inverse()), BigUint::ZERO);
    }

    #[test]
    fn the_largest_numbers_are_reduced_twice() {
        let largest = Num3072([u64::MAX; LIMBS]);
        let value = BigUint::from(COMPLEMENT - 1);
        assert_eq!(big(&largest), value);
        assert_eq!(big(&largest.multiply(&largest)), &value * &value);
        assert_eq!(big(&stored(&prime())), BigUint::ZERO);
        assert_eq!(big(&stored(&(prime() - 1_u8))), prime() - 1_u8);
    }
}
