//! Tells other programs what happens: ZMQ publishers of blocks and transactions, with Bitcoin Core's topics and
//! messages, and commands that are run at events.

mod address;
mod command;
mod config;
mod follower;
mod publisher;
mod service;
mod subscriber;
#[cfg(test)]
mod test_subscriber;
mod topic;
mod zmtp;

pub use address::ZmqAddress;
pub use config::{NotificationConfig, NotifyCommands, PublisherConfig};
pub(crate) use service::Notifications;
pub use topic::Topic;
