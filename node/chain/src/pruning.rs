//! Deletes old blocks' bodies and undo data, in steps between which the writer goes on with other work.

use std::ops::ControlFlow;
use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_storage::schema::{Blocks, UndoData};

use crate::shared::Shared;
use crate::tree::NodeId;
use crate::{ChainError, ChainHandle, SubmitError};

/// Blocks below the tip that are always kept, for reorganisations (Bitcoin Core's `MIN_BLOCKS_TO_KEEP`).
pub const MIN_BLOCKS_TO_KEEP: u32 = 288;
/// Blocks of one step.
const STEP_BLOCKS: usize = 128;
/// Room below the target for what comes until the next time.
const ROOM_BYTES: u64 = 17 << 20;
/// At least so much goes at once, so that room is not reclaimed block by block.
const MIN_PRUNED_BYTES: u64 = 32 << 20;

/// Whether old blocks are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneMode {
    /// Never.
    Off,
    /// When somebody says so.
    ByHand,
    /// When blocks and undo data take more room than this.
    Automatic {
        /// The bound, in bytes.
        target_bytes: u64,
    },
}

/// Tells the lowest height whose block somebody still needs; `None` when nobody does.
pub type PruneGuard = Arc<dyn Fn() -> Option<Height> + Send + Sync>;

impl ChainHandle {
    /// Asks `guard` before anything is pruned: the block at the height that it names stays, and those above.
    pub fn guard_from_pruning(&self, guard: PruneGuard) {
        self.shared().prune_guards_mut().push(guard);
    }

    /// Deletes the bodies and undo data of all blocks up to a height, but of those that are needed, and
    /// gives their room back to the disk. Returns how many were deleted. `go_on` is asked from time to time.
    ///
    /// # Errors
    /// The machine failed.
    pub fn prune_to(
        &self,
        height: Height,
        mut go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<u64, SubmitError> {
        let Some(height) = highest_to_prune(self.shared(), height) else {
            return Ok(0);
        };
        let blocks = blocks_up_to(self.shared(), height);
        if blocks.is_empty() {
            return Ok(0);
        }
        let mut pruned = 0;
        for step in blocks.chunks(STEP_BLOCKS) {
            if go_on().is_break() {
                break;
            }
            pruned += self.prune_blocks(step.to_vec())?;
        }
        let database = self.shared().database().map_err(SubmitError::of_machine)?;
        database
            .reclaim::<Blocks>(&mut go_on)
            .and_then(|()| database.reclaim::<UndoData>(&mut go_on))
            .map_err(|error| SubmitError::of_machine(error.into()))?;
        tracing::info!(%height, blocks = pruned, "pruned");
        Ok(pruned)
    }

    /// Prunes the oldest blocks until bodies and undo data take less than `target_bytes` on disk, as far as
    /// blocks may go. Returns how many were deleted.
    ///
    /// # Errors
    /// The machine failed.
    pub fn prune_to_size(
        &self,
        target_bytes: u64,
        mut go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<u64, SubmitError> {
        let mut pruned = 0;
        let limit = target_bytes.saturating_sub(ROOM_BYTES);
        loop {
            let size = blocks_on_disk(self.shared()).map_err(SubmitError::of_machine)?;
            if size <= limit || go_on().is_break() {
                return Ok(pruned);
            }
            let excess = (size - limit).max(MIN_PRUNED_BYTES);
            let Some(height) = height_of_share(self.shared(), excess, size) else {
                return Ok(pruned);
            };
            match self.prune_to(height, &mut go_on)? {
                0 => return Ok(pruned),
                more => pruned += more,
            }
        }
    }
}

/// Bytes of bodies and undo data on disk.
pub(crate) fn blocks_on_disk(shared: &Shared) -> Result<u64, ChainError> {
    let database = shared.database()?;
    Ok(database.size_on_disk::<Blocks>()? + database.size_on_disk::<UndoData>()?)
}

/// The highest block up to `height` that nobody needs; `None` if there is none. The genesis block stays.
pub(crate) fn highest_to_prune(shared: &Shared, height: Height) -> Option<Height> {
    let guards = shared.prune_guards().clone();
    let needed = guards.iter().filter_map(|guard| guard()).min();
    let tip = {
        let tree = shared.tree();
        if tree.assumed().is_some() {
            // The validation in the background still reads blocks below the tip.
            return None;
        }
        tree.node(tree.tip()).height.0
    };
    let mut highest = height.0.min(tip.checked_sub(MIN_BLOCKS_TO_KEEP)?);
    if let Some(needed) = needed {
        highest = highest.min(needed.0.checked_sub(1)?);
    }
    (highest > 0).then_some(Height(highest))
}

/// The blocks of all branches up to a height whose bodies are stored, the lowest first.
fn blocks_up_to(shared: &Shared, height: Height) -> Vec<NodeId> {
    let tree = shared.tree();
    let mut blocks: Vec<NodeId> = tree
        .ids()
        .skip(1)
        .filter(|id| {
            let node = tree.node(*id);
            node.height <= height && node.is_stored()
        })
        .collect();
    blocks.sort_by_key(|id| tree.node(*id).height);
    blocks
}

/// The height up to which the oldest blocks take about `part` of `whole`, if all blocks are of one size.
fn height_of_share(shared: &Shared, part: u64, whole: u64) -> Option<Height> {
    let blocks = blocks_up_to(shared, Height(u32::MAX));
    let count = u64::try_from(blocks.len()).ok()?;
    let share = u128::from(count) * u128::from(part) / u128::from(whole.max(1)) + 1;
    let index = usize::try_from(share).ok()?.min(blocks.len());
    let last = blocks.get(index.checked_sub(1)?)?;
    Some(shared.tree().node(*last).height)
}
