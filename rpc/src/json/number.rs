//! Numbers: coins with exactly eight decimals, difficulty, and numbers that are written in
//! hexadecimal.

use pyrite_consensus::bitcoin::{Amount, CompactTarget, SignedAmount, Target, Work};
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::text::{hex_text, in_ascii, push_number, push_padded};

/// Satoshi per coin.
const SAT_PER_COIN: u64 = 100_000_000;

/// Characters of an amount at most: a sign, a point and the digits.
const AMOUNT_LEN: usize = 22;

/// An amount of coins; in JSON a number with exactly eight decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Btc(i64);

impl Btc {
    /// This many satoshi.
    pub(crate) fn from_sat(sat: u64) -> Self {
        // Amounts of transactions that nobody has checked may be impossible, and Bitcoin Core takes them for numbers with a sign.
        Self(sat.cast_signed())
    }

    /// This many satoshi, which may be less than nothing.
    pub(crate) fn from_signed_sat(sat: i64) -> Self {
        Self(sat)
    }

    /// As a JSON value.
    pub(crate) fn value(self) -> Value {
        Value::Number(self.number())
    }

    /// Appends it to a JSON text.
    pub(super) fn push(self, text: &mut Vec<u8>) {
        if self.0 < 0 {
            text.push(b'-');
        }
        let sat = self.0.unsigned_abs();
        push_number(text, sat / SAT_PER_COIN);
        text.push(b'.');
        push_padded::<8>(text, sat % SAT_PER_COIN);
    }

    fn number(self) -> Number {
        let mut text = Vec::with_capacity(AMOUNT_LEN);
        self.push(&mut text);
        Number::from_string_unchecked(in_ascii(text))
    }
}

impl From<Amount> for Btc {
    fn from(amount: Amount) -> Self {
        Self::from_sat(amount.to_sat())
    }
}

impl From<SignedAmount> for Btc {
    fn from(amount: SignedAmount) -> Self {
        Self(amount.to_sat())
    }
}

impl Serialize for Btc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}

/// A float as a JSON number with 16 significant digits, as Bitcoin Core writes it (C's `%.16g`).
/// What JSON can't express (infinity) becomes 0.
pub(crate) fn float(number: f64) -> Value {
    if !number.is_finite() {
        return Value::from(0);
    }
    Value::Number(Number::from_string_unchecked(float_text(number)))
}

fn float_text(number: f64) -> String {
    const DIGITS: i32 = 16;
    let scientific = format!("{number:.15e}");
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("the scientific notation has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a small integer");
    let without_zeros = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return without_zeros(&format!("{number:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{}e{sign}{:02}",
        without_zeros(mantissa),
        exponent.unsigned_abs()
    )
}

/// Compact bits as eight hexadecimal digits.
pub(crate) fn bits_hex(bits: CompactTarget) -> String {
    format!("{:08x}", bits.to_consensus())
}

/// The target that compact bits stand for, as 64 hexadecimal digits.
pub(crate) fn target_hex(bits: CompactTarget) -> String {
    hex_text(&Target::from_compact(bits).to_be_bytes())
}

/// Chain work as 64 hexadecimal digits.
pub(crate) fn work_hex(work: Work) -> String {
    hex_text(&work.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn amounts_have_eight_decimals() {
        for (sat, text) in [
            (0, "0.00000000"),
            (1, "0.00000001"),
            (100_000_000, "1.00000000"),
            (5_000_000_000, "50.00000000"),
            (2_100_000_000_000_000, "21000000.00000000"),
            (-1, "-0.00000001"),
            (-150_000_000, "-1.50000000"),
        ] {
            let amount = Btc::from(SignedAmount::from_sat(sat));
            assert_eq!(written(amount), text);
            assert_eq!(written(amount.value()), text);
            assert_eq!(
                written(serde_json::json!({ "a": amount })),
                format!("{{\"a\":{text}}}")
            );
        }
    }

    #[test]
    fn impossible_amounts_have_a_sign() {
        for (sat, text) in [
            (u64::MAX, "-0.00000001"),
            (1 << 63, "-92233720368.54775808"),
            ((1 << 63) - 1, "92233720368.54775807"),
        ] {
            assert_eq!(written(Btc::from(Amount::from_sat(sat))), text);
        }
    }

    #[test]
    fn floats_have_sixteen_digits() {
        for (number, text) in [
            (1.0, "1"),
            (0.0, "0"),
            (-2.5, "-2.5"),
            (100.0, "100"),
            (4.656_542_373_906_924_7e-10, "4.656542373906925e-10"),
            (163_491_654_908.959_4, "163491654908.9594"),
            (0.1 + 0.2, "0.3"),
            (0.000_1, "0.0001"),
            (0.000_01, "1e-05"),
            (1e15, "1000000000000000"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (f64::INFINITY, "0"),
            (f64::NAN, "0"),
        ] {
            assert_eq!(written(float(number)), text);
        }
    }

    #[test]
    fn bits_target_and_work_are_padded() {
        let bits = CompactTarget::from_consensus(0x1d00_ffff);
        assert_eq!(bits_hex(bits), "1d00ffff");
        assert_eq!(
            target_hex(bits),
            "00000000ffff0000000000000000000000000000000000000000000000000000"
        );
        let work = Target::from_compact(bits).to_work();
        assert_eq!(
            work_hex(work),
            "0000000000000000000000000000000000000000000000000000000100010001"
        );
    }
}
