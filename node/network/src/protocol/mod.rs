//! What goes over the wire: names of protocols, requests and responses, gossip.

pub(crate) mod codec;
pub(crate) mod gossip;
pub(crate) mod message;
pub(crate) mod names;
