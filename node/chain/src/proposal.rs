//! Checks a block that is still to be mined, on the current tip, without storing anything.

use pyrite_consensus::connect::outpoints_to_read;
use pyrite_consensus::header::check_header_in_chain;
use pyrite_consensus::{
    BlockContents, BlockContext, BlockError, check_block, check_block_in_chain, connect_block,
};

use crate::SubmitError;
use crate::shared::Shared;

/// All rules but the proof of work. Runs on the caller's thread.
pub(crate) fn check_proposal(
    shared: &Shared,
    block: &impl BlockContents,
) -> Result<(), SubmitError> {
    let parent = block.header().prev_blockhash;
    let (tip, id) = {
        let tree = shared.tree();
        (tree.node(tree.tip()).hash, tree.tip())
    };
    if parent != tip {
        return Err(SubmitError::NotOnTip { parent, tip });
    }
    let branch = shared.branch(id);
    let context = BlockContext::new(&branch);
    check_header_in_chain(&shared.spec, block.header(), &branch, shared.clock.now())?;
    check_block(&shared.spec, block)?;
    check_block_in_chain(&shared.spec, block, &context)?;

    let at = shared.coins(&outpoints_to_read(&shared.spec, block, context.height))?;
    // The tip may have moved since: the coins name theirs.
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
