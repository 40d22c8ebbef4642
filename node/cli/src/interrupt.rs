//! Ctrl-C and SIGTERM for commands that do long work: they end it at the next good place, and a second one at once.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a program that a signal ended, as shells tell it.
const EXIT_BY_SIGNAL: i32 = 130;

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
                let mut wait = || {
                    runtime.block_on(async {
                        tokio::select! {
                            _ = ctrl_c.recv() => {}
                            _ = terminate.recv() => {}
                        }
                    });
                };
                wait();
                flag.0.store(true, Ordering::Relaxed);
                wait();
                std::process::exit(EXIT_BY_SIGNAL);
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
