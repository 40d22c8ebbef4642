//! The subcommands of `pyrite mining`.

use anyhow::Result;
use clap::Subcommand;

use super::report::{ReportArgs, report};

/// What to do with the accounts of mining.
#[derive(Subcommand)]
pub(crate) enum MiningCommand {
    /// Blocks found, income, energy, cost and profit by day, month or year; the node may run or not
    Report(Box<ReportArgs>),
}

pub(crate) fn run(command: &MiningCommand) -> Result<()> {
    match command {
        MiningCommand::Report(args) => report(args),
    }
}
