//! What is logged and where, by Bitcoin Core's flags.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use pyrite_node::{Console, DebugLogConfig, LongFile};

use super::settings::Settings;

/// Bitcoin Core's categories, and the modules here that log what belongs to them. Those without any are known, too.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("addrman", &["pyrite_network::peer_book"]),
    ("bench", &[]),
    ("blockstorage", &["pyrite_storage"]),
    ("cmpctblock", &[]),
    ("coindb", &["pyrite_chain::coins", "pyrite_storage"]),
    ("estimatefee", &["pyrite_mempool::fees"]),
    ("http", &["pyrite_rpc"]),
    ("i2p", &[]),
    ("ipc", &[]),
    ("kernel", &["pyrite_chain"]),
    ("leveldb", &[]),
    ("libevent", &[]),
    ("lock", &[]),
    ("mempool", &["pyrite_mempool"]),
    ("mempoolrej", &["pyrite_mempool", "pyrite_node::relay"]),
    ("net", &["pyrite_network"]),
    ("privatebroadcast", &[]),
    ("proxy", &[]),
    ("prune", &["pyrite_node::pruner", "pyrite_chain::pruning"]),
    ("qt", &[]),
    ("rand", &[]),
    ("reindex", &["pyrite_node::reindex"]),
    ("rpc", &["pyrite_rpc"]),
    ("scan", &["pyrite_rpc", "pyrite_wallet"]),
    ("selectcoins", &["pyrite_wallet"]),
    ("tor", &[]),
    (
        "txpackages",
        &["pyrite_node::relay", "pyrite_mempool::orphans"],
    ),
    ("txreconciliation", &[]),
    ("validation", &["pyrite_chain"]),
    ("walletdb", &["pyrite_wallet"]),
    ("zmq", &["pyrite_node::notifications"]),
];

/// Our crates, for `-debug` without a category.
const CRATES: &[&str] = &[
    "pyrite_chain",
    "pyrite_index",
    "pyrite_mempool",
    "pyrite_miner",
    "pyrite_network",
    "pyrite_node",
    "pyrite_rpc",
    "pyrite_storage",
    "pyrite_wallet",
];

/// Levels of `-loglevel`.
const LEVELS: [&str; 5] = ["trace", "debug", "info", "warning", "error"];

/// The log file, which a setting may turn off; a relative path is the chain directory's.
pub(crate) fn log_file(settings: &Settings, chain: &Path) -> PathBuf {
    let named = settings.text("debuglogfile");
    let named = named.filter(|name| !name.is_empty());
    chain.join(named.as_deref().unwrap_or("debug.log"))
}

/// Where the log goes and what is in it; relative paths are the chain directory's.
///
/// # Errors
/// Bitcoin Core's: an unknown category or level.
pub(crate) fn log_config(settings: &Settings, chain: &Path) -> Result<DebugLogConfig> {
    let categories = categories(settings)?;
    let file = (!settings.is_negated("debuglogfile")).then(|| log_file(settings, chain));
    let shrink = settings.switch("shrinkdebugfile");
    let in_background = ["daemon", "daemonwait"]
        .iter()
        .any(|name| settings.switch(name).unwrap_or(false));
    let to_console = settings.switch("printtoconsole").unwrap_or(!in_background);
    Ok(DebugLogConfig {
        file,
        long_file: if shrink.unwrap_or(categories.is_empty()) {
            LongFile::Cut
        } else {
            LongFile::Keep
        },
        console: if to_console {
            Console::On
        } else {
            Console::Off
        },
        filter: filter(settings, &categories)?,
    })
}

/// The categories that are logged; an empty name stands for all.
fn categories(settings: &Settings) -> Result<Vec<String>> {
    let mut chosen = settings.list("debug");
    let off = chosen
        .iter()
        .rposition(|category| category == "0" || category == "none");
    chosen.drain(..off.map_or(0, |position| position + 1));
    for category in &mut chosen {
        if category == "1" || category == "all" {
            category.clear();
        } else if !category.is_empty() && modules(category).is_none() {
            bail!("Unsupported logging category -debug={category}.");
        }
    }
    Ok(chosen)
}

fn modules(category: &str) -> Option<&'static [&'static str]> {
    let found = CATEGORIES.iter().find(|(name, _)| *name == category);
    found.map(|(_, modules)| *modules)
}

/// The filter of the log: what is said first is overruled by what is more exact.
fn filter(settings: &Settings, categories: &[String]) -> Result<String> {
    let level = match level(settings)? {
        Level::Trace => "trace",
        Level::Debug => "debug",
    };
    let mut directives = vec!["info".to_owned()];
    let mut add = |module: &str, level: &str| directives.push(format!("{module}={level}"));
    for category in categories {
        let chosen = if category.is_empty() {
            CRATES
        } else {
            modules(category).unwrap_or_default()
        };
        for module in chosen {
            add(module, level);
        }
    }
    for category in settings.list("debugexclude") {
        let Some(modules) = modules(&category) else {
            bail!("Unsupported logging category -debugexclude={category}.");
        };
        for module in modules {
            add(module, "info");
        }
    }
    Ok(directives.join(","))
}

/// How much of a category is logged.
enum Level {
    Trace,
    Debug,
}

fn level(settings: &Settings) -> Result<Level> {
    let mut level = Level::Debug;
    for text in settings.list("loglevel") {
        match text.split_once(':') {
            None if LEVELS.contains(&text.as_str()) => {
                level = if text == "trace" {
                    Level::Trace
                } else {
                    Level::Debug
                };
            }
            None => bail!(
                "Unsupported global logging level -loglevel={text}. Valid values: info, debug, trace."
            ),
            Some((category, own)) if modules(category).is_some() && LEVELS.contains(&own) => {}
            Some(_) => bail!(
                "Unsupported category-specific logging level -loglevel={text}. Expected -loglevel=<category>:<loglevel>. \
                 Valid categories: {}. Valid loglevels: info, debug, trace.",
                CATEGORIES
                    .iter()
                    .map(|(name, _)| *name)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }
    Ok(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<DebugLogConfig> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        log_config(&Settings::parse(&arguments).unwrap(), Path::new("/d"))
    }

    #[test]
    fn categories_are_our_modules() {
        let filter = |arguments: &[&str]| config(arguments).unwrap().filter;
        assert_eq!(filter(&[]), "info");
        assert_eq!(filter(&["-debug=net"]), "info,pyrite_network=debug");
        assert_eq!(filter(&["-debug=net", "-debug=0"]), "info");
        assert_eq!(
            filter(&["-debug=net", "-debug=none", "-debug=rpc"]),
            "info,pyrite_rpc=debug"
        );
        let all = filter(&["-debug", "-debugexclude=net", "-loglevel=trace"]);
        assert!(all.contains("pyrite_chain=trace"), "{all}");
        assert!(all.ends_with("pyrite_network=info"), "{all}");
        assert_eq!(filter(&["-debug=libevent"]), "info");
    }

    #[test]
    fn the_file_and_the_console_can_be_off() {
        let usual = config(&[]).unwrap();
        assert_eq!(usual.file.as_deref(), Some(Path::new("/d/debug.log")));
        assert_eq!(
            (usual.console, usual.long_file),
            (Console::On, LongFile::Cut)
        );
        let config_of = |arguments: &[&str]| config(arguments).unwrap();
        assert_eq!(config_of(&["-nodebuglogfile"]).file, None);
        let elsewhere = config_of(&["-debuglogfile=x.log", "-debug=net"]);
        assert_eq!(elsewhere.file.as_deref(), Some(Path::new("/d/x.log")));
        assert_eq!(elsewhere.long_file, LongFile::Keep);
        assert_eq!(config_of(&["-daemon"]).console, Console::Off);
        assert_eq!(config_of(&["-printtoconsole=0"]).console, Console::Off);
    }

    #[test]
    fn what_is_unknown_is_named() {
        for (argument, error) in [
            ("-debug=foo", "Unsupported logging category -debug=foo."),
            (
                "-debugexclude=foo",
                "Unsupported logging category -debugexclude=foo.",
            ),
            (
                "-loglevel=loud",
                "Unsupported global logging level -loglevel=loud. Valid values: info, debug, trace.",
            ),
        ] {
            assert_eq!(config(&[argument]).unwrap_err().to_string(), error);
        }
    }
}
