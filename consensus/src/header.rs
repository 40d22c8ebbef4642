//! Header rules: proof of work, difficulty, time and version.

use bitcoin::block::Header;

use crate::spec::Difficulty;
use crate::{ChainSpec, HeaderError, Height, pow};

/// How far a header's time may be ahead of the present (Bitcoin Core's `MAX_FUTURE_BLOCK_TIME`).
pub const MAX_FUTURE_BLOCK_TIME_S: u64 = 2 * 60 * 60;

/// How far the time of an interval's first block may be before its parent's (BIP-0094; Bitcoin Core's
/// `MAX_TIMEWARP`).
const MAX_TIME_WARP_S: u32 = 600;

/// How many times the median is taken of (BIP-0113).
const MEDIAN_TIME_SPAN: u32 = 11;

/// The headers from the genesis block to some block, by height.
///
/// The rules ask it for ancestors, on several threads where they have them. It was read, or sits in memory, before they run.
pub trait HeaderChain: Sync {
    /// The height of the last header.
    fn tip_height(&self) -> Height;

    /// The header at `height`, which is at most `tip_height`.
    ///
    /// # Panics
    /// Above `tip_height`.
    fn header(&self, height: Height) -> Header;
}

impl HeaderChain for [Header] {
    fn tip_height(&self) -> Height {
        let last = self
            .len()
            .checked_sub(1)
            .expect("a chain has a genesis block");
        Height(u32::try_from(last).expect("a chain has fewer than 2^32 blocks"))
    }

    fn header(&self, height: Height) -> Header {
        self[usize::try_from(height.0).expect("usize has at least 32 bits")]
    }
}

/// Checks a header against its parent's chain: proof of work, difficulty bits, median time past, the
/// two-hour limit on the future (`now` in Unix seconds), and the version that the deployments ask for.
///
/// # Errors
/// The first rule that it breaks, in Bitcoin Core's order.
pub fn check_header(
    spec: &ChainSpec,
    header: &Header,
    parent: &(impl HeaderChain + ?Sized),
    now: u64,
) -> Result<(), HeaderError> {
    pow::check_proof_of_work(header, spec.pow_limit)?;
    check_header_in_chain(spec, header, parent, now)
}

/// `check_header` without the proof of work: what a block that is still to be mined must satisfy
/// (Bitcoin Core's `ContextualCheckBlockHeader`).
///
/// # Errors
/// The first rule that it breaks, in Bitcoin Core's order.
pub fn check_header_in_chain(
    spec: &ChainSpec,
    header: &Header,
    parent: &(impl HeaderChain + ?Sized),
    now: u64,
) -> Result<(), HeaderError> {
    check_parent(header, parent)?;
    check_bits(spec, header, parent)?;
    check_time_after_median(header, parent)?;
    check_time_warp(spec, header, parent)?;
    check_time_before_future(header, now)?;
    check_version(spec, header, parent.tip_height().next())
}

/// The median of the times of the block at `height` and of its ten ancestors (BIP-0113); of fewer where
/// the chain is shorter.
///
/// # Panics
/// When `height` is above the chain's tip.
pub fn median_time_past(chain: &(impl HeaderChain + ?Sized), height: Height) -> u32 {
    let first = height.0.saturating_sub(MEDIAN_TIME_SPAN - 1);
    let mut times: Vec<u32> = (first..=height.0)
        .map(|height| chain.header(Height(height)).time)
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// The earliest time that the block after `parent` should have: after the median time past and, at the
/// start of an interval of the retarget, not more than ten minutes before its parent, which BIP-0094 asks for
/// and is wise everywhere (Bitcoin Core's `GetMinimumTime`).
pub fn earliest_time(spec: &ChainSpec, parent: &(impl HeaderChain + ?Sized)) -> u32 {
    let height = parent.tip_height();
    let after_median = median_time_past(parent, height).saturating_add(1);
    match spec.difficulty {
        Difficulty::Retarget { interval, .. } if height.next().0.is_multiple_of(interval) => {
            after_median.max(earliest_after_warp(parent))
        }
        _ => after_median,
    }
}

fn earliest_after_warp(parent: &(impl HeaderChain + ?Sized)) -> u32 {
    let parent_time = parent.header(parent.tip_height()).time;
    parent_time.saturating_sub(MAX_TIME_WARP_S)
}

fn check_parent(header: &Header, parent: &(impl HeaderChain + ?Sized)) -> Result<(), HeaderError> {
    let tip = parent.header(parent.tip_height()).block_hash();
    if header.prev_blockhash == tip {
        Ok(())
    } else {
        Err(HeaderError::UnknownParent {
            previous: header.prev_blockhash,
            tip,
        })
    }
}

fn check_bits(
    spec: &ChainSpec,
    header: &Header,
    parent: &(impl HeaderChain + ?Sized),
) -> Result<(), HeaderError> {
    let expected = pow::next_bits(spec, parent, header.time);
    if header.bits == expected {
        Ok(())
    } else {
        Err(HeaderError::WrongBits {
            bits: header.bits,
            expected,
        })
    }
}

fn check_time_after_median(
    header: &Header,
    parent: &(impl HeaderChain + ?Sized),
) -> Result<(), HeaderError> {
    let median_time_past = median_time_past(parent, parent.tip_height());
    if header.time > median_time_past {
        Ok(())
    } else {
        Err(HeaderError::TimeTooOld {
            time: header.time,
            median_time_past,
        })
    }
}

/// BIP-0094: otherwise a majority could move the times of an interval's ends apart without the clock.
fn check_time_warp(
    spec: &ChainSpec,
    header: &Header,
    parent: &(impl HeaderChain + ?Sized),
) -> Result<(), HeaderError> {
    let Difficulty::Retarget {
        interval,
        bip94: true,
    } = spec.difficulty
    else {
        return Ok(());
    };
    let earliest = earliest_after_warp(parent);
    if parent.tip_height().next().0.is_multiple_of(interval) && header.time < earliest {
        return Err(HeaderError::TimeWarp {
            time: header.time,
            earliest,
        });
    }
    Ok(())
}

fn check_time_before_future(header: &Header, now: u64) -> Result<(), HeaderError> {
    let latest = now.saturating_add(MAX_FUTURE_BLOCK_TIME_S);
    if u64::from(header.time) <= latest {
        Ok(())
    } else {
        Err(HeaderError::TimeTooNew {
            time: header.time,
            latest,
        })
    }
}

/// Versions 2, 3 and 4 came with BIP-0034, BIP-0066 and BIP-0065.
fn check_version(spec: &ChainSpec, header: &Header, height: Height) -> Result<(), HeaderError> {
    let version = header.version.to_consensus();
    let deployments = &spec.deployments;
    let required = [
        (4, deployments.bip65),
        (3, deployments.bip66),
        (2, deployments.bip34),
    ]
    .into_iter()
    .find_map(|(version, from)| (height.0 >= from).then_some(version));
    match required {
        Some(required) if version < required => Err(HeaderError::OldVersion { version, required }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
