//! `pyrite bench template`: how soon there is a block template after a change of a large mempool, when nothing
//! changed, and after a new tip.

mod client;
mod command;
mod figures;
mod measure;
mod payments;

pub(crate) use command::{TemplateArgs, run};
