//! Checks a block that is still to be mined, on the current tip, without storing anything.

use std::sync::PoisonError;

use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::connect::outpoints_to_read;
use pyrite_consensus::header::check_header_in_chain;
use pyrite_consensus::{
    BlockContents, BlockContext, BlockError, check_block, check_block_in_chain, connect_block,
};

use crate::shared::Shared;
use crate::tree::BranchView;
use crate::{CoinsAt, SubmitError};

/// All rules but the proof of work. Runs on the caller's thread.
pub(crate) fn check_proposal(
    shared: &Shared,
    block: &impl BlockContents,
) -> Result<(), SubmitError> {
    let proposal = Proposal::new(shared, block)?;
    proposal.check_by_itself()?;
    let outpoints = proposal.outpoints();
    proposal.check_with_coins(&shared.coins(&outpoints)?)
}

/// The same for a block that was put together here and is expected to be valid: what does not need coins is checked
/// at the same time as the rest.
pub(crate) fn check_expected(
    shared: &Shared,
    block: &(impl BlockContents + Sync),
) -> Result<(), SubmitError> {
    let proposal = Proposal::new(shared, block)?;
    let (by_itself, with_coins) = shared.scripts.join(
        || proposal.check_by_itself(),
        || proposal.check_with_known_coins(),
    );
    by_itself.and(with_coins)
}

/// A block on the tip.
struct Proposal<'a, B> {
    shared: &'a Shared,
    block: &'a B,
    branch: BranchView,
}

impl<'a, B: BlockContents> Proposal<'a, B> {
    fn new(shared: &'a Shared, block: &'a B) -> Result<Self, SubmitError> {
        let parent = block.header().prev_blockhash;
        let (tip, id) = {
            let tree = shared.tree();
            (tree.node(tree.tip()).hash, tree.tip())
        };
        if parent != tip {
            return Err(SubmitError::NotOnTip { parent, tip });
        }
        Ok(Self {
            shared,
            block,
            branch: shared.branch(id),
        })
    }

    fn check_by_itself(&self) -> Result<(), SubmitError> {
        let (shared, block) = (self.shared, self.block);
        let context = BlockContext::new(&self.branch);
        check_header_in_chain(
            &shared.spec,
            block.header(),
            &self.branch,
            shared.clock.now(),
        )?;
        check_block(&shared.spec, block)?;
        check_block_in_chain(&shared.spec, block, &context)?;
        Ok(())
    }

    /// The coins to read.
    fn outpoints(&self) -> Vec<OutPoint> {
        let context = BlockContext::new(&self.branch);
        outpoints_to_read(&self.shared.spec, self.block, context.height)
    }

    /// Takes the coins of the last template where it spent the same, and keeps those of this one.
    fn check_with_known_coins(&self) -> Result<(), SubmitError> {
        let kept = || {
            let kept = self.shared.template_coins.lock();
            kept.unwrap_or_else(PoisonError::into_inner)
        };
        let outpoints = self.outpoints();
        let parent = self.block.header().prev_blockhash;
        let coins = match kept().take() {
            Some(mut known) if known.tip.hash == parent => {
                let is_unknown = |outpoint: &&OutPoint| !known.coins.contains_key(*outpoint);
                let unknown: Vec<OutPoint> = outpoints.iter().filter(is_unknown).copied().collect();
                let read = self.shared.coins(&unknown)?;
                known.tip = read.tip;
                known.coins.extend(read.coins);
                known
            }
            _ => self.shared.coins(&outpoints)?,
        };
        let checked = self.check_with_coins(&coins);
        // What templates no longer spend must not pile up.
        if coins.coins.len() <= 2 * outpoints.len() {
            *kept() = Some(coins);
        }
        checked
    }

    fn check_with_coins(&self, at: &CoinsAt) -> Result<(), SubmitError> {
        let (shared, block) = (self.shared, self.block);
        let context = BlockContext::new(&self.branch);
        // The tip may have moved since: the coins name theirs.
        let parent = block.header().prev_blockhash;
        if at.tip.hash != parent {
            return Err(SubmitError::NotOnTip {
                parent,
                tip: at.tip.hash,
            });
        }
        let effects = connect_block(&shared.spec, block, &context, &at.coins)?;
        shared
            .scripts
            .verify_block(effects.scripts(block).collect())
            .map_err(BlockError::Script)?;
        Ok(())
    }
}
