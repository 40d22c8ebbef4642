//! A table of coin prices per day: lines of a day and a price, with a comma between.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::calendar::Date;
use super::decimal::Decimal;

/// A table of a price for each day of many years is far below.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// What applies to a day that the table has no price for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MissingPrice {
    /// Nothing: what its coins were worth is not known
    Unknown,
    /// The price of the last day before it that has one
    Previous,
}

/// Prices of a coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prices {
    /// One for all days.
    Constant(Decimal),
    /// One for each day.
    Table {
        days: BTreeMap<Date, Decimal>,
        missing: MissingPrice,
    },
}

impl Prices {
    /// Reads a file.
    pub(crate) fn read(path: &Path, missing: MissingPrice) -> Result<Self> {
        let name = || path.display().to_string();
        let size = std::fs::metadata(path).with_context(name)?.len();
        if size > MAX_FILE_BYTES {
            bail!(
                "{}: {size} bytes, where {MAX_FILE_BYTES} is the most",
                name()
            );
        }
        let text = std::fs::read_to_string(path).with_context(name)?;
        match parse(&text) {
            Ok(days) => Ok(Self::Table { days, missing }),
            Err(detail) => bail!("{}: {detail}", name()),
        }
    }

    /// The price on a day.
    pub(crate) fn on(&self, date: Date) -> Option<Decimal> {
        match self {
            Self::Constant(price) => Some(*price),
            Self::Table { days, missing } => match missing {
                MissingPrice::Unknown => days.get(&date).copied(),
                MissingPrice::Previous => days.range(..=date).next_back().map(|(_, price)| *price),
            },
        }
    }
}

/// The prices of a text. The first line may name the columns; empty lines and those that begin with `#` don't count.
fn parse(text: &str) -> Result<BTreeMap<Date, Decimal>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut days = BTreeMap::new();
    let mut is_first = true;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split(',').map(field).collect();
        let names_columns = std::mem::take(&mut is_first)
            && fields
                .first()
                .is_some_and(|name| name.eq_ignore_ascii_case("date"));
        if names_columns {
            continue;
        }
        let [date, price] = fields[..] else {
            return Err(format!(
                "line {number}: {} columns, where there are two: date,price",
                fields.len()
            ));
        };
        let at = |column: &str, detail: String| format!("line {number}, column {column}: {detail}");
        let date = Date::parse(date).map_err(|detail| at("date", detail))?;
        let price = Decimal::parse(price).map_err(|detail| at("price", detail))?;
        if days.insert(date, price).is_some() {
            return Err(at("date", format!("{date} has a price already")));
        }
    }
    if days.is_empty() {
        return Err("there is no price in it".to_owned());
    }
    Ok(days)
}

/// A field without the blanks and quotes around it.
fn field(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, missing: MissingPrice) -> Prices {
        Prices::Table {
            days: parse(text).unwrap(),
            missing,
        }
    }

    fn price(prices: &Prices, day: &str) -> Option<String> {
        let price = prices.on(Date::parse(day).unwrap());
        price.map(|price| price.to_string())
    }

    #[test]
    fn a_table_has_a_price_for_each_day() {
        let text = "\u{feff}Date,Price\r\n# of the exchange\r\n2026-01-03, 90.5\r\n\r\n\"2026-01-01\",\"89\"\r\n";
        let prices = table(text, MissingPrice::Unknown);
        assert_eq!(price(&prices, "2026-01-01").as_deref(), Some("89"));
        assert_eq!(price(&prices, "2026-01-03").as_deref(), Some("90.5"));
        assert_eq!(price(&prices, "2026-01-02"), None);
    }

    #[test]
    fn a_gap_may_be_filled_with_the_price_before() {
        let prices = table("2026-01-01,1\n2026-01-03,3\n", MissingPrice::Previous);
        assert_eq!(price(&prices, "2026-01-02").as_deref(), Some("1"));
        assert_eq!(price(&prices, "2026-01-03").as_deref(), Some("3"));
        assert_eq!(price(&prices, "2027-01-01").as_deref(), Some("3"));
        assert_eq!(price(&prices, "2025-12-31"), None);
    }

    #[test]
    fn what_is_wrong_names_line_and_column() {
        for (text, expected) in [
            (
                "date,price\n2026-01-01,1\n2026-02-30,2\n",
                "line 3, column date: \"2026-02-30\" is not a day",
            ),
            ("2026-01-01,1,5\n", "line 1: 3 columns"),
            ("2026-01-01\n", "line 1: 1 columns"),
            (
                "2026-01-01,\n",
                "line 1, column price: \"\" is not a number",
            ),
            (
                "2026-01-01,-1\n",
                "line 1, column price: \"-1\" is not a number",
            ),
            (
                "2026-01-01,1\n\n2026-01-01,1\n",
                "line 3, column date: 2026-01-01 has a price already",
            ),
            ("date,price\ndate,price\n", "line 2, column date"),
            ("date,price\n", "there is no price in it"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
