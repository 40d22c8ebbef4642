//! `pyrite chain new`: a spec of one's own.

mod answers;
mod build;
mod command;
mod fields;

pub(super) use command::{NewArgs, new};
