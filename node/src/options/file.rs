//! The configuration file: TOML whose keys are the flags' names.

use std::path::Path;

use clap::Args;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::{MiningOptions, NodeOptions, NotificationOptions};
use crate::NodeError;

/// A configuration or chain spec file is a page of text; this is far above any real one.
const MAX_TEXT_FILE_BYTES: u64 = 16 << 20;

pub(super) fn read_config_file(path: &Path) -> Result<NodeOptions, NodeError> {
    let text = read_text(path).map_err(|source| NodeError::ConfigFile {
        path: path.to_owned(),
        source,
    })?;
    parse_config(path, &text)
}

impl NodeOptions {
    /// The settings of a configuration file's text; `path` is what errors call it.
    ///
    /// # Errors
    /// [`NodeError::ConfigSyntax`] with the line: bad TOML, an unknown key, a wrong type.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, NodeError> {
        parse_config(path, text)
    }
}

pub(super) fn parse_config(path: &Path, text: &str) -> Result<NodeOptions, NodeError> {
    parse(text).map_err(|error| {
        let line = error.span().map(|span| {
            text.bytes()
                .take(span.start)
                .filter(|byte| *byte == b'\n')
                .count()
                + 1
        });
        let at = line.map_or(String::new(), |line| format!("line {line}: "));
        NodeError::ConfigSyntax {
            path: path.to_owned(),
            detail: format!("{at}{}", error.message().trim().replace('\n', " ")),
        }
    })
}

/// Some keys are flags of a group. serde can't flatten a group without forgetting what unknown keys and wrong lines are, so they are
/// sorted out before.
fn parse(text: &str) -> Result<NodeOptions, toml::de::Error> {
    let table = DeTable::parse(text)?;
    let span = table.span();
    let is_flag_of = |group: &clap::Command, key: &str| {
        group
            .get_arguments()
            .any(|flag| flag.get_long() == Some(key))
    };
    let of_mining = MiningOptions::augment_args(clap::Command::new("mining"));
    let of_notifications = NotificationOptions::augment_args(clap::Command::new("notifications"));
    let [mut mining, mut notifications, mut others] = std::array::from_fn(|_| DeTable::new());
    for (key, value) in table.into_inner() {
        let keys = if is_flag_of(&of_mining, key.get_ref()) {
            &mut mining
        } else if is_flag_of(&of_notifications, key.get_ref()) {
            &mut notifications
        } else {
            &mut others
        };
        keys.insert(key, value);
    }
    let read = |keys| Deserializer::from(Spanned::new(span.clone(), keys));
    let (mining, notifications, others) = (read(mining), read(notifications), read(others));
    Ok(NodeOptions {
        mining: MiningOptions::deserialize(mining)?,
        notifications: NotificationOptions::deserialize(notifications)?,
        ..NodeOptions::deserialize(others)?
    })
}

/// Reads a text file of bounded size.
pub(super) fn read_text(path: &Path) -> std::io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > MAX_TEXT_FILE_BYTES {
        return Err(std::io::Error::other(format!(
            "{size} bytes, where {MAX_TEXT_FILE_BYTES} is the most"
        )));
    }
    std::fs::read_to_string(path)
}
