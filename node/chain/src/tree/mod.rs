//! The tree of all known headers.

mod assumed;
mod block_tree;
mod branch_view;
mod node;
mod queries;

pub(crate) use assumed::Assumed;
pub(crate) use block_tree::{BlockTree, LinkError};
pub use branch_view::BranchView;
pub(crate) use node::{Node, NodeId};
