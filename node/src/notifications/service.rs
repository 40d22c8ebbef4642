//! The notifications of a node: started, told what only the node knows, and stopped.

use std::sync::Arc;
use std::time::Duration;

use pyrite_chain::{ChainReader, Clock};
use pyrite_mempool::MempoolHandle;
use pyrite_rpc::ZmqNotification;
use tokio::task::JoinHandle;

use super::command::{CommandRunner, execute, quoted};
use super::follower::{Audience, Follower};
use super::publisher::Publisher;
use super::{NotificationConfig, Topic};
use crate::NodeError;

/// How long a node that stops waits for the commands that it runs then.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(60);

/// The notifications of a node. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Notifications {
    config: Arc<NotificationConfig>,
    audience: Arc<Audience>,
}

impl Notifications {
    /// Starts the publishers.
    ///
    /// # Errors
    /// One of them can't listen.
    pub(crate) async fn start(config: NotificationConfig) -> Result<Self, NodeError> {
        let mut publishers = Vec::with_capacity(config.publishers.len());
        for publisher in &config.publishers {
            publishers.push(Publisher::start(publisher).await?);
        }
        let audience = Audience {
            publishers,
            runner: CommandRunner::start(),
            block_command: config.commands.block.clone(),
        };
        Ok(Self {
            config: Arc::new(config),
            audience: Arc::new(audience),
        })
    }

    /// Tells of blocks and transactions from now on, if somebody is to be told.
    pub(crate) fn follow(
        &self,
        reader: &ChainReader,
        mempool: &MempoolHandle,
        clock: Clock,
    ) -> Option<JoinHandle<()>> {
        if self.audience.publishers.is_empty() && self.audience.block_command.is_none() {
            return None;
        }
        let audience = Arc::clone(&self.audience);
        let follower = Follower::new(reader.clone(), mempool.clone(), audience, clock);
        Some(tokio::spawn(follower.run()))
    }

    /// What is published where, in the order of `getzmqnotifications`.
    pub(crate) fn published(&self) -> Vec<ZmqNotification> {
        let of_topic = |topic: Topic| {
            self.config.publishers.iter().flat_map(move |publisher| {
                let own = publisher
                    .topics
                    .iter()
                    .filter(move |(own, _)| *own == topic);
                own.map(move |(_, mark)| ZmqNotification {
                    kind: format!("pub{}", topic.name()),
                    address: publisher.text.clone(),
                    high_water_mark: *mark,
                })
            })
        };
        Topic::ALL.into_iter().flat_map(of_topic).collect()
    }

    /// The node has started.
    pub(crate) fn started(&self) {
        if let Some(command) = &self.config.commands.startup {
            self.audience.runner.run(command.clone());
        }
    }

    /// Something is wrong.
    pub(crate) fn alert(&self, message: &str) {
        if let Some(command) = &self.config.commands.alert {
            let command = command.replace("%s", &quoted(message));
            self.audience.runner.run(command);
        }
    }

    /// The node is about to stop: runs the commands for that, all at once, and waits for them.
    pub(crate) async fn stopping(&self) {
        let mut running = tokio::task::JoinSet::new();
        for command in &self.config.commands.shutdown {
            let command = command.clone();
            running.spawn(async move { execute(&command).await });
        }
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_LIMIT, all).await.is_err() {
            tracing::warn!("a command of --shutdownnotify takes too long: it is left behind");
        }
    }
}
