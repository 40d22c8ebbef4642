//! Which bits the next block must have, by the spec's difficulty algorithm.

use bitcoin::CompactTarget;

use super::asert::{self, Anchor, Schedule};
use super::lwma::{self, Average, WindowBlock};
use super::min_difficulty::{is_special, limit_bits, min_difficulty_from};
use super::retarget::retarget;
use crate::spec::Difficulty;
use crate::{ChainSpec, HeaderChain, Height};

/// The bits that the block after `parent` must have when its own time is `time`.
///
/// The time matters only where the spec asks for blocks of the least difficulty after a pause: see
/// [`min_difficulty_from`].
///
/// # Panics
/// When the spec or the headers did not pass their checks.
pub fn next_bits(
    spec: &ChainSpec,
    parent: &(impl HeaderChain + ?Sized),
    time: u32,
) -> CompactTarget {
    if min_difficulty_from(spec, parent).is_some_and(|from| time >= from) {
        return limit_bits(spec);
    }
    match spec.difficulty {
        Difficulty::Retarget { interval, bip94 } => {
            let basis = if bip94 { Basis::First } else { Basis::Last };
            next_retarget(spec, interval, basis, parent)
        }
        Difficulty::Asert {
            half_life_s,
            anchor_height,
        } => next_asert(spec, half_life_s, Height(anchor_height), parent),
        Difficulty::Lwma { window } => next_lwma(spec, window, parent),
        Difficulty::Fixed => spec.genesis.bits,
    }
}

/// The block of an interval whose bits the next interval's are made from.
#[derive(Clone, Copy)]
enum Basis {
    /// The first: it can't have the least difficulty by exception (BIP-0094).
    First,
    /// The last, as Bitcoin's mainnet does.
    Last,
}

/// Bitcoin Core's `GetNextWorkRequired`.
fn next_retarget(
    spec: &ChainSpec,
    interval: u32,
    basis: Basis,
    parent: &(impl HeaderChain + ?Sized),
) -> CompactTarget {
    let last_height = parent.tip_height();
    let last = parent.header(last_height);
    if !last_height.next().0.is_multiple_of(interval) {
        return last_ordinary_bits(spec, interval, parent);
    }
    // The first block of the interval that ends here, not the last of the one before it.
    let first_height = last_height
        .next()
        .0
        .checked_sub(interval)
        .expect("a positive multiple");
    let first = parent.header(Height(first_height));
    let bits = match basis {
        Basis::First => first.bits,
        Basis::Last => last.bits,
    };
    let timespan_s = u64::from(interval) * u64::from(spec.target_spacing_s);
    retarget(bits, first.time, last.time, timespan_s, spec.pow_limit)
}

/// The bits within an interval: the parent's, or those of its last ancestor in the interval that has not
/// the least difficulty. Looks at no more blocks than the interval has.
fn last_ordinary_bits(
    spec: &ChainSpec,
    interval: u32,
    parent: &(impl HeaderChain + ?Sized),
) -> CompactTarget {
    let mut height = parent.tip_height();
    let mut bits = parent.header(height).bits;
    if spec.min_difficulty_after_s.is_some() {
        let limit = limit_bits(spec);
        while bits == limit && !height.0.is_multiple_of(interval) {
            height = Height(height.0 - 1);
            bits = parent.header(height).bits;
        }
    }
    bits
}

fn next_asert(
    spec: &ChainSpec,
    half_life_s: u32,
    anchor_height: Height,
    parent: &(impl HeaderChain + ?Sized),
) -> CompactTarget {
    let last_height = parent.tip_height();
    if last_height < anchor_height {
        return spec.genesis.bits;
    }
    let anchor = Anchor {
        // The anchor's own, unless it is a block of the least difficulty.
        bits: spec.genesis.bits,
        height: u64::from(anchor_height.0),
        // Not the real parent's time: as if the anchor had come on schedule.
        parent_time: i64::from(parent.header(anchor_height).time)
            - i64::from(spec.target_spacing_s),
    };
    let schedule = Schedule {
        spacing_s: spec.target_spacing_s,
        half_life_s,
        pow_limit: spec.pow_limit,
    };
    let last_time = i64::from(parent.header(last_height).time);
    asert::next_target_bits(&anchor, &schedule, u64::from(last_height.0), last_time)
}

/// While the chain is shorter than the window, the window goes on before the first mined block, as if
/// the chain had always been on schedule with the genesis block's bits. So a young chain follows its hash
/// power from the start, and the time between making it and mining on it does not count.
fn next_lwma(spec: &ChainSpec, window: u32, parent: &(impl HeaderChain + ?Sized)) -> CompactTarget {
    let last = parent.tip_height();
    if last == Height::GENESIS {
        return spec.genesis.bits;
    }
    let start_time = i64::from(parent.header(Height(1)).time);
    let block = |height: i64| match u32::try_from(height) {
        Ok(height @ 2..) => {
            let header = parent.header(Height(height));
            let special = is_special(spec, parent, Height(height));
            WindowBlock {
                time: i64::from(header.time),
                bits: (!special).then_some(header.bits),
            }
        }
        _ => WindowBlock {
            time: start_time - (1 - height) * i64::from(spec.target_spacing_s),
            bits: Some(spec.genesis.bits),
        },
    };
    let last = i64::from(last.0);
    let before = last - i64::from(window);
    let blocks: Vec<WindowBlock> = (before + 1..=last).map(block).collect();
    let average = Average {
        spacing_s: spec.target_spacing_s,
        pow_limit: spec.pow_limit,
    };
    lwma::next_target_bits(&average, block(before).time, &blocks)
}

#[cfg(test)]
mod tests;
