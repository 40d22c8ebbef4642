//! The settings of notifications: their names are Bitcoin Core's.

use clap::Args;
use serde::Deserialize;

use super::{in_range, non_empty_or};
use crate::NodeError;
use crate::notifications::{
    NotificationConfig, NotifyCommands, PublisherConfig, Topic, ZmqAddress,
};

/// Messages that wait for a subscriber when nothing else is said, as in Bitcoin Core.
const DEFAULT_HIGH_WATER_MARK: usize = 1_000;

/// The most that may wait, and what 0 stands for.
const MAX_HIGH_WATER_MARK: usize = 1_000_000;

/// Whom to tell what happens. Every one is a flag, an environment variable and a key of the configuration file.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct NotificationOptions {
    /// Publish the hash of each new tip over ZMQ at this address, such as tcp://127.0.0.1:28332 or ipc:///path; may be
    /// given several times
    #[arg(
        long,
        value_name = "ADDR",
        env = "PYRITE_ZMQPUBHASHBLOCK",
        value_delimiter = ','
    )]
    pub zmqpubhashblock: Vec<String>,
    /// Publish the id of each transaction that comes to the mempool or is in a block that is connected or disconnected
    #[arg(
        long,
        value_name = "ADDR",
        env = "PYRITE_ZMQPUBHASHTX",
        value_delimiter = ','
    )]
    pub zmqpubhashtx: Vec<String>,
    /// Publish each new tip's block
    #[arg(
        long,
        value_name = "ADDR",
        env = "PYRITE_ZMQPUBRAWBLOCK",
        value_delimiter = ','
    )]
    pub zmqpubrawblock: Vec<String>,
    /// Publish the transactions whose ids --zmqpubhashtx tells
    #[arg(
        long,
        value_name = "ADDR",
        env = "PYRITE_ZMQPUBRAWTX",
        value_delimiter = ','
    )]
    pub zmqpubrawtx: Vec<String>,
    /// Publish which blocks are connected and disconnected, and what comes to the mempool and leaves it
    #[arg(
        long,
        value_name = "ADDR",
        env = "PYRITE_ZMQPUBSEQUENCE",
        value_delimiter = ','
    )]
    pub zmqpubsequence: Vec<String>,
    /// Messages that wait for a subscriber of hashblock before new ones are left out for it; 0 for the most [default: 1000]
    #[arg(long, value_name = "N", env = "PYRITE_ZMQPUBHASHBLOCKHWM")]
    pub zmqpubhashblockhwm: Option<usize>,
    /// The same for hashtx [default: 1000]
    #[arg(long, value_name = "N", env = "PYRITE_ZMQPUBHASHTXHWM")]
    pub zmqpubhashtxhwm: Option<usize>,
    /// The same for rawblock [default: 1000]
    #[arg(long, value_name = "N", env = "PYRITE_ZMQPUBRAWBLOCKHWM")]
    pub zmqpubrawblockhwm: Option<usize>,
    /// The same for rawtx [default: 1000]
    #[arg(long, value_name = "N", env = "PYRITE_ZMQPUBRAWTXHWM")]
    pub zmqpubrawtxhwm: Option<usize>,
    /// The same for sequence [default: 1000]
    #[arg(long, value_name = "N", env = "PYRITE_ZMQPUBSEQUENCEHWM")]
    pub zmqpubsequencehwm: Option<usize>,
    /// Run this command at each new tip; %s in it becomes the block's hash
    #[arg(long, value_name = "CMD", env = "PYRITE_BLOCKNOTIFY")]
    pub blocknotify: Option<String>,
    /// Run this command when the node can't go on; %s in it becomes the reason
    #[arg(long, value_name = "CMD", env = "PYRITE_ALERTNOTIFY")]
    pub alertnotify: Option<String>,
    /// Run this command when the node has started
    #[arg(long, value_name = "CMD", env = "PYRITE_STARTUPNOTIFY")]
    pub startupnotify: Option<String>,
    /// Run this command when the node begins to stop, and wait for it; may be given several times
    #[arg(long, value_name = "CMD", env = "PYRITE_SHUTDOWNNOTIFY")]
    pub shutdownnotify: Vec<String>,
}

impl NotificationOptions {
    /// Fills in defaults and checks all.
    ///
    /// # Errors
    /// The first setting that is wrong, by its name.
    pub fn resolve(&self) -> Result<NotificationConfig, NodeError> {
        let mut publishers: Vec<PublisherConfig> = Vec::new();
        for topic in Topic::ALL {
            let (addresses, mark) = self.of_topic(topic);
            let mark = mark.unwrap_or(DEFAULT_HIGH_WATER_MARK);
            let mark = match in_range(high_water_mark_option(topic), mark, 0, MAX_HIGH_WATER_MARK)?
            {
                0 => MAX_HIGH_WATER_MARK,
                mark => mark,
            };
            for text in addresses {
                let address: ZmqAddress = text.parse().map_err(|error| NodeError::Setting {
                    setting: topic.option(),
                    detail: format!("{text} is {error}"),
                })?;
                let known = publishers.iter_mut().find(|known| known.address == address);
                match known {
                    // Twice the same is once.
                    Some(known) if known.topics.iter().any(|(own, _)| *own == topic) => {}
                    Some(known) => known.topics.push((topic, mark)),
                    None => publishers.push(PublisherConfig {
                        address,
                        text: text.replacen("unix:", "ipc://", 1),
                        topics: vec![(topic, mark)],
                    }),
                }
            }
        }
        Ok(NotificationConfig {
            publishers,
            commands: NotifyCommands {
                block: self.blocknotify.clone(),
                alert: self.alertnotify.clone(),
                startup: self.startupnotify.clone(),
                shutdown: self.shutdownnotify.clone(),
            },
        })
    }

    fn of_topic(&self, topic: Topic) -> (&[String], Option<usize>) {
        match topic {
            Topic::HashBlock => (&self.zmqpubhashblock, self.zmqpubhashblockhwm),
            Topic::HashTx => (&self.zmqpubhashtx, self.zmqpubhashtxhwm),
            Topic::RawBlock => (&self.zmqpubrawblock, self.zmqpubrawblockhwm),
            Topic::RawTx => (&self.zmqpubrawtx, self.zmqpubrawtxhwm),
            Topic::Sequence => (&self.zmqpubsequence, self.zmqpubsequencehwm),
        }
    }

    /// These settings, and where they are silent, the other's.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            zmqpubhashblock: non_empty_or(self.zmqpubhashblock, other.zmqpubhashblock),
            zmqpubhashtx: non_empty_or(self.zmqpubhashtx, other.zmqpubhashtx),
            zmqpubrawblock: non_empty_or(self.zmqpubrawblock, other.zmqpubrawblock),
            zmqpubrawtx: non_empty_or(self.zmqpubrawtx, other.zmqpubrawtx),
            zmqpubsequence: non_empty_or(self.zmqpubsequence, other.zmqpubsequence),
            zmqpubhashblockhwm: self.zmqpubhashblockhwm.or(other.zmqpubhashblockhwm),
            zmqpubhashtxhwm: self.zmqpubhashtxhwm.or(other.zmqpubhashtxhwm),
            zmqpubrawblockhwm: self.zmqpubrawblockhwm.or(other.zmqpubrawblockhwm),
            zmqpubrawtxhwm: self.zmqpubrawtxhwm.or(other.zmqpubrawtxhwm),
            zmqpubsequencehwm: self.zmqpubsequencehwm.or(other.zmqpubsequencehwm),
            blocknotify: self.blocknotify.or(other.blocknotify),
            alertnotify: self.alertnotify.or(other.alertnotify),
            startupnotify: self.startupnotify.or(other.startupnotify),
            shutdownnotify: non_empty_or(self.shutdownnotify, other.shutdownnotify),
        }
    }
}

fn high_water_mark_option(topic: Topic) -> &'static str {
    match topic {
        Topic::HashBlock => "zmqpubhashblockhwm",
        Topic::HashTx => "zmqpubhashtxhwm",
        Topic::RawBlock => "zmqpubrawblockhwm",
        Topic::RawTx => "zmqpubrawtxhwm",
        Topic::Sequence => "zmqpubsequencehwm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_one_address_have_one_publisher() {
        let options = NotificationOptions {
            zmqpubrawtx: vec!["tcp://127.0.0.1:1".to_owned(), "unix:/x".to_owned()],
            zmqpubhashblock: vec!["tcp://127.0.0.1:1".to_owned(); 2],
            zmqpubrawtxhwm: Some(7),
            zmqpubhashblockhwm: Some(0),
            ..NotificationOptions::default()
        };
        let config = options.resolve().unwrap();
        let [tcp, ipc] = &config.publishers[..] else {
            panic!("{config:?}");
        };
        assert_eq!(
            tcp.topics,
            [(Topic::HashBlock, MAX_HIGH_WATER_MARK), (Topic::RawTx, 7)]
        );
        assert_eq!(tcp.text, "tcp://127.0.0.1:1");
        assert_eq!(ipc.topics, [(Topic::RawTx, 7)]);
        assert_eq!(ipc.text, "ipc:///x");
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let wrong = |options: NotificationOptions| options.resolve().unwrap_err().to_string();
        let address = NotificationOptions {
            zmqpubsequence: vec!["127.0.0.1:1".to_owned()],
            ..NotificationOptions::default()
        };
        let message = wrong(address);
        assert!(
            message.starts_with("zmqpubsequence: 127.0.0.1:1 is not an address"),
            "{message}"
        );
        let mark = NotificationOptions {
            zmqpubhashtxhwm: Some(MAX_HIGH_WATER_MARK + 1),
            ..NotificationOptions::default()
        };
        let message = wrong(mark);
        assert_eq!(
            message,
            "zmqpubhashtxhwm: 1000001 is not between 0 and 1000000"
        );
    }
}
