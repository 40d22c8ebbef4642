//! Arguments, the node that is measured, and what is printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use pyrite_node::{DataDir, LogTarget, Node, NodeConfig, NodeOptions, init_logging};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::client::Client;
use super::measure::measure;
use super::payments::{MAX_TRANSACTIONS, Payments};

/// Arguments of `pyrite bench template`.
#[derive(Args)]
pub(crate) struct TemplateArgs {
    /// Transactions in the mempool
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    transactions: u32,
    /// Where to keep the node's files; it must not exist, and is removed in the end
    #[arg(long, value_name = "DIR", default_value = "pyrite-bench")]
    dir: PathBuf,
    /// Seed of the fees
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &TemplateArgs) -> Result<()> {
    ensure!(
        (1..=MAX_TRANSACTIONS).contains(&args.transactions),
        "--transactions: {} is not between 1 and {MAX_TRANSACTIONS}",
        args.transactions
    );
    if args.dir.exists() {
        bail!("{}: exists already", args.dir.display());
    }
    let measured = run_in(args);
    let removed = std::fs::remove_dir_all(&args.dir);
    measured?;
    removed.with_context(|| args.dir.display().to_string())
}

fn run_in(args: &TemplateArgs) -> Result<()> {
    eprintln!("signing {} payments", args.transactions);
    let mut payments = Payments::new(args.transactions, StdRng::seed_from_u64(args.seed));
    let config = config(&args.dir, &payments)?;
    let _guard = init_logging(&config.data_dir.logs(), config.log)?;
    let cookie = config.data_dir.cookie();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    let node = runtime.block_on(Node::start(config))?;
    let (handles, stop) = (node.handles(), node.stop_handle());
    let client = Client::new(node.rpc_address(), &cookie)?;
    let running = runtime.spawn(node.run());
    eprintln!("filling the mempool");
    let figures = payments
        .fill(&handles)
        .and_then(|()| measure(&runtime, &handles, &client, &mut payments));
    stop.stop();
    runtime.block_on(running)??;
    let figures = figures?;
    if args.json {
        println!("{}", figures.json());
    } else {
        println!("{}", figures.text());
    }
    Ok(())
}

/// A node without peers, on free ports, on the chain that has the payments' coins.
fn config(dir: &Path, payments: &Payments) -> Result<NodeConfig> {
    let options = NodeOptions {
        chain: Some("regtest".to_owned()),
        data_dir: Some(dir.to_owned()),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        rpc_bind: vec!["127.0.0.1:0".to_owned()],
        ..NodeOptions::default()
    };
    let mut config = options.resolve()?;
    config.spec = Arc::clone(payments.spec());
    config.data_dir = DataDir::new(dir.to_owned(), &config.spec.name);
    config.log = LogTarget::File;
    Ok(config)
}
