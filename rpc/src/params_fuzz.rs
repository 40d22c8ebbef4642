//! Fuzz targets: numbers with decimals, hashes and levels as clients send them.

use bolero::{TypeGenerator, check};
use pyrite_consensus::bitcoin::Txid;
use pyrite_fuzzing::TextDamage;

use super::*;

/// A number in JSON's notation.
#[derive(Clone, Debug, TypeGenerator)]
struct Decimal {
    is_negative: bool,
    whole: u32,
    fraction: Option<(u32, bool)>,
    #[generator(-25..25_i32)]
    exponent: i32,
    notation: u8,
}

impl Decimal {
    fn fraction_digits(&self) -> String {
        match self.fraction {
            Some((digits, true)) => format!("{:08}", digits % 100_000_000),
            Some((digits, false)) => digits.to_string(),
            None => String::new(),
        }
    }

    fn exponent(&self) -> i32 {
        if self.notation.is_multiple_of(2) {
            0
        } else {
            self.exponent
        }
    }

    fn text(&self) -> String {
        let sign = if self.is_negative { "-" } else { "" };
        let digits = self.fraction_digits();
        let point = if digits.is_empty() { "" } else { "." };
        let exponent = match self.notation % 6 {
            1 => format!("e{}", self.exponent),
            3 => format!("E{:+}", self.exponent),
            5 => format!("e{:03}", self.exponent),
            _ => String::new(),
        };
        format!("{sign}{}{point}{digits}{exponent}", self.whole)
    }

    /// The number times 10^`decimals`, if that is a whole number of 64 bits.
    fn scaled(&self, decimals: i32) -> Option<i64> {
        let fraction = self.fraction_digits();
        let digits: i128 = format!("{}{fraction}", self.whole).parse().ok()?;
        let length = i32::try_from(fraction.len()).ok()?;
        let power = decimals + self.exponent() - length;
        let factor = 10_i128.checked_pow(power.unsigned_abs())?;
        let magnitude = match power {
            0.. => digits.checked_mul(factor)?,
            _ if digits % factor == 0 => digits / factor,
            _ => return None,
        };
        let magnitude = i64::try_from(magnitude).ok()?;
        Some(if self.is_negative {
            -magnitude
        } else {
            magnitude
        })
    }
}

#[test]
fn fuzz_decimal_number() {
    check!().with_type::<Decimal>().for_each(|decimal| {
        let text = decimal.text();
        for decimals in [3, 8] {
            let read = parse_fixed_point(&text, decimals);
            let decimals = i32::try_from(decimals).expect("small");
            assert_eq!(read, decimal.scaled(decimals), "{text}");
        }
        // As a number and as a text it means the same.
        let as_number = serde_json::from_str(&text).expect("a number");
        let as_text = Value::from(text);
        assert_eq!(amount(&as_number), amount(&as_text));
    });
}

#[test]
fn fuzz_any_parameter() {
    let texts = ["-12.5e3", "\"0.00000001\"", "true", "[1]", "\"00ff\"", "3"];
    check!()
        .with_type::<(u8, TextDamage)>()
        .for_each(|(which, damage)| {
            let text = damage.apply(texts[usize::from(*which) % texts.len()], &["e", ".", "-"]);
            let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.clone()));
            if let Ok(amount) = amount(&value) {
                assert!(amount <= Amount::MAX_MONEY);
            }
            if let Ok(rate) = fee_rate_sat_per_kvb(&value) {
                assert!(rate < SAT_PER_COIN.unsigned_abs());
            }
            let _ = fee_rate_from_sat_per_vb(&value);
            if let Ok(level) = verbosity(Some(&value), 1) {
                assert!(level <= 3);
            }
            if let Ok(txid) = hash::<Txid>("txid", &text) {
                assert_eq!(txid.to_string(), text.to_lowercase());
            }
        });
}

#[test]
fn fuzz_hash() {
    check!()
        .with_type::<([u8; 32], TextDamage)>()
        .for_each(|(bytes, damage)| {
            let text = damage.apply(&hex::encode(bytes), &["g", "+f"]);
            match hash::<Txid>("txid", &text) {
                Ok(txid) => assert_eq!(txid.to_string(), text.to_lowercase()),
                Err(error) => assert!(!damage.is_none() && !error.message.is_empty()),
            }
        });
}
