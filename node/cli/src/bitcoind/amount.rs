//! Amounts of money in settings.

use anyhow::{Result, bail};

use super::settings::Settings;

/// Digits after the point of an amount in BTC.
const DECIMALS: usize = 8;

/// A fee rate, given in BTC for 1,000 virtual bytes, in satoshi for as many.
///
/// # Errors
/// Bitcoin Core's: not an amount.
pub(crate) fn fee_rate(settings: &Settings, name: &str) -> Result<Option<u64>> {
    let Some(text) = settings.text(name) else {
        return Ok(None);
    };
    match parse_money(&text) {
        Some(amount) => Ok(Some(amount)),
        None => bail!("Invalid amount for -{name}=<amount>: '{text}'"),
    }
}

/// An amount in BTC, in satoshi, as Bitcoin Core's `ParseMoney` reads it: no sign, at most eight decimals.
fn parse_money(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if text.is_empty()
        || !is_number(whole)
        || !is_number(fraction)
        || whole.len() > 10
        || fraction.len() > DECIMALS
    {
        return None;
    }
    format!("0{whole}{fraction:0<DECIMALS$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_eight_decimals() {
        for (text, amount) in [
            ("0", Some(0)),
            ("1", Some(100_000_000)),
            ("0.00001", Some(1_000)),
            (".5", Some(50_000_000)),
            (" 0.00000001 ", Some(1)),
            ("", None),
            ("-1", None),
            ("1e-5", None),
            ("0.000000001", None),
            ("1.2.3", None),
            ("12345678901", None),
        ] {
            assert_eq!(parse_money(text), amount, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_named() {
        let settings = Settings::parse(&["-minrelaytxfee=x".to_owned()]).unwrap();
        assert_eq!(
            fee_rate(&settings, "minrelaytxfee")
                .unwrap_err()
                .to_string(),
            "Invalid amount for -minrelaytxfee=<amount>: 'x'"
        );
        assert_eq!(fee_rate(&settings, "dustrelayfee").unwrap(), None);
    }
}
