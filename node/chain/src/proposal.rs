//! Checks a block that is still to be mined, on the current tip, without storing anything.

use pyrite_consensus::connect::outpoints_to_read;
use pyrite_consensus::header::check_header_in_chain;
use pyrite_consensus::{
    BlockContents, BlockContext, BlockError, check_block, check_block_in_chain, connect_block,
};

use crate::SubmitError;
use crate::shared::Shared;
use crate::tree::BranchView;

/// All rules but the proof of work. Runs on the caller's thread.
pub(crate) fn check_proposal(
    shared: &Shared,
    block: &impl BlockContents,
) -> Result<(), SubmitError> {
    let proposal = Proposal::new(shared, block)?;
    proposal.check_by_itself()?;
    proposal.check_with_coins()
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
        || proposal.check_with_coins(),
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

    fn check_with_coins(&self) -> Result<(), SubmitError> {
        let (shared, block) = (self.shared, self.block);
        let context = BlockContext::new(&self.branch);
        let at = shared.coins(&outpoints_to_read(&shared.spec, block, context.height))?;
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
