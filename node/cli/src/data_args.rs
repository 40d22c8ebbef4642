//! Which chain, and where its data is: arguments that subcommands share that work on a data directory by
//! themselves.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use pyrite_consensus::ChainSpec;
use pyrite_node::{DataDir, default_data_dir, load_chain_spec};

/// A chain and a data directory.
#[derive(Args)]
pub(crate) struct DataArgs {
    /// The chain: pyrite, regtest, mainnet, or the path of a chain spec
    #[arg(
        long,
        value_name = "SPEC",
        default_value = "pyrite",
        env = "PYRITE_CHAIN"
    )]
    pub(crate) chain: String,
    /// The data directory; no node may be using it [default: ~/.pyrite]
    #[arg(long, value_name = "DIR", env = "PYRITE_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl DataArgs {
    /// The chain's spec, and where its files are, whether they exist or not.
    pub(crate) fn resolve(&self) -> Result<(Arc<ChainSpec>, DataDir)> {
        let spec = Arc::new(load_chain_spec(&self.chain)?);
        let root = match &self.data_dir {
            Some(root) => root.clone(),
            None => default_data_dir()?,
        };
        let data_dir = DataDir::new(root, &spec.name);
        Ok((spec, data_dir))
    }
}
