//! The dialects of JSON-RPC that Bitcoin clients speak, over jsonrpsee's methods.
//!
//! jsonrpsee alone serves strict JSON-RPC 2.0. Here a body becomes requests of either age, each is
//! carried out with positional parameters, and the outcomes become a body again, with the caller's
//! own id and the HTTP status that Bitcoin Core would answer with.

mod active;
mod dispatch;
mod json_text;
mod members;
mod reply;
mod request;
mod under_way;

pub(crate) use active::ActiveCalls;
pub(crate) use dispatch::{Dispatcher, Endpoint, read_json};
pub(crate) use json_text::{JsonText, ReadyResult};
pub(crate) use reply::Reply;
pub(crate) use under_way::UnderWay;
