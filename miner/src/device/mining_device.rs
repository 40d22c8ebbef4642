//! What a processor or a graphics card implements to mine.

use std::ops::RangeInclusive;

use pyrite_consensus::bitcoin::block::Version;

use crate::{Cancel, DeviceError, Job};

/// What makes a job's header meet its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Solution {
    /// The header's version, one of the job's.
    pub version: Version,
    /// The header's nonce.
    pub nonce: u32,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchOutcome {
    /// The first that solves the job: by nonce, then by version.
    pub found: Option<Solution>,
    /// Headers hashed: nonces times versions.
    pub hashes: u64,
}

/// Something that hashes. One thread owns it.
pub trait MiningDevice: Send {
    /// The device's name, for people: `cpu0`, `opencl0`.
    fn name(&self) -> &str;

    /// What hashes in it, for people: `sha-ni-3`, `opencl-v16`. It may change from one search to the next.
    fn kernel(&self) -> &str;

    /// How many versions it likes a job to have ([`Job::new`]). It takes any number. It may change from one search to the next.
    fn versions(&self) -> u16 {
        1
    }

    /// Searches `nonces`, each with every version of the job, and returns at the first that solves it, at the end of
    /// the range, or within about a millisecond of the cancellation.
    ///
    /// # Errors
    /// When the device does not work, or not any more: it is set aside with the reason, and the others go on.
    fn search(
        &mut self,
        job: &Job,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, DeviceError>;
}
