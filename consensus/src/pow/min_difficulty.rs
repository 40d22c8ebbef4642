//! Blocks of the least difficulty for chains that lost their hash power: the rule of Bitcoin's testnets
//! (Bitcoin Core's `fPowAllowMinDifficultyBlocks`), as an option for every algorithm.
//!
//! When a block's time is more than `min_difficulty_after_s` after its parent's, its bits must be the limit.
//! Such a block says nothing about the hash power, so each algorithm keeps its bits out of the schedule:
//! ASERT looks at heights and times alone, LWMA-1 leaves the block's target out of its average, and the
//! retarget looks for the last bits of another kind.

use bitcoin::CompactTarget;

use super::target::{decode_bits, encode_bits};
use crate::spec::Difficulty;
use crate::{ChainSpec, HeaderChain, Height};

/// The first time with which the block after `parent` must have the least difficulty. `None` when the
/// spec has no such rule, or it does not apply to this block.
///
/// It does not apply to the first block of an interval of the retarget, whose bits carry the schedule
/// (Bitcoin Core's `GetNextWorkRequired`). With the other algorithms it does not apply to the first
/// mined block: the time between making a chain and mining on it says nothing.
pub fn min_difficulty_from(spec: &ChainSpec, parent: &(impl HeaderChain + ?Sized)) -> Option<u32> {
    let after_s = spec.min_difficulty_after_s?;
    let parent_height = parent.tip_height();
    if !may_be_special(spec, parent_height.next()) {
        return None;
    }
    first_special_time(parent.header(parent_height).time, after_s)
}

/// Whether the block at `height`, which is not the genesis block, has the least difficulty by the rule.
///
/// # Panics
/// When `height` is zero or above the chain's tip.
pub(super) fn is_special(
    spec: &ChainSpec,
    chain: &(impl HeaderChain + ?Sized),
    height: Height,
) -> bool {
    let Some(after_s) = spec.min_difficulty_after_s else {
        return false;
    };
    let parent = height.previous().expect("the genesis block has no parent");
    let from = first_special_time(chain.header(parent).time, after_s);
    may_be_special(spec, height) && from.is_some_and(|from| chain.header(height).time >= from)
}

/// The limit as the bits of a header.
pub(super) fn limit_bits(spec: &ChainSpec) -> CompactTarget {
    // The same number has several forms; headers have the one that `encode_bits` gives.
    encode_bits(decode_bits(spec.pow_limit).expect("the limit of a spec is a target"))
}

fn may_be_special(spec: &ChainSpec, height: Height) -> bool {
    match spec.difficulty {
        Difficulty::Retarget { interval, .. } => !height.0.is_multiple_of(interval),
        Difficulty::Asert { .. } | Difficulty::Lwma { .. } | Difficulty::Fixed => height.0 > 1,
    }
}

/// `None` when no header can have so late a time.
fn first_special_time(parent_time: u32, after_s: u32) -> Option<u32> {
    parent_time.checked_add(after_s)?.checked_add(1)
}
