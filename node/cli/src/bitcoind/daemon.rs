//! The background: the program starts itself again, without a terminal, and may wait until that is ready.
//!
//! The two are connected by a socket that the one in the background has as its standard input: what it runs itself never
//! inherits that, so nobody else can say that it is ready.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::setsid;

use super::run::NAME;

/// The first argument of the one in the background.
const MARK: &str = "-in-background";
/// What the one in the background says when it is ready.
const READY: &str = "ready";

/// Where the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where it was started.
    Foreground,
    /// In the background, where the program put itself.
    Background,
}

/// Where the program is, and the arguments that it was given.
pub(crate) fn place(arguments: &[String]) -> (Place, &[String]) {
    match arguments.split_first() {
        Some((first, rest)) if first == MARK => (Place::Background, rest),
        _ => (Place::Foreground, arguments),
    }
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
    let (own, its) = UnixStream::pair().context("can't start in the background")?;
    // Whatever the file's name is, and whether this is it: by its own name it is what it is now.
    Command::new(program)
        .arg0(NAME)
        .arg(MARK)
        .args(arguments)
        .stdin(Stdio::from(OwnedFd::from(its)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("can't start in the background")?;
    if until == Until::Started {
        return Ok(());
    }
    let mut line = String::new();
    // Nothing comes when it ended before it was ready.
    BufReader::new(own).read_line(&mut line)?;
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
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    // Nobody may be waiting.
    let _ = input.and_then(|input| writeln!(UnixStream::from(input), "{READY}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_in_the_background_is_told_by_its_first_argument() {
        let arguments = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (given, marked) = (arguments(&["-daemon"]), arguments(&[MARK, "-daemon"]));
        assert_eq!(place(&given), (Place::Foreground, given.as_slice()));
        assert_eq!(place(&marked), (Place::Background, given.as_slice()));
        assert_eq!(place(&[]), (Place::Foreground, &[][..]));
    }
}
