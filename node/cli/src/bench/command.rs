//! The subcommands of `pyrite bench`.

use anyhow::Result;
use clap::Subcommand;

use super::import::ImportArgs;
use super::make_chain::MakeChainArgs;
use super::mine::MineArgs;
use super::{import, make_chain, mine};

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Make a file of regtest blocks full of signed payments, to import
    MakeChain(MakeChainArgs),
    /// Import a file of blocks into a new database, and say how fast and in how much memory
    Import(ImportArgs),
    /// Hash with every kernel that this processor can run, on one thread and on all
    Mine(MineArgs),
}

pub(crate) fn run(command: &BenchCommand) -> Result<()> {
    match command {
        BenchCommand::MakeChain(args) => make_chain::run(args),
        BenchCommand::Import(args) => import::run(args),
        BenchCommand::Mine(args) => mine::run(args),
    }
}
