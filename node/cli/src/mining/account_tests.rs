use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget};

use super::super::prices::MissingPrice;
use super::*;

/// 2026-12-01 00:00 UTC.
const DECEMBER: u64 = 1_796_083_200;

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn terms(offset: &str) -> Terms {
    Terms {
        offset: UtcOffset::parse(offset).unwrap(),
        days: date("1970-01-01")..=date("9999-12-31"),
        prices: None,
        electricity: None,
        power: None,
    }
}

fn priced(days: &[(&str, &str)]) -> Terms {
    let days = days.iter().map(|(day, price)| (date(day), decimal(price)));
    Terms {
        prices: Some(Prices::Table {
            days: days.collect(),
            missing: MissingPrice::Unknown,
        }),
        ..terms("Z")
    }
}

fn block(time: u64) -> FoundBlock {
    FoundBlock {
        time,
        height: 1,
        hash: BlockHash::all_zeros(),
        subsidy_sat: 5_000_000_000,
        fees_sat: 1_500,
        device: "cpu0".to_owned(),
        bits: CompactTarget::from_consensus(0x207f_ffff),
        energy_mj: None,
    }
}

fn work(from: u64, to: u64, energy_mj: Option<u64>) -> MiningSpan {
    MiningSpan {
        from,
        to,
        hashes: 7_001,
        energy_mj,
    }
}

fn names(account: &Account<'_>) -> Vec<String> {
    let periods = account.periods();
    periods.map(|(day, _)| account.kind.name(day)).collect()
}

#[test]
fn blocks_belong_to_the_month_of_their_place() {
    for (offset, expected) in [
        ("Z", vec!["2026-11", "2026-12"]),
        ("+00:01", vec!["2026-12"]),
        ("-00:01", vec!["2026-11"]),
    ] {
        let terms = terms(offset);
        let mut account = Account::new(&terms, PeriodKind::Month);
        for time in [DECEMBER - 1, DECEMBER] {
            account.add_block(&block(time), BlockState::Active).unwrap();
        }
        assert_eq!(names(&account), expected, "{offset}");
        assert_eq!(account.total().blocks, 2);
    }
}

#[test]
fn only_blocks_in_the_chain_earn() {
    let terms = priced(&[("2026-12-01", "2")]);
    let mut account = Account::new(&terms, PeriodKind::Year);
    for state in [
        BlockState::Active,
        BlockState::Stale,
        BlockState::Stale,
        BlockState::Unknown,
    ] {
        account.add_block(&block(DECEMBER), state).unwrap();
    }
    let total = account.total();
    assert_eq!((total.blocks, total.stale, total.unknown), (1, 2, 1));
    assert_eq!((total.subsidy_sat, total.fees_sat), (5_000_000_000, 1_500));
    assert_eq!(total.known_income(&terms).unwrap().text(8), "100.00003000");
}

#[test]
fn a_day_without_a_price_leaves_the_income_of_its_period_unknown() {
    let terms = priced(&[("2026-12-01", "2"), ("2026-11-29", "3")]);
    let mut account = Account::new(&terms, PeriodKind::Month);
    for time in [DECEMBER - 2 * 86_400, DECEMBER - 1, DECEMBER] {
        account.add_block(&block(time), BlockState::Active).unwrap();
    }
    // One that does not earn needs no price.
    let gap = DECEMBER - 5 * 86_400;
    account.add_block(&block(gap), BlockState::Stale).unwrap();
    let incomes: Vec<_> = account
        .periods()
        .map(|(_, totals)| totals.known_income(&terms).map(|income| income.text(2)))
        .collect();
    assert_eq!(incomes, [None, Some("100.00".to_owned())]);
    assert_eq!(account.total().known_income(&terms), None);
    let unpriced: Vec<_> = account.unpriced_days().iter().collect();
    assert_eq!(unpriced, [&date("2026-11-30")]);
}

#[test]
fn work_over_a_border_is_shared_out_and_nothing_is_lost() {
    let terms = terms("Z");
    let mut account = Account::new(&terms, PeriodKind::Month);
    account.add_work(&work(DECEMBER - 100, DECEMBER + 200, Some(1_000)));
    let parts: Vec<_> = account
        .periods()
        .map(|(_, totals)| (totals.seconds, totals.hashes, totals.measured_mj))
        .collect();
    assert_eq!(parts, [(100, 2_333, 333), (200, 4_668, 667)]);
    let total = account.total();
    assert_eq!(
        (total.seconds, total.hashes, total.measured_mj),
        (300, 7_001, 1_000)
    );
}

#[test]
fn work_over_many_days_is_in_each_of_them() {
    let terms = terms("+05:45");
    let mut account = Account::new(&terms, PeriodKind::Day);
    let day = 86_400;
    account.add_work(&work(DECEMBER - 10 * day, DECEMBER, Some(999)));
    assert_eq!(names(&account).len(), 11);
    assert_eq!(account.total().measured_mj, 999);
    assert_eq!(account.total().seconds, 10 * day);
    // Work of no length, and work whose end is before its begin.
    account.add_work(&work(DECEMBER, DECEMBER, Some(1)));
    account.add_work(&work(DECEMBER, DECEMBER - 5, Some(1)));
    assert_eq!(account.total().measured_mj, 1_001);
    assert_eq!(account.total().seconds, 10 * day);
}

#[test]
fn days_that_are_not_asked_for_do_not_count() {
    let terms = Terms {
        days: date("2026-12-01")..=date("2026-12-01"),
        ..terms("Z")
    };
    let mut account = Account::new(&terms, PeriodKind::Day);
    for time in [DECEMBER - 1, DECEMBER, DECEMBER + 86_399, DECEMBER + 86_400] {
        account.add_block(&block(time), BlockState::Active).unwrap();
    }
    account.add_work(&work(DECEMBER - 86_400, DECEMBER + 2 * 86_400, Some(3_000)));
    assert_eq!(names(&account), ["2026-12-01"]);
    assert_eq!(account.total().blocks, 2);
    assert_eq!(account.total().measured_mj, 1_000);
}

#[test]
fn energy_that_was_not_measured_is_estimated_if_the_power_is_named() {
    let mut terms = Terms {
        electricity: Some(decimal("0.30")),
        ..priced(&[("2026-12-01", "0.01")])
    };
    let hour = |energy| work(DECEMBER, DECEMBER + 3_600, energy);
    let total = |terms: &Terms, spans: &[MiningSpan]| {
        let mut account = Account::new(terms, PeriodKind::Day);
        account
            .add_block(&block(DECEMBER), BlockState::Active)
            .unwrap();
        spans.iter().for_each(|span| account.add_work(span));
        account.total().clone()
    };
    let measured = hour(Some(360_000_000)); // 100 W
    let totals = total(&terms, std::slice::from_ref(&measured));
    assert_eq!(
        totals.energy(&terms),
        Some((360_000_000, EnergySource::Measured))
    );
    assert_eq!(totals.cost(&terms).unwrap().text(4), "0.0300");
    assert_eq!(totals.profit(&terms).unwrap().text(4), "0.4700");

    let both = total(&terms, &[measured, hour(None)]);
    assert_eq!(both.energy(&terms), None);
    assert_eq!(both.cost(&terms), None);
    assert_eq!(both.profit(&terms), None);
    terms.power = Some(decimal("50"));
    assert_eq!(
        both.energy(&terms),
        Some((540_000_000, EnergySource::Estimated))
    );
    assert_eq!(both.cost(&terms).unwrap().text(4), "0.0450");
    assert_eq!(both.profit(&terms).unwrap().text(4), "0.4550");
}
