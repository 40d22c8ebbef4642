//! `pyrite mine`: the miner apart from the node, over `getblocktemplate` and `submitblock`.

mod backoff;
mod command;
mod event;
mod json;
mod link;
mod offer;
mod remote_work;
mod screen;
mod server;
mod stop;
mod submission;
mod trouble;
mod view;

pub(crate) use command::{MineArgs, run};
