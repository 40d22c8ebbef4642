//! What every way of hashing on the processor has in common, and the search over a range that they all serve.

use std::ops::RangeInclusive;

use super::reference;
use crate::{PreparedHeader, SearchOutcome, Solution};

/// Hashes between two looks at the cancellation: about a millisecond in software, a third of it with SHA instructions.
const HASHES_PER_CHECK: u32 = 1 << 13;

/// Double SHA-256 of a header with many nonces, for one set of the processor's instructions.
///
/// A kernel may stop as soon as it knows the hash's most significant word, which decides nearly always: it names candidates, and
/// [`search`] looks at those again.
pub trait Kernel: Send + Sync {
    /// Its name, as `--kernel` takes it.
    fn name(&self) -> &'static str;

    /// How many versions make it fastest. It takes any number.
    fn versions(&self) -> u16 {
        1
    }

    /// Adds, in any order, each of `count` nonces from `first` on with each of the header's versions with which the most
    /// significant word of the hash is not above the target's. It may add some beyond the range, which are not looked at.
    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>);
}

/// What may solve a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The nonce.
    pub nonce: u32,
    /// The index of the version ([`PreparedHeader::version`]).
    pub version: u16,
}

/// Searches `nonces` for one with which the header meets its target, each with all of its versions; `is_cancelled` is asked every
/// few thousand hashes, before the first one too.
pub fn search(
    kernel: &dyn Kernel,
    header: &PreparedHeader,
    nonces: RangeInclusive<u32>,
    is_cancelled: impl Fn() -> bool,
) -> SearchOutcome {
    let versions = header.versions();
    let most = (HASHES_PER_CHECK / u32::from(versions)).max(1);
    let last = *nonces.end();
    let mut candidates = Vec::new();
    let mut hashes = 0_u64;
    // Where nearly every hash solves, most of a long step would be in vain.
    let mut step = 1_u32;
    let mut next = Some(*nonces.start()).filter(|first| *first <= last);
    while let Some(first) = next {
        if is_cancelled() {
            break;
        }
        let end = last.min(first.saturating_add(step - 1));
        candidates.clear();
        kernel.scan(header, first, end - first + 1, &mut candidates);
        if let Some(found) = first_solution(header, first..=end, &mut candidates) {
            let before = u64::from(found.nonce - first) * u64::from(versions);
            return SearchOutcome {
                found: Some(Solution {
                    version: header.version(found.version),
                    nonce: found.nonce,
                }),
                hashes: hashes + before + u64::from(found.version) + 1,
            };
        }
        hashes += (u64::from(end - first) + 1) * u64::from(versions);
        next = end.checked_add(1).filter(|first| *first <= last);
        step = step.saturating_mul(2).min(most);
    }
    SearchOutcome {
        found: None,
        hashes,
    }
}

/// The first of the candidates that solves the header with a nonce of the range.
fn first_solution(
    header: &PreparedHeader,
    nonces: RangeInclusive<u32>,
    candidates: &mut [Candidate],
) -> Option<Candidate> {
    candidates.sort_unstable();
    candidates
        .iter()
        .find(|candidate| {
            nonces.contains(&candidate.nonce) && reference::is_solved(header, **candidate)
        })
        .copied()
}
