//! Checks a block that is still to be mined, on the current tip, without storing anything.

use std::collections::HashMap;
use std::sync::PoisonError;

use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::connect::{further_outpoints_to_read, outpoints_to_read};
use pyrite_consensus::header::check_header_in_chain;
use pyrite_consensus::{
    BlockContents, BlockContext, BlockError, Height, check_block, check_block_in_chain,
    connect_block,
};

use crate::shared::Shared;
use crate::tree::BranchView;
use crate::{CoinsAt, SubmitError};

/// Coins of the last template are kept as long as they are not more than this for each transaction of the present one.
const MOST_KEPT_PER_TRANSACTION: usize = 4;

/// All rules but the proof of work. Runs on the caller's thread.
pub(crate) fn check_proposal(
    shared: &Shared,
    block: &impl BlockContents,
) -> Result<(), SubmitError> {
    let proposal = Proposal::new(shared, block)?;
    proposal.check_by_itself()?;
    let outpoints = outpoints_to_read(&shared.spec, block, proposal.height());
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

    fn height(&self) -> Height {
        BlockContext::new(&self.branch).height
    }

    /// Takes the coins of the last template where it spent the same, and keeps those of this one.
    fn check_with_known_coins(&self) -> Result<(), SubmitError> {
        let kept = || {
            let kept = self.shared.template_coins.lock();
            kept.unwrap_or_else(PoisonError::into_inner)
        };
        let (shared, block) = (self.shared, self.block);
        let parent = block.header().prev_blockhash;
        let known = kept().take().filter(|known| known.tip.hash == parent);
        let mut coins = known.map_or_else(HashMap::new, |known| known.coins);
        let is_known = |outpoint: &OutPoint| coins.contains_key(outpoint);
        let further = further_outpoints_to_read(&shared.spec, block, self.height(), is_known);
        let read = shared.coins(&further)?;
        coins.extend(read.coins);
        let coins = CoinsAt {
            tip: read.tip,
            coins,
        };
        let checked = self.check_with_coins(&coins);
        // What templates no longer spend must not pile up.
        if coins.coins.len() <= MOST_KEPT_PER_TRANSACTION * block.txids().len() {
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
