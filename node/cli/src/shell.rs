//! `pyrite completions` and `pyrite man`: what shells and `man` know of this program, made of the same definitions as its help.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;

/// Arguments of `pyrite completions`.
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Arguments of `pyrite man`.
#[derive(Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages, which is made where it is missing
    dir: PathBuf,
}

/// Prints a completion script. Whoever reads it may have read enough before its end.
pub(crate) fn completions(args: &CompletionsArgs, mut program: Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "pyrite", &mut script);
    match std::io::stdout().write_all(&script) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Writes a page for the program and for each of its commands.
pub(crate) fn man(args: &ManArgs, program: Command) -> Result<()> {
    let place = || args.dir.display().to_string();
    std::fs::create_dir_all(&args.dir).with_context(place)?;
    clap_mangen::generate_to(program, &args.dir).with_context(place)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    #[test]
    fn every_command_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        let dir = directory.path().join("man1");
        man(&ManArgs { dir: dir.clone() }, Cli::command()).unwrap();
        for page in [
            "pyrite.1",
            "pyrite-node.1",
            "pyrite-rpc.1",
            "pyrite-testnet-up.1",
        ] {
            let text = std::fs::read_to_string(dir.join(page)).unwrap();
            assert!(text.starts_with(".ie"), "{page}: {text}");
        }
    }

    #[test]
    fn every_shell_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pyrite", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(
                script.contains("rpc-bind") && script.contains("testnet"),
                "{shell}"
            );
        }
    }
}
