//! Ctrl-C and SIGTERM for commands that do long work: they end it at the next good place.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody asked for the end.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for the signals, from a thread of its own, until the program ends.
    pub(crate) fn watch() -> Result<Self> {
        let interrupt = Self::default();
        let flag = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("can't watch for signals")?;
        let (mut ctrl_c, mut terminate) = {
            let _guard = runtime.enter();
            (
                signal(SignalKind::interrupt()).context("can't watch for SIGINT")?,
                signal(SignalKind::terminate()).context("can't watch for SIGTERM")?,
            )
        };
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = ctrl_c.recv() => {}
                        _ = terminate.recv() => {}
                    }
                });
                flag.0.store(true, Ordering::Relaxed);
            })
            .context("can't start a thread")?;
        Ok(interrupt)
    }

    /// Whether to go on.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
