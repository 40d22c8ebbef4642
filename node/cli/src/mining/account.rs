//! Sums up: blocks and working time into periods, exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use anyhow::{Context, Result};
use pyrite_miner::{FoundBlock, MiningSpan};

use super::block_state::BlockState;
use super::calendar::{Date, PeriodKind, UtcOffset};
use super::decimal::{Decimal, Money};
use super::prices::Prices;

/// What a report is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Where days begin.
    pub(crate) offset: UtcOffset,
    /// The days that count.
    pub(crate) days: RangeInclusive<Date>,
    /// What a coin is worth.
    pub(crate) prices: Option<Prices>,
    /// What a kilowatt hour costs.
    pub(crate) electricity: Option<Decimal>,
    /// Watts that mining takes where no energy was measured.
    pub(crate) power: Option<Decimal>,
}

/// What a period came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Blocks that are in the chain.
    pub(crate) blocks: u64,
    /// Blocks that were reorganised out of it, or never in it.
    pub(crate) stale: u64,
    /// Blocks that the chain does not know.
    pub(crate) unknown: u64,
    /// New coins of the blocks in the chain, in satoshi.
    pub(crate) subsidy_sat: u128,
    /// Fees of the blocks in the chain, in satoshi.
    pub(crate) fees_sat: u128,
    /// What those were worth, each on its day.
    pub(crate) income: Money,
    /// Blocks on days without a price, which `income` lacks.
    pub(crate) unpriced: u64,
    /// Seconds in which the miner worked.
    pub(crate) seconds: u64,
    /// Hashes.
    pub(crate) hashes: u128,
    /// Energy that was measured, in millijoules.
    pub(crate) measured_mj: u128,
    /// Seconds of work in which none was.
    pub(crate) unmeasured_s: u64,
}

/// How the energy of a period is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnergySource {
    /// All of it was measured.
    Measured,
    /// Some or all of it is the power that the caller named, over the time without a measurement.
    Estimated,
}

impl Totals {
    /// The energy, in millijoules; `None` where some of it was not measured and the caller names no power.
    pub(crate) fn energy(&self, terms: &Terms) -> Option<(u128, EnergySource)> {
        if self.unmeasured_s == 0 {
            return Some((self.measured_mj, EnergySource::Measured));
        }
        let estimated = terms.power?.thousandths_times(self.unmeasured_s);
        Some((self.measured_mj + estimated, EnergySource::Estimated))
    }

    /// What the coins were worth, if there is a price for all of them.
    pub(crate) fn known_income(&self, terms: &Terms) -> Option<Money> {
        (terms.prices.is_some() && self.unpriced == 0).then_some(self.income)
    }

    /// What the energy cost.
    pub(crate) fn cost(&self, terms: &Terms) -> Option<Money> {
        Money::of_energy(self.energy(terms)?.0, terms.electricity?)
    }

    /// Income without cost.
    pub(crate) fn profit(&self, terms: &Terms) -> Option<Money> {
        self.known_income(terms)?.minus(self.cost(terms)?)
    }

    fn add_block(
        &mut self,
        block: &FoundBlock,
        state: BlockState,
        prices: Option<(&Prices, Date)>,
    ) -> Result<()> {
        match state {
            BlockState::Stale => self.stale += 1,
            BlockState::Unknown => self.unknown += 1,
            BlockState::Active => {
                self.blocks += 1;
                self.subsidy_sat += u128::from(block.subsidy_sat);
                self.fees_sat += u128::from(block.fees_sat);
                if let Some((prices, date)) = prices {
                    match prices.on(date) {
                        None => self.unpriced += 1,
                        Some(price) => {
                            self.income = worth(block, price)
                                .and_then(|worth| self.income.plus(worth))
                                .context("the income is more than can be counted")?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether some of the energy was measured.
    pub(crate) fn has_measured_energy(&self) -> bool {
        self.measured_mj > 0
    }

    fn add_work(&mut self, work: &MiningSpan) {
        let seconds = work.to.saturating_sub(work.from);
        self.seconds += seconds;
        self.hashes += u128::from(work.hashes);
        match work.energy_mj {
            Some(energy) => self.measured_mj += u128::from(energy),
            None => self.unmeasured_s += seconds,
        }
    }
}

/// What a block's coins are worth.
pub(crate) fn worth(block: &FoundBlock, price: Decimal) -> Option<Money> {
    let sat = block.subsidy_sat.checked_add(block.fees_sat)?;
    Money::of_coins(sat, price)
}

/// Accounts by periods.
pub(crate) struct Account<'a> {
    terms: &'a Terms,
    kind: PeriodKind,
    periods: BTreeMap<Date, Totals>,
    total: Totals,
    /// Days with a block and without a price.
    unpriced_days: BTreeSet<Date>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(terms: &'a Terms, kind: PeriodKind) -> Self {
        Self {
            terms,
            kind,
            periods: BTreeMap::new(),
            total: Totals::default(),
            unpriced_days: BTreeSet::new(),
        }
    }

    /// Takes account of a block, if it is of a day that counts.
    pub(crate) fn add_block(&mut self, block: &FoundBlock, state: BlockState) -> Result<()> {
        let date = self.terms.offset.date(block.time);
        if !self.terms.days.contains(&date) {
            return Ok(());
        }
        let prices = self.terms.prices.as_ref().map(|prices| (prices, date));
        let period = self.periods.entry(self.kind.first_day(date)).or_default();
        let unpriced_before = period.unpriced;
        period.add_block(block, state, prices)?;
        if period.unpriced > unpriced_before {
            self.unpriced_days.insert(date);
        }
        self.total.add_block(block, state, prices)
    }

    /// Takes account of work, day by day: of each its part of hashes and energy, by the time.
    pub(crate) fn add_work(&mut self, work: &MiningSpan) {
        let terms = self.terms;
        let mut from = work.from;
        let mut date = terms.offset.date(from);
        loop {
            let next = terms.offset.start_of(date.next());
            // After the year 9999 there is no next day.
            let to = if next > from {
                next.min(work.to)
            } else {
                work.to
            };
            if terms.days.contains(&date) {
                let part = part(work, from, to);
                let period = self.periods.entry(self.kind.first_day(date)).or_default();
                period.add_work(&part);
                self.total.add_work(&part);
            }
            if to >= work.to {
                return;
            }
            (from, date) = (to, date.next());
        }
    }

    /// The periods in which there was something, each by its first day.
    pub(crate) fn periods(&self) -> impl Iterator<Item = (Date, &Totals)> {
        self.periods.iter().map(|(date, totals)| (*date, totals))
    }

    /// All of them together.
    pub(crate) fn total(&self) -> &Totals {
        &self.total
    }

    /// Days with a block that is in the chain and without a price.
    pub(crate) fn unpriced_days(&self) -> &BTreeSet<Date> {
        &self.unpriced_days
    }
}

/// A part of some work. The parts of all of its time add up to it.
fn part(work: &MiningSpan, from: u64, to: u64) -> MiningSpan {
    let length = u128::from(work.to.saturating_sub(work.from));
    let until = |total: u64, time: u64| {
        let passed = u128::from(time.saturating_sub(work.from));
        let share = (u128::from(total) * passed).checked_div(length);
        share.and_then(|share| u64::try_from(share).ok())
    };
    // Work without a length has one part.
    let share = |total: u64| {
        let ends = until(total, to).zip(until(total, from));
        ends.map_or(total, |(end, begin)| end.saturating_sub(begin))
    };
    MiningSpan {
        from,
        to,
        hashes: share(work.hashes),
        energy_mj: work.energy_mj.map(share),
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
