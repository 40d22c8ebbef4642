//! The subcommands of `pyrite db`.

use anyhow::Result;
use clap::Subcommand;

use super::check::{CheckArgs, check};

/// What to do with a database.
#[derive(Subcommand)]
pub(crate) enum DbCommand {
    /// Read every byte of a database, and verify that its parts fit together
    Check(CheckArgs),
}

pub(crate) fn run(command: &DbCommand) -> Result<()> {
    match command {
        DbCommand::Check(args) => check(args),
    }
}
