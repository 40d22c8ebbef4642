//! A fee with the weight that it is paid for. Rates are compared as fractions, never divided.

use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// A fee and what it is paid for. Two are equal if both numbers are; rates compare by [`Self::cmp_rate`].
///
/// Sums and differences saturate. Those of the transactions of a
/// [`DependencyGraph`](super::DependencyGraph) never get there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FeeWeight {
    /// In satoshis. An operator's priority may make it negative.
    pub fee: i64,
    /// In weight units. Zero only if there is nothing.
    pub weight: u64,
}

impl FeeWeight {
    /// The largest fee that counts, either way: the fees of a cluster then add up without overflow. It is
    /// thirty times all the coins that Bitcoin will have.
    pub const MAX_FEE: i64 = 1 << 56;

    /// The largest weight that counts: a quarter of a million blocks.
    pub const MAX_WEIGHT: u64 = 1 << 40;

    /// A fee for a weight.
    #[must_use]
    pub const fn new(fee: i64, weight: u64) -> Self {
        Self { fee, weight }
    }

    /// Compares `fee / weight` with that of `other`, without rounding. What weighs nothing has no rate, and compares
    /// as equal to everything if its fee is zero.
    #[must_use]
    pub fn cmp_rate(&self, other: &Self) -> Ordering {
        // The largest product is 2^63 * (2^64 - 1).
        let this = i128::from(self.fee) * i128::from(other.weight);
        let that = i128::from(other.fee) * i128::from(self.weight);
        this.cmp(&that)
    }

    /// Whether nothing is paid for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.weight == 0
    }

    /// The nearest that a graph takes: a fee of at most [`Self::MAX_FEE`] either way, for a weight from 1 to
    /// [`Self::MAX_WEIGHT`].
    #[must_use]
    pub(super) fn bounded(self) -> Self {
        Self {
            fee: self.fee.clamp(-Self::MAX_FEE, Self::MAX_FEE),
            weight: self.weight.clamp(1, Self::MAX_WEIGHT),
        }
    }
}

impl Add for FeeWeight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            fee: self.fee.saturating_add(other.fee),
            weight: self.weight.saturating_add(other.weight),
        }
    }
}

impl AddAssign for FeeWeight {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for FeeWeight {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            fee: self.fee.saturating_sub(other.fee),
            weight: self.weight.saturating_sub(other.weight),
        }
    }
}

impl SubAssign for FeeWeight {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for FeeWeight {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_compare_as_fractions() {
        let cmp = |a: (i64, u64), b: (i64, u64)| {
            FeeWeight::new(a.0, a.1).cmp_rate(&FeeWeight::new(b.0, b.1))
        };
        assert_eq!(cmp((1, 3), (2, 6)), Ordering::Equal);
        assert_eq!(cmp((1_000_001, 1_000_000), (1, 1)), Ordering::Greater);
        assert_eq!(cmp((999_999, 1_000_000), (1, 1)), Ordering::Less);
        assert_eq!(cmp((-1, 2), (-1, 1)), Ordering::Greater);
        assert_eq!(cmp((-1, 1), (0, 1)), Ordering::Less);
        assert_eq!(cmp((i64::MAX, u64::MAX), (i64::MIN, 1)), Ordering::Greater);
        assert_eq!(cmp((i64::MIN, u64::MAX), (i64::MIN, 1)), Ordering::Greater);
        assert_eq!(cmp((0, 0), (7, 1)), Ordering::Equal);
    }

    #[test]
    fn sums_saturate() {
        let most = FeeWeight::new(i64::MAX, u64::MAX);
        assert_eq!(most + FeeWeight::new(1, 1), most);
        assert_eq!(
            FeeWeight::new(i64::MIN, 1) - FeeWeight::new(1, 2),
            FeeWeight::new(i64::MIN, 0)
        );
        let sum: FeeWeight = [FeeWeight::new(-3, 4), FeeWeight::new(5, 6)]
            .into_iter()
            .sum();
        assert_eq!(sum, FeeWeight::new(2, 10));
        assert!(!sum.is_empty());
        assert!((sum - sum).is_empty());
    }

    #[test]
    fn a_graph_takes_what_it_can_add_up() {
        let bounded = FeeWeight::new(i64::MIN, 0).bounded();
        assert_eq!(bounded, FeeWeight::new(-FeeWeight::MAX_FEE, 1));
        let bounded = FeeWeight::new(i64::MAX, u64::MAX).bounded();
        assert_eq!(
            bounded,
            FeeWeight::new(FeeWeight::MAX_FEE, FeeWeight::MAX_WEIGHT)
        );
    }
}
