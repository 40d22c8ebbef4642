//! The `pyrite` binary: a node, a private network of nodes, and a client for them.

mod bench;
mod bitcoind;
mod chain;
mod data_args;
mod db;
mod devices;
mod export;
mod import;
mod interrupt;
mod mine;
mod mining;
mod node;
mod progress;
mod rpc;
mod shell;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// A proof-of-work node with a miner inside: private networks that speak Bitcoin's JSON-RPC.
#[derive(Parser)]
#[command(
    name = "pyrite",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a private network that mines, or look after one
    #[command(subcommand)]
    Testnet(pyrite_testnet::command::TestnetCommand),
    /// Run a node in the foreground; Ctrl-C stops it cleanly
    Node(Box<node::NodeArgs>),
    /// Run a node in the place of Bitcoin Core's bitcoind: its flags, bitcoin.conf and data directory (bitcoind -help lists them)
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Bitcoind {
        /// Bitcoin Core's flags, such as -regtest and -datadir=DIR
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "FLAGS"
        )]
        flags: Vec<OsString>,
    },
    /// Mine for nodes that run elsewhere, Pyrite's or Bitcoin Core's kind, over JSON-RPC
    Mine(Box<mine::MineArgs>),
    /// Call a method of a running node, such as: pyrite rpc getblockcount
    Rpc(rpc::RpcArgs),
    /// Make a user of JSON-RPC: print the line for --rpc-auth and a new password
    Rpcauth(rpc::RpcAuthArgs),
    /// What mining brought in and what it cost
    #[command(subcommand)]
    Mining(mining::MiningCommand),
    /// Import files of blocks in Bitcoin's format into a data directory
    Import(import::ImportArgs),
    /// Export the best chain of a data directory into a file of blocks in Bitcoin's format
    Export(export::ExportArgs),
    /// Look at chain specs, make them, and try their difficulty
    #[command(subcommand)]
    Chain(chain::ChainCommand),
    /// Look after the database of a data directory
    #[command(subcommand)]
    Db(db::DbCommand),
    /// List what this machine can mine with: the processor's kernels, and OpenCL devices
    Devices(devices::DevicesArgs),
    /// Measure this program on this machine
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Print a completion script for a shell: bash, zsh, fish
    Completions(shell::CompletionsArgs),
    /// Write man pages into a folder
    Man(shell::ManArgs),
}

fn main() -> ExitCode {
    // Before the others: its flags are of another syntax.
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(flags) = bitcoind::is_asked_for(&arguments) {
        return bitcoind::run(flags);
    }
    let words = rpc::with_bitcoin_flags(arguments.into_iter());
    let result = match Cli::parse_from(words).command {
        Command::Bitcoind { flags } => return bitcoind::run(&flags),
        Command::Testnet(command) => pyrite_testnet::command::run(command),
        Command::Node(args) => node::run(*args),
        Command::Mine(args) => mine::run(&args),
        Command::Rpc(args) => rpc::run(&args),
        Command::Rpcauth(args) => rpc::run_rpcauth(&args),
        Command::Mining(command) => mining::run(&command),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Chain(command) => chain::run(command),
        Command::Db(command) => db::run(&command),
        Command::Devices(args) => devices::run(&args),
        Command::Bench(command) => bench::run(&command),
        Command::Completions(args) => shell::completions(&args, Cli::command()),
        Command::Man(args) => shell::man(&args, Cli::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pyrite: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// One line, from the outermost context to the cause. Many errors tell their cause themselves, which is
/// not told again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for text in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = text;
        } else if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let tells_its_cause = pyrite_node::NodeError::DataDir {
            path: "dir".into(),
            source: std::io::Error::other("no room"),
        };
        let error = anyhow::Error::from(tells_its_cause).context("can't start");
        assert_eq!(one_line(&error), "can't start: dir: no room");
        let silent = Err::<(), _>(std::io::Error::other("no room")).context("can't start");
        assert_eq!(one_line(&silent.unwrap_err()), "can't start: no room");
    }
}
