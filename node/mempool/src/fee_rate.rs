//! Fee rates in satoshis per thousand virtual bytes.

use std::fmt;

use pyrite_consensus::bitcoin::Amount;

use crate::cluster::FeeWeight;

/// A fee rate in satoshis per 1,000 virtual bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeeRate(pub u64);

impl FeeRate {
    /// No fee at all.
    pub const ZERO: Self = Self(0);

    /// The rate that `fee` means for `vsize` virtual bytes, rounded down. Nothing pays nothing.
    #[must_use]
    pub fn of(fee: Amount, vsize: u64) -> Self {
        let rate = (u128::from(fee.to_sat()) * 1_000)
            .checked_div(u128::from(vsize))
            .unwrap_or(0);
        Self(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// The rate that a fee with what the operator added means; nothing for less than nothing.
    #[must_use]
    pub fn of_modified(fee: i64, vsize: u64) -> Self {
        Self::of(Amount::from_sat(u64::try_from(fee).unwrap_or(0)), vsize)
    }

    /// The rate of a chunk, rounded down.
    #[must_use]
    pub fn of_chunk(chunk: FeeWeight) -> Self {
        let fee = u128::try_from(chunk.fee).unwrap_or(0);
        let rate = (fee * 4_000).checked_div(u128::from(chunk.weight));
        Self(u64::try_from(rate.unwrap_or(0)).unwrap_or(u64::MAX))
    }

    /// The fee for `vsize` virtual bytes, rounded up.
    #[must_use]
    pub fn fee_for(self, vsize: u64) -> Amount {
        let fee = (u128::from(self.0) * u128::from(vsize)).div_ceil(1_000);
        Amount::from_sat(u64::try_from(fee).unwrap_or(u64::MAX))
    }

    /// The sum of two rates.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for FeeRate {
    /// As Bitcoin Core writes a rate: `0.00001000 BTC/kvB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:08} BTC/kvB",
            self.0 / 100_000_000,
            self.0 % 100_000_000
        )
    }
}

/// The fee for `vsize` virtual bytes in the type of fees that an operator can change.
pub(crate) fn fee_for(rate: FeeRate, vsize: u64) -> i64 {
    i64::try_from(rate.fee_for(vsize).to_sat()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_rounded_up_and_a_rate_down() {
        assert_eq!(FeeRate(100).fee_for(141), Amount::from_sat(15));
        assert_eq!(FeeRate(1_000).fee_for(141), Amount::from_sat(141));
        assert_eq!(FeeRate::of(Amount::from_sat(100), 141), FeeRate(709));
        assert_eq!(FeeRate::of(Amount::from_sat(100), 0), FeeRate::ZERO);
        assert_eq!(
            FeeRate(u64::MAX).fee_for(u64::MAX),
            Amount::from_sat(u64::MAX)
        );
    }

    #[test]
    fn a_rate_is_written_as_bitcoin_core_does() {
        assert_eq!(FeeRate(1_000).to_string(), "0.00001000 BTC/kvB");
        assert_eq!(FeeRate(123_456_789).to_string(), "1.23456789 BTC/kvB");
    }
}
