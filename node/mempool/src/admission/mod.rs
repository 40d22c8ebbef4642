//! Admission: which transaction may enter, in pure functions.

mod admit;

#[cfg(test)]
mod tests;

pub(crate) use admit::{Admission, Origin, Plan, check_with_coins, check_without_coins};
