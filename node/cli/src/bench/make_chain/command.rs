//! Makes the blocks one after the other and writes them as Bitcoin's block files have them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::consensus::serialize;

use super::super::owner::Kind;
use super::chain::ChainMaker;
use crate::progress::ProgressLine;

/// Arguments of `pyrite bench make-chain`.
#[derive(Args)]
pub(crate) struct MakeChainArgs {
    /// How many blocks
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    blocks: u32,
    /// Payments in each block, as soon as there are coins to spend
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=2_000))]
    payments: u32,
    /// Where the random numbers begin: the same seed makes the same blocks
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &MakeChainArgs) -> Result<()> {
    let spec = ChainSpec::regtest();
    let name = || args.file.display().to_string();
    let file = File::create_new(&args.file).with_context(name)?;
    let mut output = BufWriter::with_capacity(1 << 20, file);
    let mut maker = ChainMaker::new(&spec, args.seed);
    let mut line = ProgressLine::new();
    let mut bytes = 0;
    for done in 1..=args.blocks {
        let block = maker.next_block(args.payments);
        bytes += write_block(&spec, &block, &mut output).with_context(name)?;
        line.show(|| format!("making: {done} of {} blocks", args.blocks));
    }
    output.flush().with_context(name)?;
    line.clear();
    let transactions = maker.payments() + u64::from(args.blocks);
    println!(
        "{}: {} blocks of {}, {transactions} transactions, {:.1} MB",
        args.file.display(),
        args.blocks,
        spec.name,
        bytes as f64 / 1e6
    );
    for (kind, inputs) in Kind::ALL.iter().zip(maker.inputs()) {
        println!("  {inputs:>8} inputs {}", kind.name());
    }
    Ok(())
}

fn write_block(spec: &ChainSpec, block: &Block, output: &mut impl Write) -> Result<u64> {
    let bytes = serialize(block);
    let length = u32::try_from(bytes.len())?;
    output.write_all(&spec.magic)?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(&bytes)?;
    Ok(8 + u64::from(length))
}
