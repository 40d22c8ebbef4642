//! Block templates: which transactions, in which order, and the block around them.

mod arrangement;
mod block_template;
mod build;
mod extranonce;
mod merkle;
mod offer;
mod selection;
#[cfg(test)]
mod selection_tests;
#[cfg(test)]
mod tests;

pub use block_template::{Template, TemplateTransaction};
pub use build::{
    Candidate, CandidateChunk, TemplateOptions, TemplateTip, build_template, build_template_with,
};
pub use extranonce::Extranonce;
pub use merkle::{coinbase_branch, root_from_branch};
pub use offer::{OfferedTransaction, TemplateOffer};
