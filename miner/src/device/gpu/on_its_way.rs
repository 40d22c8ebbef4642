//! A launch that is on its way to the device or back, and what its answer is worth.

use std::sync::Arc;

use super::calibrate::top_word;
use super::queue::{Candidates, ROOM};
use crate::device::cpu;
use crate::{Cancel, Job, PreparedHeader, Solution};

/// What a search is about.
#[derive(Clone, Debug)]
pub(super) enum Sought {
    /// A job, whose solution is worth something also after the search.
    Job(Job),
    /// A header alone.
    Header(PreparedHeader),
}

impl Sought {
    pub(super) fn header(&self) -> &PreparedHeader {
        match self {
            Self::Job(job) => job.prepared(),
            Self::Header(header) => header,
        }
    }
}

/// A launch that was not answered yet.
pub(super) struct OnItsWay {
    /// The search that it belongs to.
    pub(super) search: u64,
    pub(super) sought: Arc<Sought>,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) threshold: u32,
}

/// A result that is not what the processor gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongResult {
    pub(super) nonce: u32,
    pub(super) what: &'static str,
}

/// What an answer is worth.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The first solution.
    pub(super) found: Option<Solution>,
    /// Results that are what the processor gets.
    pub(super) good: u64,
    /// The first that is not. An answer that got damaged on its way may be full of them, and is one error.
    pub(super) wrong: Option<WrongResult>,
}

impl OnItsWay {
    pub(super) fn hashes(&self) -> u64 {
        u64::from(self.count) * u64::from(self.sought.header().versions())
    }

    /// How many candidates to expect.
    pub(super) fn expected(&self) -> f64 {
        self.hashes() as f64 * (f64::from(self.threshold) + 1.0) / 2.0_f64.powi(32)
    }

    /// Compares candidates with what the processor gets, up to the first solution.
    pub(super) fn check(&self, candidates: &Candidates, cancel: &Cancel) -> Checked {
        let mut checked = Checked::default();
        match candidates {
            Candidates::All(candidates) => {
                for (offset, version) in candidates {
                    match self.candidate(*offset, *version) {
                        Ok(solution) => {
                            checked.good += 1;
                            if self.sought.header().is_solved_by(solution) {
                                checked.found = Some(solution);
                                break;
                            }
                        }
                        Err(wrong) => checked.wrong = checked.wrong.or(Some(wrong)),
                    }
                }
            }
            Candidates::TooMany { lowest } => {
                match self.lowest(*lowest) {
                    Ok(()) => checked.good += 1,
                    Err(wrong) => checked.wrong = Some(wrong),
                }
                if self.may_have_too_many() {
                    checked.found = self.search_again(cancel);
                }
            }
        }
        checked
    }

    /// A candidate, if it is in the range and its hash as low as it should be.
    fn candidate(&self, offset: u32, version: u32) -> Result<Solution, WrongResult> {
        let header = self.sought.header();
        let version = u16::try_from(version).ok();
        let version = version.filter(|version| *version < header.versions());
        let Some(version) = version.filter(|_| offset < self.count) else {
            return Err(WrongResult {
                nonce: self.first.wrapping_add(offset),
                what: "not in the range",
            });
        };
        let nonce = self.first + offset;
        if top_word(header, nonce, version) > self.threshold {
            let what = "the hash is not as low as the device said";
            return Err(WrongResult { nonce, what });
        }
        Ok(Solution {
            version: header.version(version),
            nonce,
        })
    }

    /// Twice as many as expected is nothing that chance does at this number.
    fn may_have_too_many(&self) -> bool {
        self.expected() >= ROOM as f64 / 2.0
    }

    /// Checks the lowest nonce of too many candidates.
    fn lowest(&self, lowest: u32) -> Result<(), WrongResult> {
        let header = self.sought.header();
        let nonce = self.first.wrapping_add(lowest);
        let wrong = |what| Err(WrongResult { nonce, what });
        if !self.may_have_too_many() {
            return wrong("far too many nonces are said to be good");
        }
        if lowest >= self.count {
            return wrong("not in the range");
        }
        let good = |version| top_word(header, nonce, version) <= self.threshold;
        if !(0..header.versions()).any(good) {
            return wrong("the hash is not as low as the device said");
        }
        Ok(())
    }

    /// The processor's solution of the range. The target is easy where there are too many candidates, so this is short.
    fn search_again(&self, cancel: &Cancel) -> Option<Solution> {
        let last = self.first + (self.count - 1);
        let kernel = cpu::fastest_kernel();
        let header = self.sought.header();
        cpu::search(kernel, header, self.first..=last, || cancel.is_cancelled()).found
    }
}
