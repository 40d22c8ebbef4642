//! What a processor or a graphics card implements to mine.

use std::ops::RangeInclusive;

use crate::{Cancel, Job};

/// What a search came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchOutcome {
    /// A nonce with which the job's header meets its target.
    pub found: Option<u32>,
    /// Headers hashed.
    pub hashes: u64,
}

/// Something that hashes. One thread owns it.
pub trait MiningDevice: Send {
    /// The device's name, for people.
    fn name(&self) -> &str;

    /// Searches `nonces` and returns at the first that solves the job, at the end of the range, or
    /// within about a millisecond of the cancellation.
    fn search(&mut self, job: &Job, nonces: RangeInclusive<u32>, cancel: &Cancel) -> SearchOutcome;
}
