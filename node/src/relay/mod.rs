//! Transactions from peers: taken, kept until their parents come, or judged with the child that pays for them.

mod door;
mod follow;
#[cfg(test)]
mod tests;

pub(crate) use door::{Relay, RelayEvent};
pub(crate) use follow::RelayFollower;
