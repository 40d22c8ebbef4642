//! What to publish where, and which commands to run.

use super::{Topic, ZmqAddress};

/// What to publish where, and which commands to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationConfig {
    /// One publisher for each address.
    pub publishers: Vec<PublisherConfig>,
    /// Commands for the shell.
    pub commands: NotifyCommands,
}

/// A publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherConfig {
    /// Where it listens.
    pub address: ZmqAddress,
    /// The address as it was given.
    pub text: String,
    /// Its topics, and how many messages wait for each subscriber before new ones are left out for it.
    pub topics: Vec<(Topic, usize)>,
}

/// Commands for the shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyCommands {
    /// Run at each new tip, whose hash takes the place of `%s`.
    pub block: Option<String>,
    /// Run when something is wrong, which takes the place of `%s`.
    pub alert: Option<String>,
    /// Run when the node has started.
    pub startup: Option<String>,
    /// Run when the node stops, which waits for them.
    pub shutdown: Vec<String>,
}
