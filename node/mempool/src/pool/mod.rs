//! The plain data structure: entries, who spends what, ancestors and descendants, and the orders in
//! which entries are evicted and expire. It knows no rule, no clock and no chain.

mod graph;
mod score;
mod usage;

#[cfg(test)]
mod tests;

pub(crate) use graph::{NewEntry, Pool};
