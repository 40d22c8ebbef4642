//! What a device is asked, and what it answers: the border between mining and OpenCL. Tests put a made-up queue there.

use std::sync::Arc;
use std::time::Duration;

use crate::device::cpu::{HEADER_BITS, PADDING, SecondBlock, small_sigma0, small_sigma1};
use crate::{GpuError, PreparedHeader};

/// Candidates that an answer has room for. There may be more: then the lowest nonce is still known.
pub(super) const ROOM: usize = 126;

/// Words of the kernel's answer: how many candidates, the lowest offset, and two words for each that found room.
pub(super) const ANSWER_WORDS: usize = 2 + 2 * ROOM;

/// A header, in the words that the kernel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Work {
    /// Parts of the message schedule that all versions and nonces share.
    pub(super) shared: [u32; 6],
    /// Sixteen words for each version: the midstate, and the state after four more rounds with a nonce of zero.
    pub(super) versions: Vec<u32>,
}

impl Work {
    pub(super) fn new(header: &PreparedHeader) -> Self {
        let [w0, w1, w2] = SecondBlock::new(header, 0).words;
        let w16 = w0.wrapping_add(small_sigma0(w1));
        let w17 = w1
            .wrapping_add(small_sigma0(w2))
            .wrapping_add(small_sigma1(HEADER_BITS));
        let versions = (0..header.versions()).flat_map(|version| {
            let block = SecondBlock::new(header, version);
            block.midstate.into_iter().chain(block.after_four)
        });
        Self {
            shared: [
                w16,
                w17,
                small_sigma1(w16).wrapping_add(w2),
                small_sigma1(w17).wrapping_add(small_sigma0(PADDING)),
                small_sigma0(w16).wrapping_add(HEADER_BITS),
                small_sigma0(w17).wrapping_add(w16),
            ],
            versions: versions.collect(),
        }
    }

    pub(super) fn version_count(&self) -> usize {
        self.versions.len() / 16
    }
}

/// One launch of the kernel: some nonces, each with every version.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) work: Arc<Work>,
    /// The first nonce.
    pub(super) first: u32,
    /// How many nonces; they don't go beyond the last one.
    pub(super) count: u32,
    /// A hash whose most significant word is not above this is a candidate.
    pub(super) threshold: u32,
}

/// What a launch found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// All candidates, in order, as offset of the nonce and index of the version; or only the lowest offset, if they found no room.
    pub(super) candidates: Candidates,
    /// How long the device took.
    pub(super) elapsed: Duration,
}

/// The candidates of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// All of them, in order.
    All(Vec<(u32, u32)>),
    /// There were too many. The lowest nonce of them has this offset.
    TooMany {
        /// Of the lowest nonce.
        lowest: u32,
    },
}

/// A device's queue of launches, which it carries out in order.
pub(super) trait Queue {
    /// Puts a launch into the queue and returns at once. The queue takes [`super::driver::DEPTH`] at least.
    fn launch(&mut self, launch: &Launch) -> Result<(), GpuError>;

    /// Waits for the oldest launch.
    fn collect(&mut self) -> Result<Found, GpuError>;
}
