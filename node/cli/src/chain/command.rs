//! The subcommands of `pyrite chain`.

use anyhow::Result;
use clap::Subcommand;
use pyrite_consensus::ChainSpec;
use pyrite_node::load_chain_spec;

use super::check::{CheckArgs, check};
use super::new::{NewArgs, new};
use super::simulate::{SimulateArgs, simulate};

/// Subcommands of `pyrite chain`.
#[derive(Subcommand)]
pub(crate) enum ChainCommand {
    /// List the built-in chains
    List,
    /// Print a chain's spec as TOML, every field with a comment
    Show {
        /// A built-in chain, or the path of a spec
        #[arg(value_name = "SPEC")]
        name: String,
    },
    /// Make a spec: by flags, or by answers on a terminal when there are none
    ///
    /// Whatever no flag says is taken from the base chain. The genesis block is mined, which takes a second at the
    /// base chain's start difficulty and longer at a harder one.
    New(Box<NewArgs>),
    /// Check a spec and print everything that is wrong with it
    Check(CheckArgs),
    /// Run a spec's difficulty algorithm against a changing hash power
    ///
    /// Block times are drawn at random, the same with every run of the same seed. Prints for each phase of the hash
    /// power the mean and the 95th percentile of the time between blocks, how many blocks the difficulty took to
    /// follow the change, and the difficulty at the end.
    Simulate(SimulateArgs),
}

/// Does what was asked for.
pub(crate) fn run(command: ChainCommand) -> Result<()> {
    match command {
        ChainCommand::List => {
            for name in ChainSpec::BUILTIN {
                let spec = load_chain_spec(name)?;
                println!("{name:<10} genesis {}", spec.genesis_hash());
            }
        }
        ChainCommand::Show { name } => print!("{}", load_chain_spec(&name)?.to_toml()),
        ChainCommand::New(args) => new(*args)?,
        ChainCommand::Check(args) => check(&args)?,
        ChainCommand::Simulate(args) => simulate(&args)?,
    }
    Ok(())
}
