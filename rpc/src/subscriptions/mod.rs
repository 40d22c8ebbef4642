//! Subscriptions over WebSockets: blocks, transactions, the mempool and mining, each event with a cursor from which a client that
//! was away goes on. A session keeps the cursor that it has told and asks the node for what comes next, a few events at a time, so
//! that a slow client costs no more than a fast one.

mod cursor;
mod feed;
mod messages;
mod session;

pub(crate) use feed::Feed;
pub(crate) use session::{may_subscribe, upgrade};

#[cfg(test)]
mod fuzz;
