//! The help, the version, and the page of the documentation, all made from the table of flags.

use std::fmt::Write;

use super::flags::{self, Fate, Flag, Group};
use super::user_agent::CORE_VERSION;

/// Columns of the help.
const WIDTH: usize = 79;
const INDENT: usize = 7;

/// What `-version` prints.
pub(crate) fn version() -> String {
    format!(
        "Pyrite daemon version v{CORE_VERSION} bitcoind\n\
         Pyrite {} with the flags, files and methods of Bitcoin Core {CORE_VERSION}'s bitcoind.\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// What `-help` prints.
pub(crate) fn help() -> String {
    let mut text = version();
    text.push_str(
        "\nThis node takes the place of Bitcoin Core's bitcoind for programs that start one: wallets, libraries and\n\
         their tests. It keeps its own data and speaks its own protocol to peers, which are nodes of its kind.\n\n\
         Usage: bitcoind [options]\n\n",
    );
    for group in Group::SHOWN {
        let _ = write!(text, "{}:\n\n", group.title());
        for flag in flags::all().filter(|flag| flag.group == group) {
            let _ = writeln!(text, "  -{}{}", flag.name, flag.value);
            for line in wrapped(&described(flag)) {
                let _ = writeln!(text, "{:INDENT$}{line}", "");
            }
            text.push('\n');
        }
    }
    text
}

fn described(flag: &Flag) -> String {
    match flag.fate {
        Fate::Works(text) => text.to_owned(),
        Fate::Ignored(reason) => format!("Accepted, without a meaning here: {reason}"),
        Fate::Refused(reason) => format!("Refused: {reason}"),
    }
}

/// Lines that fit the help.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH - INDENT => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `docs/bitcoind-flags.md`.
#[cfg(test)]
fn page() -> String {
    let mut text = format!(
        "# Flags of `pyrite bitcoind`\n\n\
         `pyrite bitcoind`, or the program under the name `bitcoind`, knows every flag of Bitcoin Core {CORE_VERSION}'s \
         `bitcoind`, on the\n\
         command line and in `bitcoin.conf`. This page says what becomes of each. It is made from the program's own table;\n\
         a flag that is not here is an error, as there.\n"
    );
    for group in Group::SHOWN.into_iter().chain([Group::Hidden]) {
        let _ = write!(
            text,
            "\n## {}\n\n| flag | here | |\n| --- | --- | --- |\n",
            group.title()
        );
        let mut flags: Vec<&Flag> = flags::all().filter(|flag| flag.group == group).collect();
        flags.sort_by_key(|flag| flag.name);
        for flag in flags {
            let (state, reason) = match flag.fate {
                Fate::Works(text) => ("works", text),
                Fate::Ignored(reason) => ("no meaning", reason),
                Fate::Refused(reason) => ("refused", reason),
            };
            let name = format!("-{}{}", flag.name, flag.value).replace('|', "\\|");
            let _ = writeln!(text, "| `{name}` | {state} | {reason} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bitcoind-flags.md");

    /// With `PYRITE_WRITE_DOCS` set, the page is written instead.
    #[test]
    fn the_page_is_the_tables() {
        if std::env::var_os("PYRITE_WRITE_DOCS").is_some() {
            std::fs::write(PAGE, page()).unwrap();
        }
        let found = std::fs::read_to_string(PAGE).unwrap();
        assert!(
            found == page(),
            "docs/bitcoind-flags.md is not the table's: run this test with PYRITE_WRITE_DOCS=1"
        );
    }

    #[test]
    fn every_flag_is_there_once() {
        let mut names = BTreeSet::new();
        for flag in flags::all() {
            assert!(names.insert(flag.name), "-{} twice", flag.name);
            assert!(
                !flag.name.starts_with('-') && !flag.name.starts_with("no"),
                "{}",
                flag.name
            );
        }
        assert!(names.len() > 180, "{}", names.len());
    }

    #[test]
    fn the_help_fits_a_terminal() {
        for line in help().lines().skip(8) {
            assert!(line.len() <= WIDTH || !line.contains("  "), "{line}");
        }
        assert!(help().contains("\n  -regtest\n       The regtest chain"));
    }
}
