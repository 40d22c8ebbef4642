//! Which build of the kernel is the fastest on a device, and whether it computes what it should.

use std::sync::Arc;
use std::time::Duration;

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, TxMerkleNode};

use super::driver::DEPTH;
use super::info::GpuKind;
use super::queue::{Candidates, Launch, Queue, Work};
use super::tuning::{Majority, Tuning, Unroll};
use crate::{GpuError, PreparedHeader, Solution};

/// A measurement is good when the launch took so long.
const GOOD: Duration = Duration::from_millis(12);

/// Hashes of the first launch, by how much the next one has more, and how many of them there are at most.
const FIRST_HASHES: u32 = 1 << 14;
const GROWTH: u32 = 4;
const MOST_LAUNCHES: usize = 9;

/// A device that did nothing has a low clock. It is measured when it has worked for so long.
const WARM_UP: Duration = Duration::from_millis(300);

/// Launches of that at most, whatever the device says of their length.
const MOST_WARM_UPS: usize = 1_000;

/// Launches, one after the other, of which the fastest counts.
const REPEATS: usize = 3;

/// What the self-test looks at: nonces up to the last one, and versions, of whose hashes one in [`TEST_ODDS`] is a candidate.
const TEST_NONCES: u32 = 1_500;
const TEST_VERSIONS: u16 = 3;
const TEST_ODDS: u32 = 64;

/// What decides which builds are tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) kind: GpuKind,
    /// The vector width of its registers, one where it has none.
    pub(super) native_width: u32,
}

impl Shape {
    /// The vector widths that are worth a try. A processor's is that of its registers: with half of it lanes stay empty, with twice it
    /// nothing fits any more, and its compiler takes seconds, or a minute, for each.
    fn widths(self) -> Vec<u32> {
        let fits = |width: &u32| match self.kind {
            GpuKind::Processor => *width == self.native_width,
            GpuKind::Gpu | GpuKind::Accelerator => true,
        };
        let fitting: Vec<u32> = Tuning::WIDTHS.into_iter().filter(fits).collect();
        if fitting.is_empty() {
            return Tuning::WIDTHS.to_vec();
        }
        fitting
    }
}

/// The fastest build, and its hashes per second.
pub(super) struct Calibrated<Q> {
    pub(super) queue: Q,
    pub(super) tuning: Tuning,
    pub(super) rate: f64,
}

impl<Q: Queue> Calibrated<Q> {
    /// This build, with its rate measured once the device is warm.
    pub(super) fn warm(mut queue: Q, tuning: Tuning) -> Result<Self, GpuError> {
        warm_up(&mut queue)?;
        Self::measured(queue, tuning)
    }

    fn measured(mut queue: Q, tuning: Tuning) -> Result<Self, GpuError> {
        let rate = measure(&mut queue)?;
        Ok(Self {
            queue,
            tuning,
            rate,
        })
    }
}

/// Tries vector widths, and for the best of them the rest, one choice after the other. What can't be built is left out.
pub(super) fn calibrate<Q: Queue>(
    shape: Shape,
    mut build: impl FnMut(Tuning) -> Result<Q, GpuError>,
) -> Result<Calibrated<Q>, GpuError> {
    let mut best: Option<Calibrated<Q>> = None;
    let mut refused: Option<GpuError> = None;
    for width in shape.widths() {
        let tuning = Tuning {
            width,
            ..Tuning::FIRST
        };
        challenge(&mut best, &mut refused, tuning, &mut build)?;
    }
    let groups = match shape.kind {
        GpuKind::Processor => no_groups,
        GpuKind::Gpu | GpuKind::Accelerator => groups,
    };
    let choices: [fn(Tuning) -> Vec<Tuning>; 3] = [majorities, unrolls, groups];
    for choices in choices {
        let Some(champion) = &best else { break };
        for tuning in choices(champion.tuning) {
            challenge(&mut best, &mut refused, tuning, &mut build)?;
        }
    }
    best.ok_or_else(|| refused.expect("each width was refused or measured"))
}

fn majorities(tuning: Tuning) -> Vec<Tuning> {
    vec![Tuning {
        majority: Majority::Carry,
        ..tuning
    }]
}

fn unrolls(tuning: Tuning) -> Vec<Tuning> {
    vec![Tuning {
        unroll: Unroll::Sixteen,
        ..tuning
    }]
}

/// A processor works through a group in a loop, however many it has.
fn no_groups(_: Tuning) -> Vec<Tuning> {
    Vec::new()
}

fn groups(tuning: Tuning) -> Vec<Tuning> {
    let others = Tuning::GROUPS
        .into_iter()
        .filter(|group| *group != tuning.group);
    others.map(|group| Tuning { group, ..tuning }).collect()
}

/// Measures a build and keeps it if it is faster than the best.
fn challenge<Q: Queue>(
    best: &mut Option<Calibrated<Q>>,
    refused: &mut Option<GpuError>,
    tuning: Tuning,
    build: &mut impl FnMut(Tuning) -> Result<Q, GpuError>,
) -> Result<(), GpuError> {
    let queue = match build(tuning) {
        Ok(queue) => queue,
        Err(error @ GpuError::Build { .. }) => {
            tracing::debug!(%tuning, %error, "not tried");
            *refused = Some(error);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let challenger = match best {
        None => Calibrated::warm(queue, tuning)?,
        Some(_) => Calibrated::measured(queue, tuning)?,
    };
    tracing::debug!(%tuning, rate_mh_s = challenger.rate / 1e6, "measured");
    if best.as_ref().is_none_or(|best| best.rate < challenger.rate) {
        *best = Some(challenger);
    }
    Ok(())
}

/// A launch that finds nothing.
fn vain_launch(work: &Arc<Work>, count: u32) -> Launch {
    Launch {
        work: Arc::clone(work),
        first: 0,
        count,
        threshold: 0,
    }
}

fn vain_work() -> Arc<Work> {
    Arc::new(Work::new(&PreparedHeader::new(&blank_header(0))))
}

/// Has the device work for a while.
fn warm_up(queue: &mut impl Queue) -> Result<(), GpuError> {
    let work = vain_work();
    let mut count = FIRST_HASHES;
    let mut worked = Duration::ZERO;
    for _ in 0..MOST_WARM_UPS {
        queue.launch(&vain_launch(&work, count))?;
        let elapsed = queue.collect()?.elapsed;
        worked = worked.saturating_add(elapsed);
        if worked >= WARM_UP {
            break;
        }
        if elapsed < GOOD {
            count = count.saturating_mul(GROWTH);
        }
    }
    Ok(())
}

/// Hashes per second: launches grow until one takes long enough, and then a few more follow.
fn measure(queue: &mut impl Queue) -> Result<f64, GpuError> {
    let work = vain_work();
    let mut count = FIRST_HASHES;
    for _ in 0..MOST_LAUNCHES {
        queue.launch(&vain_launch(&work, count))?;
        if queue.collect()?.elapsed >= GOOD {
            break;
        }
        count = count.saturating_mul(GROWTH);
    }
    let mut shortest = Duration::MAX;
    for _ in 0..REPEATS {
        queue.launch(&vain_launch(&work, count))?;
        shortest = shortest.min(queue.collect()?.elapsed);
    }
    Ok(f64::from(count) / shortest.as_secs_f64().max(1e-6))
}

/// Compares the candidates of some nonces, the last one among them, with the `sha2` crate's.
pub(super) fn self_test(name: &str, queue: &mut impl Queue) -> Result<(), GpuError> {
    let wrong = |nonce, what| GpuError::WrongResult {
        device: name.to_owned(),
        nonce,
        what,
    };
    let header = PreparedHeader::with_versions(&blank_header(0x1234_5678), TEST_VERSIONS);
    let threshold = u32::MAX / TEST_ODDS;
    let work = Arc::new(Work::new(&header));
    let starts = [0x00ff_ff00, u32::MAX - (TEST_NONCES - 1)];
    debug_assert!(starts.len() <= DEPTH);
    for first in starts {
        queue.launch(&Launch {
            work: Arc::clone(&work),
            first,
            count: TEST_NONCES,
            threshold,
        })?;
    }
    for first in starts {
        let Candidates::All(found) = queue.collect()?.candidates else {
            return Err(wrong(first, "far too many"));
        };
        let mut found = found.into_iter().peekable();
        for offset in 0..TEST_NONCES {
            for index in 0..TEST_VERSIONS {
                let nonce = first + offset;
                let expected = top_word(&header, nonce, index) <= threshold;
                let candidate = (offset, u32::from(index));
                if expected && found.next() != Some(candidate) {
                    return Err(wrong(nonce, "missed in the self-test"));
                }
                if found.peek() == Some(&candidate) && !expected {
                    return Err(wrong(nonce, "found in vain in the self-test"));
                }
            }
        }
        if found.next().is_some() {
            return Err(wrong(first, "found beyond the range of the self-test"));
        }
    }
    Ok(())
}

/// The most significant word of a header's hash, as the processor computes it.
pub(super) fn top_word(header: &PreparedHeader, nonce: u32, version: u16) -> u32 {
    let solution = Solution {
        version: header.version(version),
        nonce,
    };
    let hash = header.header(solution).block_hash().to_byte_array();
    let [.., a, b, c, d] = hash;
    u32::from_le_bytes([a, b, c, d])
}

/// A header whose target is zero.
pub(super) fn blank_header(time: u32) -> Header {
    Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::from_byte_array([0xa5; 32]),
        time,
        bits: CompactTarget::from_consensus(0),
        nonce: 0,
    }
}
