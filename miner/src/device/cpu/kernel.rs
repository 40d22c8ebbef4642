//! What every way of hashing on the processor has in common, and the search over a range that they all serve.

use std::ops::RangeInclusive;

use super::reference;
use crate::{PreparedHeader, SearchOutcome};

/// Hashes between two looks at the cancellation: about a millisecond in software, a tenth of it with
/// SHA instructions.
const HASHES_PER_CHECK: u32 = 1 << 11;

/// Double SHA-256 of a header with many nonces, for one set of the processor's instructions.
///
/// A kernel may stop as soon as it knows the hash's most significant word, which decides nearly always: it names candidates, and
/// [`search`] looks at those again.
pub trait Kernel: Send + Sync {
    /// Its name, as `--kernel` takes it.
    fn name(&self) -> &'static str;

    /// The first of `count` nonces from `first` on with which the most significant word of the header's hash is not above the
    /// target's. It may name one beyond them, which is not looked at.
    fn candidate(&self, header: &PreparedHeader, first: u32, count: u32) -> Option<u32>;
}

/// Searches `nonces` for one with which the header meets its target; `is_cancelled` is asked every
/// few thousand hashes, before the first one too.
pub fn search(
    kernel: &dyn Kernel,
    header: &PreparedHeader,
    nonces: RangeInclusive<u32>,
    is_cancelled: impl Fn() -> bool,
) -> SearchOutcome {
    let mut hashes = 0_u64;
    let last = *nonces.end();
    let mut next = Some(*nonces.start()).filter(|first| *first <= last);
    while let Some(first) = next {
        if is_cancelled() {
            break;
        }
        let end = last.min(first.saturating_add(HASHES_PER_CHECK - 1));
        let found = first_solution(kernel, header, first, end);
        hashes += u64::from(found.unwrap_or(end) - first) + 1;
        if found.is_some() {
            return SearchOutcome { found, hashes };
        }
        next = end.checked_add(1).filter(|first| *first <= last);
    }
    SearchOutcome {
        found: None,
        hashes,
    }
}

/// The first nonce from `first` to `end` that solves the header.
fn first_solution(
    kernel: &dyn Kernel,
    header: &PreparedHeader,
    first: u32,
    end: u32,
) -> Option<u32> {
    let mut next = Some(first);
    while let Some(first) = next {
        let candidate = kernel.candidate(header, first, end - first + 1)?;
        if candidate < first || candidate > end {
            return None;
        }
        if reference::is_solved(header, candidate) {
            return Some(candidate);
        }
        next = candidate.checked_add(1).filter(|next| *next <= end);
    }
    None
}
