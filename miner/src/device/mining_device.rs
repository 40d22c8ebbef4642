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

/// What a device has to tell besides the outcomes of its searches, since it was asked last.
#[derive(Clone, Debug, Default)]
pub struct SideResults {
    /// Headers hashed of jobs whose searches had ended.
    pub hashes: u64,
    /// What solves such jobs. They are worth something as long as the tip is the same.
    pub solutions: Vec<(Job, Solution)>,
    /// Results that were checked and are right.
    pub good: u64,
    /// Results that were checked, found wrong, and dropped.
    pub errors: u64,
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
    /// the range, or within about a millisecond of the cancellation; also when an earlier job was solved
    /// ([`Self::side_results`]).
    ///
    /// # Errors
    /// When the device does not work, or not any more: it is set aside with the reason, and the others go on.
    fn search(
        &mut self,
        job: &Job,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, DeviceError>;

    /// What it has to tell besides, to be asked after each search: of launches that a cancelled search left on their way, and of
    /// its errors.
    fn side_results(&mut self) -> SideResults {
        SideResults::default()
    }
}
