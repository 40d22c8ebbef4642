//! The rows of periods.

use super::account::{Account, EnergySource, Terms, Totals};
use super::calendar::PeriodKind;
use super::decimal::{coins, hours, kilowatt_hours};
use super::report::MoneyStyle;
use super::sheet::{Cell, Column, Sheet};

/// What each period came to, and all of them together.
pub(crate) fn period_sheet(
    account: &Account<'_>,
    kind: PeriodKind,
    terms: &Terms,
    style: MoneyStyle<'_>,
) -> Sheet {
    let row = |name: String, totals: &Totals| row(name, totals, terms, style);
    Sheet {
        columns: columns(terms, style),
        rows: account
            .periods()
            .map(|(day, totals)| row(kind.name(day), totals))
            .collect(),
        total: Some(row("total".to_owned(), account.total())),
    }
}

fn columns(terms: &Terms, style: MoneyStyle<'_>) -> Vec<Column> {
    let has_prices = terms.prices.is_some();
    let has_cost = terms.electricity.is_some();
    let money = |title: &str| format!("{title} {}", style.currency);
    let shown = |key, title: &str| Column {
        key,
        title: Some(title.to_owned()),
    };
    // Programs get the same columns always.
    let hidden_unless = |is_shown: bool, key, title: &str| Column {
        key,
        title: is_shown.then(|| money(title)),
    };
    vec![
        shown("period", "PERIOD"),
        shown("blocks", "BLOCKS"),
        shown("stale", "STALE"),
        Column {
            key: "unknown",
            title: None,
        },
        shown("subsidy", "SUBSIDY"),
        shown("fees", "FEES"),
        shown("reward", "REWARD"),
        shown("hours", "HOURS"),
        Column {
            key: "hashes",
            title: None,
        },
        shown("energy_kwh", "KWH"),
        Column {
            key: "energy_source",
            title: None,
        },
        hidden_unless(has_prices, "income", "INCOME"),
        hidden_unless(has_cost, "cost", "COST"),
        hidden_unless(has_prices && has_cost, "profit", "PROFIT"),
        Column {
            key: "currency",
            title: None,
        },
    ]
}

fn row(name: String, totals: &Totals, terms: &Terms, style: MoneyStyle<'_>) -> Vec<Cell> {
    let energy = totals.energy(terms);
    let source = match energy {
        Some((_, EnergySource::Measured)) => Cell::Text("measured".to_owned()),
        Some((_, EnergySource::Estimated)) => Cell::Text("estimated".to_owned()),
        None => Cell::Unknown,
    };
    let money = |money: Option<super::decimal::Money>| {
        Cell::known(money.map(|money| money.text(style.places)))
    };
    vec![
        Cell::Text(name),
        Cell::count(totals.blocks),
        Cell::count(totals.stale),
        Cell::count(totals.unknown),
        Cell::Number(coins(totals.subsidy_sat)),
        Cell::Number(coins(totals.fees_sat)),
        Cell::Number(coins(totals.subsidy_sat + totals.fees_sat)),
        Cell::Number(hours(totals.seconds)),
        Cell::count(totals.hashes),
        Cell::known(energy.map(|(energy, _)| kilowatt_hours(energy))),
        source,
        money(totals.known_income(terms)),
        money(totals.cost(terms)),
        money(totals.profit(terms)),
        Cell::Text(style.currency.to_owned()),
    ]
}
