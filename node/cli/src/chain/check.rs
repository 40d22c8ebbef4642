//! `pyrite chain check`: everything that is wrong with a spec.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use pyrite_consensus::ChainSpec;
use serde_json::json;

/// One byte more than a spec may have: the check of its length then says what is wrong.
const MAX_READ_BYTES: u64 = (8 << 20) + 1;

/// Arguments of `pyrite chain check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// The spec's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the verdict; an error when the spec is wrong.
pub(super) fn check(args: &CheckArgs) -> Result<()> {
    let place = args.file.display();
    let text = read(&args.file).with_context(|| place.to_string())?;
    let errors = ChainSpec::check_toml(&text);
    let spec = ChainSpec::from_toml(&text).ok();
    if args.json {
        let form = json!({
            "valid": errors.is_empty(),
            "errors": errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "name": spec.as_ref().map(|spec| &spec.name),
            "genesis": spec.as_ref().map(|spec| spec.genesis_hash().to_string()),
        });
        println!("{form:#}");
    } else if let Some(spec) = &spec {
        let hash = spec.genesis_hash();
        println!("{place}: chain {} is valid, genesis {hash}", spec.name);
    } else {
        for error in &errors {
            println!("{error}");
        }
    }
    match errors.len() {
        0 => Ok(()),
        1 => bail!("{place}: 1 error"),
        count => bail!("{place}: {count} errors"),
    }
}

fn read(path: &PathBuf) -> Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_READ_BYTES)
        .read_to_string(&mut text)?;
    Ok(text)
}
