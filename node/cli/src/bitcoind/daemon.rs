//! The background: the program starts itself again, without a terminal, and may wait until that is ready.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::setsid;

/// Tells the program that it is the one in the background.
const MARK: &str = "PYRITE_BITCOIND_IN_BACKGROUND";
/// What the one in the background says when it is ready.
const READY: &str = "ready";

/// Whether the program was started to be in the background.
pub(crate) fn is_background() -> bool {
    std::env::var_os(MARK).is_some()
}

/// When to leave the node that was started in the background to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// At once.
    Started,
    /// When it serves JSON-RPC.
    Ready,
}

/// Starts the program again with the same arguments.
///
/// # Errors
/// It can't be started; it ended before it was ready, as its log says.
pub(crate) fn start(arguments: &[String], until: Until) -> Result<()> {
    println!("Pyrite starting");
    let program = std::env::current_exe().context("can't find this program")?;
    let mut child = Command::new(program)
        .arg("bitcoind")
        .args(arguments)
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("can't start in the background")?;
    if until == Until::Started {
        return Ok(());
    }
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        // Nothing comes when it ended before it was ready.
        BufReader::new(output).read_line(&mut line)?;
    }
    if line.trim_end() != READY {
        bail!("Error during initialization - check debug.log for details");
    }
    Ok(())
}

/// Leaves the terminal.
pub(crate) fn detach() {
    // It fails only for the leader of a group, which has no terminal's session to leave.
    if let Err(error) = setsid() {
        tracing::debug!(%error, "no session of its own");
    }
}

/// Tells who waits that the node is ready.
pub(crate) fn tell_ready() {
    // Nobody may be waiting.
    let _ = writeln!(std::io::stdout(), "{READY}");
}
