//! The REST interface of Bitcoin Core, under `/rest/` on the RPC server's port: what is public anyway, without
//! authentication, as bytes, hex or JSON. What it shows as JSON comes from the methods of the same name.

mod answer;
mod answer_memory;
mod blocks;
mod coins;
mod filters;
mod headers;
mod mempool;
mod request;
mod routes;
mod service;
mod transactions;

pub use service::RestMode;
pub(crate) use service::{Rest, starting};
