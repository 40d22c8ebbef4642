//! The rows of single blocks.

use anyhow::{Result, bail};
use pyrite_consensus::pow;
use pyrite_miner::FoundBlock;

use super::account::{Terms, worth};
use super::block_state::BlockState;
use super::decimal::{coins, kilowatt_hours};
use super::report::MoneyStyle;
use super::sheet::{Cell, Column, Sheet};

/// The most blocks that are listed: they are kept in memory.
const MAX_BLOCKS: usize = 1_000_000;

/// Blocks that were found.
pub(crate) struct BlockList<'a> {
    terms: &'a Terms,
    blocks: Vec<(FoundBlock, BlockState)>,
}

impl<'a> BlockList<'a> {
    pub(crate) fn new(terms: &'a Terms) -> Self {
        Self {
            terms,
            blocks: Vec::new(),
        }
    }

    /// Takes a block, if it is of a day that counts.
    pub(crate) fn add(&mut self, block: FoundBlock, state: BlockState) -> Result<()> {
        let date = self.terms.offset.date(block.time);
        if !self.terms.days.contains(&date) {
            return Ok(());
        }
        if self.blocks.len() == MAX_BLOCKS {
            bail!("more than {MAX_BLOCKS} blocks: say which with --from and --to");
        }
        self.blocks.push((block, state));
        Ok(())
    }

    pub(crate) fn sheet(&self, style: MoneyStyle<'_>) -> Sheet {
        let has_prices = self.terms.prices.is_some();
        let column = |key, title: Option<&str>| Column {
            key,
            title: title.map(str::to_owned),
        };
        let income = format!("INCOME {}", style.currency);
        Sheet {
            columns: vec![
                column("time", Some("TIME")),
                column("height", Some("HEIGHT")),
                column("hash", None),
                column("state", Some("STATE")),
                column("device", Some("DEVICE")),
                column("difficulty", Some("DIFFICULTY")),
                column("subsidy", Some("SUBSIDY")),
                column("fees", Some("FEES")),
                column("energy_kwh", None),
                column("price", None),
                column("income", has_prices.then_some(income.as_str())),
                column("currency", None),
            ],
            rows: self
                .blocks
                .iter()
                .map(|(block, state)| self.row(block, *state, style))
                .collect(),
            total: None,
        }
    }

    fn row(&self, block: &FoundBlock, state: BlockState, style: MoneyStyle<'_>) -> Vec<Cell> {
        let offset = self.terms.offset;
        let date = offset.date(block.time);
        let price = self
            .terms
            .prices
            .as_ref()
            .and_then(|prices| prices.on(date));
        // What is not in the chain earned nothing.
        let income = match (state, &self.terms.prices) {
            (BlockState::Active, _) => price.and_then(|price| worth(block, price)),
            (_, Some(_)) => Some(super::decimal::Money::default()),
            (_, None) => None,
        };
        vec![
            Cell::Text(offset.timestamp(block.time)),
            Cell::count(block.height),
            Cell::Text(block.hash.to_string()),
            Cell::Text(state.name().to_owned()),
            Cell::Text(block.device.clone()),
            Cell::count(pow::difficulty(block.bits)),
            Cell::Number(coins(block.subsidy_sat.into())),
            Cell::Number(coins(block.fees_sat.into())),
            Cell::known(block.energy_mj.map(|energy| kilowatt_hours(energy.into()))),
            Cell::known(price.map(|price| price.to_string())),
            Cell::known(income.map(|income| income.text(style.places))),
            Cell::Text(style.currency.to_owned()),
        ]
    }
}
