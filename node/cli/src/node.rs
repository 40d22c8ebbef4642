//! `pyrite node`.

use anyhow::{Context, Result};
use clap::Args;
use pyrite_node::{Node, NodeOptions, StopHandle, init_logging};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `pyrite node`.
#[derive(Args)]
pub(crate) struct NodeArgs {
    #[command(flatten)]
    options: NodeOptions,
}

/// Runs a node until a signal or `stop` ends it.
pub(crate) fn run(args: NodeArgs) -> Result<()> {
    let config = args.options.resolve()?;
    let _guard = init_logging(&config.data_dir.logs(), config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).context("can't watch for SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("can't watch for SIGTERM")?;
        let stop = StopHandle::new();
        let asked = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            asked.stop();
        });
        let node = Node::start_with(config, stop).await?;
        Ok(node.run().await?)
    })
}
