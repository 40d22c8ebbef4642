//! `pyrite chain simulate`: a spec's difficulty algorithm against a hash power that changes.

mod command;
mod plot;
mod profile;
mod random;
mod report;
mod run;

pub(super) use command::{SimulateArgs, simulate};
