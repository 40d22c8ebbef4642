//! `pyrite chain`: the built-in chains, and specs as text.

use anyhow::Result;
use clap::Subcommand;
use pyrite_consensus::ChainSpec;
use pyrite_node::load_chain_spec;

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
}

/// Prints what was asked for.
pub(crate) fn run(command: &ChainCommand) -> Result<()> {
    match command {
        ChainCommand::List => {
            for name in ChainSpec::BUILTIN {
                let spec = load_chain_spec(name)?;
                println!("{name:<10} genesis {}", spec.genesis_hash());
            }
        }
        ChainCommand::Show { name } => print!("{}", load_chain_spec(name)?.to_toml()),
    }
    Ok(())
}
