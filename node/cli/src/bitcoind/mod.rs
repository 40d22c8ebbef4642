//! `pyrite bitcoind`, and the program under the name `bitcoind`: Bitcoin Core's flags, configuration files, data directory
//! and start-up errors around this node, for programs that start a `bitcoind` of their own.

mod addresses;
mod amount;
mod chain;
mod config_file;
mod daemon;
mod directory;
mod documentation;
mod flags;
mod logging;
mod mapping;
mod run;
mod settings;
mod user_agent;

pub(crate) use run::{is_asked_for, run};
