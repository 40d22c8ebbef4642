//! `pyrite mining report`: reads the ledger, asks the chain what became of its blocks, and prints what that comes to.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_miner::{FoundBlock, LedgerEntry, LedgerReader};
use serde_json::json;

use super::account::{Account, Terms};
use super::block_sheet::BlockList;
use super::block_state::{BlockState, ChainSource};
use super::calendar::{Date, PeriodKind, UtcOffset};
use super::decimal::{Decimal, MAX_MONEY_PLACES};
use super::period_sheet::period_sheet;
use super::prices::{MissingPrice, Prices};
use super::sheet::Sheet;
use crate::data_args::DataArgs;

/// Blocks that the chain is asked about at a time.
const BLOCKS_PER_QUESTION: usize = 1_000;

/// What the rows of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// Each block that was found
    Block,
    /// Days
    Day,
    /// Months
    Month,
    /// Years
    Year,
}

/// Arguments of `pyrite mining report`.
#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The chain: pyrite, regtest, mainnet, or the path of a chain spec
    #[arg(
        long,
        value_name = "SPEC",
        default_value = "pyrite",
        env = "PYRITE_CHAIN"
    )]
    chain: String,
    /// The data directory of the node, which may be running or not [default: ~/.pyrite]
    #[arg(long, value_name = "DIR", env = "PYRITE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// What the rows are
    #[arg(long, value_enum, default_value_t = By::Month)]
    by: By,
    /// The first day that counts, such as 2026-01-01
    #[arg(long, value_name = "DAY", value_parser = Date::parse)]
    from: Option<Date>,
    /// The last day that counts
    #[arg(long, value_name = "DAY", value_parser = Date::parse)]
    to: Option<Date>,
    /// Days begin at midnight at this distance from UTC, such as +02:00; there is no daylight saving
    /// [default: UTC]
    #[arg(
        long,
        value_name = "OFFSET",
        default_value = "Z",
        hide_default_value = true,
        allow_hyphen_values = true,
        value_parser = UtcOffset::parse
    )]
    utc_offset: UtcOffset,
    /// A table of coin prices: lines of a day and what a coin was worth, such as 2026-11-24,91234.56
    #[arg(long, value_name = "FILE", conflicts_with = "price")]
    prices: Option<PathBuf>,
    /// What applies to a day without a price in the table
    #[arg(long, value_enum, default_value_t = MissingPrice::Unknown, requires = "prices")]
    missing_price: MissingPrice,
    /// What a coin is worth on all days
    #[arg(long, value_name = "PRICE", value_parser = Decimal::parse)]
    price: Option<Decimal>,
    /// What a kilowatt hour costs, in the same currency
    #[arg(long, value_name = "PRICE", value_parser = Decimal::parse)]
    electricity: Option<Decimal>,
    /// The power that mining takes, for the time in which no energy was measured. What is measured is all that processor packages and
    /// graphics cards took while the miner worked, for mining and everything else
    #[arg(long, value_name = "WATTS", value_parser = Decimal::parse)]
    power: Option<Decimal>,
    /// The currency of all prices; it is only named
    #[arg(long, value_name = "NAME", default_value = "EUR")]
    currency: String,
    /// Decimal places of money; it is rounded only here
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(..=i64::from(MAX_MONEY_PLACES)))]
    places: u8,
    /// Write the rows into this file as comma-separated values; "-" prints them
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

/// How money is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MoneyStyle<'a> {
    /// The currency's name.
    pub(crate) currency: &'a str,
    /// Decimal places.
    pub(crate) places: u8,
}

/// Reports.
pub(crate) fn report(args: &ReportArgs) -> Result<()> {
    let terms = terms(args)?;
    let data = DataArgs {
        chain: args.chain.clone(),
        data_dir: args.data_dir.clone(),
    };
    let (spec, data_dir) = data.resolve()?;
    let chain_name = spec.name.clone();
    let mut book = Book::new(&terms, args.by);
    if let Some(ledger) = LedgerReader::open(&data_dir.mining())? {
        let source = ChainSource::open(spec, &data_dir)?;
        let read = read(ledger, &mut book, |blocks| source.states(blocks));
        source.close()?;
        read?;
    } else if !data_dir.chain().exists() {
        bail!(
            "{}: no data of chain {chain_name} here",
            data_dir.chain().display()
        );
    }
    print(args, &terms, &chain_name, &book)
}

fn terms(args: &ReportArgs) -> Result<Terms> {
    let first = Date::parse("1970-01-01").expect("a day");
    let last = Date::parse("9999-12-31").expect("a day");
    let days = args.from.unwrap_or(first)..=args.to.unwrap_or(last);
    if days.is_empty() {
        bail!("--to {} is before --from {}", days.end(), days.start());
    }
    let prices = match (&args.prices, args.price) {
        (Some(path), _) => Some(Prices::read(path, args.missing_price)?),
        (None, Some(price)) => Some(Prices::Constant(price)),
        (None, None) => None,
    };
    Ok(Terms {
        offset: args.utc_offset,
        days,
        prices,
        electricity: args.electricity,
        power: args.power,
    })
}

/// What a report is made of.
enum Book<'a> {
    Periods(PeriodKind, Account<'a>),
    Blocks(Account<'a>, BlockList<'a>),
}

impl<'a> Book<'a> {
    fn new(terms: &'a Terms, by: By) -> Self {
        let kind = match by {
            By::Day | By::Block => PeriodKind::Day,
            By::Month => PeriodKind::Month,
            By::Year => PeriodKind::Year,
        };
        let account = Account::new(terms, kind);
        match by {
            By::Block => Self::Blocks(account, BlockList::new(terms)),
            By::Day | By::Month | By::Year => Self::Periods(kind, account),
        }
    }

    fn account(&self) -> &Account<'a> {
        match self {
            Self::Periods(_, account) | Self::Blocks(account, _) => account,
        }
    }

    fn add_block(&mut self, block: FoundBlock, state: BlockState) -> Result<()> {
        match self {
            Self::Periods(_, account) => account.add_block(&block, state),
            Self::Blocks(account, list) => {
                account.add_block(&block, state)?;
                list.add(block, state)
            }
        }
    }

    fn sheet(&self, terms: &Terms, style: MoneyStyle<'_>) -> Sheet {
        match self {
            Self::Periods(kind, account) => period_sheet(account, *kind, terms, style),
            Self::Blocks(_, list) => list.sheet(style),
        }
    }
}

/// Reads the ledger into a book.
fn read(
    ledger: LedgerReader,
    book: &mut Book<'_>,
    states: impl Fn(&[BlockHash]) -> Result<Vec<BlockState>>,
) -> Result<()> {
    // A block may have been submitted again after a restart. It was found once.
    let mut seen = HashSet::new();
    let mut waiting: Vec<FoundBlock> = Vec::new();
    let settle = |waiting: &mut Vec<FoundBlock>, book: &mut Book<'_>| -> Result<()> {
        let hashes: Vec<BlockHash> = waiting.iter().map(|block| block.hash).collect();
        if hashes.is_empty() {
            return Ok(());
        }
        let states = states(&hashes)?;
        for (block, state) in waiting.drain(..).zip(states) {
            book.add_block(block, state)?;
        }
        Ok(())
    };
    for entry in ledger {
        match entry? {
            LedgerEntry::Block(block) => {
                if seen.insert(block.hash) {
                    waiting.push(block);
                }
                if waiting.len() == BLOCKS_PER_QUESTION {
                    settle(&mut waiting, book)?;
                }
            }
            LedgerEntry::Span(work) => {
                let (Book::Periods(_, account) | Book::Blocks(account, _)) = book;
                account.add_work(&work);
            }
        }
    }
    settle(&mut waiting, book)
}

fn print(args: &ReportArgs, terms: &Terms, chain: &str, book: &Book<'_>) -> Result<()> {
    let style = MoneyStyle {
        currency: &args.currency,
        places: args.places,
    };
    let sheet = book.sheet(terms, style);
    let account = book.account();
    let unpriced: Vec<String> = account
        .unpriced_days()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut is_printed = false;
    if let Some(path) = &args.csv {
        is_printed = path.as_os_str() == "-";
        if is_printed && args.json {
            bail!("--csv - and --json both print: use one of them");
        }
        write_csv(path, &sheet.csv())?;
    }
    if args.json {
        let key = if args.by == By::Block {
            "blocks"
        } else {
            "periods"
        };
        let mut form = json!({
            "chain": chain,
            "by": args.by.to_possible_value().map(|by| by.get_name().to_owned()),
            "utc_offset": terms.offset.to_string(),
            "currency": args.currency,
            key: sheet.json_rows(),
        });
        if let Some(total) = sheet.json_total() {
            form["total"] = total;
        }
        form["days_without_price"] = unpriced.into();
        println!("{}", serde_json::to_string_pretty(&form)?);
        return Ok(());
    }
    if !is_printed {
        println!(
            "chain {chain}, days in {}, a block counts from when it was found",
            terms.offset
        );
        print!("{}", sheet.table());
        if account.total().has_measured_energy() {
            println!(
                "KWH is what processor packages and graphics cards took while the miner worked, for mining and everything else"
            );
        }
    }
    if let (Some(first), Some(last)) = (unpriced.first(), unpriced.last()) {
        eprintln!(
            "pyrite: {} days with blocks have no price ({first} to {last}): income and profit of their periods are not \
             known; --missing-price previous takes the price of the day before",
            unpriced.len()
        );
    }
    if terms.electricity.is_some() && account.total().energy(terms).is_none() {
        eprintln!(
            "pyrite: for {} seconds of mining no energy was measured: --power WATTS says what to count for them",
            account.total().unmeasured_s
        );
    }
    Ok(())
}

/// Writes a file whole or not at all.
fn write_csv(path: &Path, text: &str) -> Result<()> {
    if path.as_os_str() == "-" {
        print!("{text}");
        return Ok(());
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, path))
        .with_context(|| path.display().to_string())
}
