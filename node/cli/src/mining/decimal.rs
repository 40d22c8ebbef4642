//! Exact numbers: prices with up to eight places, and money that is rounded only when it is printed.

use std::fmt;

/// Places of a decimal number.
const PLACES: u32 = 8;
const ONE: u64 = 10_u64.pow(PLACES);

/// Millijoules of a kilowatt hour.
const MJ_PER_KWH: u128 = 3_600_000_000;

/// How much money is one: coins times price have 16 places, millijoules times price per kilowatt hour are 1/(3.6 · 10^17).
const MONEY_UNIT: i128 = 360_000_000_000_000_000;
/// `MONEY_UNIT` over the 10^16 of coins times price.
const MONEY_PER_PRODUCT: i128 = 36;

/// The most places that money is printed with.
pub(crate) const MAX_MONEY_PLACES: u8 = 8;

/// A number that is not negative, with up to eight places after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(u64);

impl Decimal {
    /// Reads digits, and a point and up to eight digits behind it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a number such as 0.35");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_digits(whole) || !is_digits(part) || (whole.is_empty() && part.is_empty()) {
            return Err(wrong());
        }
        if text.ends_with('.') {
            return Err(wrong());
        }
        let significant = part.trim_end_matches('0');
        if significant.len() > PLACES as usize {
            return Err(format!("{text:?} has more than {PLACES} decimal places"));
        }
        let digits = format!("{whole}{significant:0<8}");
        digits
            .parse()
            .map(Self)
            .map_err(|_| format!("{text:?} is too large"))
    }

    /// The number, without zeros at its end.
    fn text(self) -> String {
        let (whole, part) = (self.0 / ONE, self.0 % ONE);
        let part = format!("{part:08}");
        match part.trim_end_matches('0') {
            "" => whole.to_string(),
            part => format!("{whole}.{part}"),
        }
    }

    /// A thousandth of it in each, so many times, rounded down: watts over seconds are millijoules.
    pub(crate) fn thousandths_times(self, count: u64) -> u128 {
        u128::from(self.0) * 1_000 * u128::from(count) / u128::from(ONE)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// An exact amount of money, which may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Money(i128);

impl Money {
    /// What coins are worth; `None` where it is more than can be counted.
    pub(crate) fn of_coins(sat: u64, price: Decimal) -> Option<Self> {
        i128::from(sat)
            .checked_mul(price.0.into())?
            .checked_mul(MONEY_PER_PRODUCT)
            .map(Self)
    }

    /// What energy costs, at a price for a kilowatt hour; `None` where it is more than can be counted.
    pub(crate) fn of_energy(millijoules: u128, price: Decimal) -> Option<Self> {
        i128::try_from(millijoules)
            .ok()?
            .checked_mul(price.0.into())
            .map(Self)
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount with `places` (up to eight) after the point, a half rounded away from zero.
    pub(crate) fn text(self, places: u8) -> String {
        let places = places.min(MAX_MONEY_PLACES);
        let unit = MONEY_UNIT.unsigned_abs() / 10_u128.pow(places.into());
        let size = self.0.unsigned_abs();
        let rounded = size / unit + u128::from(size % unit >= unit.div_ceil(2));
        let sign = if self.0 < 0 && rounded > 0 { "-" } else { "" };
        format!("{sign}{}", fixed(rounded, places))
    }
}

/// Satoshi as coins.
pub(crate) fn coins(sat: u128) -> String {
    fixed(sat, 8)
}

/// Energy in kilowatt hours, with six places, a half rounded up.
pub(crate) fn kilowatt_hours(millijoules: u128) -> String {
    let unit = MJ_PER_KWH / 1_000_000;
    fixed(
        millijoules / unit + u128::from(millijoules % unit >= unit / 2),
        6,
    )
}

/// Seconds in hours, with two places, a half rounded up.
pub(crate) fn hours(seconds: u64) -> String {
    fixed((u128::from(seconds) + 18) / 36, 2)
}

/// A number of the smallest units.
fn fixed(units: u128, places: u8) -> String {
    let one = 10_u128.pow(places.into());
    match places {
        0 => units.to_string(),
        _ => format!(
            "{}.{:0width$}",
            units / one,
            units % one,
            width = usize::from(places)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        for (text, units) in [
            ("0", 0),
            ("1", ONE),
            ("0.35", 35_000_000),
            (".5", 50_000_000),
            ("91234.56789", 9_123_456_789_000),
            ("0.000000010000", 1),
        ] {
            assert_eq!(decimal(text), Decimal(units), "{text}");
        }
        assert_eq!(decimal("0.350").to_string(), "0.35");
        assert_eq!(decimal("12").to_string(), "12");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "1.", "-1", "+1", "1e3", "1,5", " 1", "١"] {
            assert!(
                Decimal::parse(text).unwrap_err().contains("not a number"),
                "{text}"
            );
        }
        assert!(
            Decimal::parse("0.000000001")
                .unwrap_err()
                .contains("more than 8")
        );
        assert!(
            Decimal::parse("999999999999")
                .unwrap_err()
                .contains("too large")
        );
    }

    #[test]
    fn money_is_rounded_when_it_is_printed() {
        // A third of a cent three times is a cent.
        let third = Money::of_coins(1, decimal("333333.33333333")).unwrap();
        assert_eq!(third.text(2), "0.00");
        let sum = third.plus(third).and_then(|two| two.plus(third)).unwrap();
        assert_eq!(sum.text(2), "0.01");
        let half = Money::of_coins(100_000_000, decimal("0.125")).unwrap();
        assert_eq!(half.text(2), "0.13");
        assert_eq!(Money::default().minus(half).unwrap().text(2), "-0.13");
        assert_eq!(half.text(0), "0");
        assert_eq!(Money::default().minus(half).unwrap().text(0), "0");
        assert_eq!(half.text(8), "0.12500000");
    }

    #[test]
    fn energy_has_its_price() {
        // 250 W for an hour.
        let energy = decimal("250").thousandths_times(3_600);
        assert_eq!(energy, 900_000_000);
        assert_eq!(kilowatt_hours(energy), "0.250000");
        assert_eq!(
            Money::of_energy(energy, decimal("0.40")).unwrap().text(4),
            "0.1000"
        );
        // What has no end in decimals adds up.
        let mj = Money::of_energy(1, decimal("1")).unwrap();
        let mut sum = Money::default();
        for _ in 0..36 {
            sum = sum.plus(mj).unwrap();
        }
        assert_eq!(sum.text(8), "0.00000001");
    }

    #[test]
    fn what_can_not_be_counted_is_no_amount() {
        assert_eq!(Money::of_energy(u128::MAX, decimal("1")), None);
        let most = Money::of_coins(u64::MAX, Decimal(u64::MAX));
        assert_eq!(most, None);
        assert!(Money::of_coins(2_100_000_000_000_000, decimal("100000000")).is_some());
    }

    #[test]
    fn units_have_their_places() {
        assert_eq!(coins(5_000_000_001), "50.00000001");
        assert_eq!(hours(5_400), "1.50");
        assert_eq!(kilowatt_hours(0), "0.000000");
    }
}
