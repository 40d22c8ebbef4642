//! `pyrite mining`: what mining brought in and what it cost.
//!
//! `report` puts it together: `block_state` asks the chain which blocks stayed in it, `account` sums up, `calendar`,
//! `decimal` and `prices` are what it sums up with, and `sheet` prints.

mod account;
mod block_sheet;
mod block_state;
mod calendar;
mod command;
mod decimal;
mod period_sheet;
mod prices;
mod report;
mod sheet;

pub(crate) use command::{MiningCommand, run};
