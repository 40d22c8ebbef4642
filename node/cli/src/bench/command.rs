//! The subcommands of `pyrite bench`.

use anyhow::Result;
use clap::Subcommand;

use super::flood::FloodArgs;
use super::import::ImportArgs;
use super::make_chain::MakeChainArgs;
use super::mempool::MempoolArgs;
use super::mine::MineArgs;
use super::rpc::RpcBenchArgs;
use super::template::TemplateArgs;
use super::{flood, import, make_chain, mempool, mine, rpc, template};

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Make a file of regtest blocks full of signed payments, to import
    MakeChain(MakeChainArgs),
    /// Import a file of blocks into a new database, and say how fast and in how much memory
    Import(ImportArgs),
    /// Hash with every kernel that this processor can run, on one thread and on all
    Mine(MineArgs),
    /// Send signed payments to a node, and say how many a second it takes
    Mempool(MempoolArgs),
    /// Send payments without an end to a node whose mempool is full, and say what memory it takes and how long other
    /// calls wait
    Flood(FloodArgs),
    /// Call a node's methods over many connections and in batches, and say how many calls a second it answers and what
    /// WebSocket clients cost
    Rpc(RpcBenchArgs),
    /// Fill a node's mempool with signed payments, and say how soon it has block templates
    Template(TemplateArgs),
}

pub(crate) fn run(command: &BenchCommand) -> Result<()> {
    match command {
        BenchCommand::MakeChain(args) => make_chain::run(args),
        BenchCommand::Import(args) => import::run(args),
        BenchCommand::Mine(args) => mine::run(args),
        BenchCommand::Mempool(args) => mempool::run(args),
        BenchCommand::Flood(args) => flood::run(args),
        BenchCommand::Rpc(args) => rpc::run(args),
        BenchCommand::Template(args) => template::run(args),
    }
}
