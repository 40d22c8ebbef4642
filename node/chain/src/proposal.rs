//! Checks a block that is still to be mined, on the current tip, without storing anything.

use std::sync::{MutexGuard, PoisonError};

use pyrite_consensus::bitcoin::{BlockHash, OutPoint};
use pyrite_consensus::connect::outpoints_to_read;
use pyrite_consensus::header::check_header_in_chain;
use pyrite_consensus::{
    BlockContents, BlockContext, BlockError, CheckedPart, OutPointMap, ProposalCheck,
    ProposalEffects, ProposedBlock, check_block, check_block_in_chain, connect_block,
};

use crate::shared::Shared;
use crate::tree::BranchView;
use crate::{CoinsAt, SubmitError};

/// Coins of the last template are kept as long as they are not more than this for each transaction of the present one.
const MOST_KEPT_PER_TRANSACTION: usize = 4;

/// What the last template left for the next one on the same tip.
#[derive(Debug, Default)]
pub(crate) struct LastTemplate {
    /// The coins that it spent, and others before it: most of what the next one spends.
    coins: Option<CoinsAt>,
    /// Transactions at its start that it has in common with the next one.
    part: Option<CheckedPart>,
}

/// All rules but the proof of work. Runs on the caller's thread.
pub(crate) fn check_proposal(
    shared: &Shared,
    block: &impl BlockContents,
) -> Result<(), SubmitError> {
    let branch = branch(shared, block)?;
    let context = BlockContext::new(&branch);
    check_header(shared, block, &branch)?;
    check_block(&shared.spec, block)?;
    check_block_in_chain(&shared.spec, block, &context)?;
    let outpoints = outpoints_to_read(&shared.spec, block, context.height);
    let coins = shared.coins(&outpoints)?;
    check_tip(&coins, block.header().prev_blockhash)?;
    let effects = connect_block(&shared.spec, block, &context, &coins.coins)?;
    let verified = shared
        .scripts
        .verify_block(effects.scripts(block).collect());
    verified.map_err(|error| BlockError::Script(error).into())
}

/// The same for a block that was put together here and is expected to be valid, and to be followed by others that are
/// much like it: what does not need coins is checked at the same time as the rest, and what the last one had at its
/// start is not checked again.
pub(crate) fn check_expected(shared: &Shared, block: &ProposedBlock) -> Result<(), SubmitError> {
    let branch = branch(shared, block)?;
    let context = BlockContext::new(&branch);
    let LastTemplate { coins, part } = std::mem::take(&mut *last_template(shared));
    let check = ProposalCheck::new(&shared.spec, block, &context, part.as_ref());
    let (by_itself, with_coins) = shared.scripts.join(
        || {
            check_header(shared, block, &branch)?;
            Ok::<_, SubmitError>(check.check_by_itself()?)
        },
        || check_with_coins(shared, block, &check, coins),
    );
    let (sums, (effects, coins)) = (by_itself?, with_coins?);
    let next = check.keep(sums, effects);
    *last_template(shared) = LastTemplate {
        // What templates no longer spend must not pile up.
        coins: (coins.coins.len() <= MOST_KEPT_PER_TRANSACTION * block.txids().len())
            .then_some(coins),
        part: next.or(part),
    };
    Ok(())
}

fn last_template(shared: &Shared) -> MutexGuard<'_, LastTemplate> {
    let last = shared.last_template.lock();
    last.unwrap_or_else(PoisonError::into_inner)
}

/// The chain that the block builds on, if that is the best one.
fn branch(shared: &Shared, block: &impl BlockContents) -> Result<BranchView, SubmitError> {
    let parent = block.header().prev_blockhash;
    let (tip, id) = {
        let tree = shared.tree();
        (tree.node(tree.tip()).hash, tree.tip())
    };
    if parent != tip {
        return Err(SubmitError::NotOnTip { parent, tip });
    }
    Ok(shared.branch(id))
}

fn check_header(
    shared: &Shared,
    block: &impl BlockContents,
    branch: &BranchView,
) -> Result<(), SubmitError> {
    let now = shared.clock.now();
    check_header_in_chain(&shared.spec, block.header(), branch, now)?;
    Ok(())
}

/// The tip may have moved before the coins were read: they name theirs.
fn check_tip(coins: &CoinsAt, parent: BlockHash) -> Result<(), SubmitError> {
    let tip = coins.tip.hash;
    if tip == parent {
        Ok(())
    } else {
        Err(SubmitError::NotOnTip { parent, tip })
    }
}

/// Takes the coins that are known where they belong to the same tip. Returns them, with those that it read.
fn check_with_coins(
    shared: &Shared,
    block: &ProposedBlock,
    check: &ProposalCheck<'_>,
    known: Option<CoinsAt>,
) -> Result<(ProposalEffects, CoinsAt), SubmitError> {
    let parent = block.header().prev_blockhash;
    let known = known.filter(|known| known.tip.hash == parent);
    let mut coins = known.map_or_else(OutPointMap::default, |known| known.coins);
    let is_known = |outpoint: &OutPoint| coins.contains_key(outpoint);
    let read = shared.coins(&check.outpoints_to_read(is_known))?;
    check_tip(&read, parent)?;
    coins.extend(read.coins);
    let coins = CoinsAt {
        tip: read.tip,
        coins,
    };
    let effects = check.connect(&coins.coins)?;
    let scripts = effects.scripts(block).collect();
    let verified = shared.scripts.verify_block(scripts);
    verified.map_err(BlockError::Script)?;
    Ok((effects, coins))
}
