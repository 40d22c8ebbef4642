//! What the mempool's lock guards.

mod mempool_state;

#[cfg(test)]
mod tests;

pub(crate) use mempool_state::{Cursor, Returning, State};
