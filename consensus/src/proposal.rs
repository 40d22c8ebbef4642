//! The rules for a block that is still to be mined. It is proposed again and again with a few changes, so what they found
//! in its first transactions is kept, and the next time only the rest is looked at.

use bitcoin::{Amount, BlockHash, OutPoint, Transaction, Wtxid};

use crate::block::{BodyFigures, check_body, check_final_body, check_merkle_root, in_block};
use crate::connect::{
    Connection, TransactionScripts, bip30_applies, check_coinbase_amount, check_overwrites_nothing,
    further_outpoints_to_read, scripts_from, transactions,
};
use crate::script::ScriptFlags;
use crate::transaction::check_lock_time;
use crate::{
    BlockContents, BlockContext, BlockError, ChainSpec, Coin, CoinView, OutPointSet, ProposedBlock,
};

/// The first transactions of a block after its coinbase, and what the rules found in them: they keep every rule
/// behind any coinbase on the same parent.
#[derive(Debug)]
pub struct CheckedPart {
    parent: BlockHash,
    lock_time_cutoff: u32,
    wtxids: Vec<Wtxid>,
    sums: PartSums,
    spending: PartSpending,
}

/// What transactions add up to by themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartSums {
    base_size: usize,
    legacy_sigop_cost: u64,
    weight: u64,
}

/// What transactions do to the coins.
#[derive(Debug)]
pub struct PartSpending {
    pub(crate) spent: OutPointSet,
    pub(crate) fees: Amount,
    pub(crate) sigop_cost: u64,
}

impl CheckedPart {
    /// Whether a block begins with these transactions, where the rules say the same of them.
    fn begins(&self, block: &ProposedBlock, lock_time_cutoff: u32) -> bool {
        let count = self.wtxids.len();
        self.parent == block.header().prev_blockhash
            && self.lock_time_cutoff == lock_time_cutoff
            && block.wtxids().get(1..=count) == Some(self.wtxids.as_slice())
    }
}

/// What connecting a proposed block gave.
#[derive(Debug)]
pub struct ProposalEffects {
    spent: Vec<(OutPoint, Coin)>,
    flags: ScriptFlags,
    first: usize,
    settled: Option<PartSpending>,
}

impl ProposalEffects {
    /// The scripts to verify: those of the transactions that were not checked before. `block` is the one whose effects
    /// these are.
    pub fn scripts<'a>(
        &'a self,
        block: &'a ProposedBlock,
    ) -> impl Iterator<Item = TransactionScripts<'a>> {
        scripts_from(block, self.first, &self.spent, self.flags)
    }
}

/// All rules for a proposed block but the header's.
pub struct ProposalCheck<'a> {
    spec: &'a ChainSpec,
    block: &'a ProposedBlock,
    context: &'a BlockContext<'a>,
    lock_time_cutoff: u32,
    part: Option<&'a CheckedPart>,
    /// Whether the rules say the same of a part by itself and in its block.
    is_divisible: bool,
    /// Where the part to keep ends that is to be found out, if one is.
    settled_end: Option<usize>,
}

impl<'a> ProposalCheck<'a> {
    /// Passes over `known`, if the block begins with it.
    #[must_use]
    pub fn new(
        spec: &'a ChainSpec,
        block: &'a ProposedBlock,
        context: &'a BlockContext<'a>,
        known: Option<&'a CheckedPart>,
    ) -> Self {
        let lock_time_cutoff = context.lock_time_cutoff(spec, block.header().time);
        // BIP-0030 looks at what the coins of all transactions would overwrite: no part stands for itself.
        let is_divisible = !bip30_applies(spec, block, context.height);
        let part = known.filter(|part| is_divisible && part.begins(block, lock_time_cutoff));
        let is_to_be_kept = is_divisible && part.is_none() && block.settled() > 0;
        Self {
            spec,
            block,
            context,
            lock_time_cutoff,
            part,
            is_divisible,
            settled_end: is_to_be_kept.then(|| 1 + block.settled()),
        }
    }

    /// The outpoints whose coins [`connect`](Self::connect) needs, but for those that the caller has.
    #[must_use]
    pub fn outpoints_to_read(&self, is_known: impl Fn(&OutPoint) -> bool) -> Vec<OutPoint> {
        let (spec, block, height) = (self.spec, self.block, self.context.height);
        further_outpoints_to_read(spec, block, height, self.first(), is_known)
    }

    /// The rules that need no coins: those of [`check_block`](crate::check_block) and
    /// [`check_block_in_chain`](crate::check_block_in_chain). Returns what [`keep`](Self::keep) wants.
    ///
    /// # Errors
    /// A rule that the block breaks.
    pub fn check_by_itself(&self) -> Result<Option<PartSums>, BlockError> {
        check_merkle_root(self.block)?;
        let start = self.part.map_or_else(PartSums::default, |part| part.sums);
        let mut body = BodyFigures::starting_with(start.base_size, start.legacy_sigop_cost);
        let mut weight = start.weight;
        let mut settled = None;
        let mut not_final = Ok(());
        for (index, transaction) in self.rest() {
            if Some(index) == self.settled_end {
                settled = Some(PartSums {
                    base_size: body.base_size,
                    legacy_sigop_cost: body.legacy_sigop_cost,
                    weight,
                });
            }
            body.add(index, transaction);
            weight += transaction.weight().to_wu();
            not_final = not_final.and_then(|()| self.check_final(index, transaction));
        }
        if let Some(coinbase) = self.block.body().next() {
            body.add(0, coinbase);
            weight += coinbase.weight().to_wu();
            not_final = self.check_final(0, coinbase).and(not_final);
        }
        check_body(self.spec, self.block, body)?;
        not_final?;
        check_final_body(self.spec, self.block, self.context, weight)?;
        Ok(settled)
    }

    /// Applies the block to the coins, as [`connect_block`](crate::connect_block) does.
    ///
    /// # Errors
    /// A rule that the block breaks.
    pub fn connect(&self, coins: &'a impl CoinView) -> Result<ProposalEffects, BlockError> {
        if !self.is_divisible {
            check_overwrites_nothing(self.block, coins)?;
        }
        let first = self.first();
        let rest = self.block.body().skip(first);
        let mut connection = Connection::new(self.spec, rest, self.context, coins);
        if let Some(part) = self.part {
            let earlier = transactions(self.block).take(first).skip(1);
            connection.resume(&part.spending, earlier);
        }
        let before_coinbase = connection.sigop_cost();
        if let Some((transaction, txid)) = transactions(self.block).next() {
            connection.apply(0, transaction, txid)?;
        }
        let of_coinbase = connection.sigop_cost() - before_coinbase;
        let mut settled = None;
        let rest = transactions(self.block).enumerate().skip(first);
        for (index, (transaction, txid)) in rest {
            if Some(index) == self.settled_end {
                let spent = connection.spent().iter();
                settled = Some(PartSpending {
                    spent: spent.map(|(outpoint, _)| *outpoint).collect(),
                    fees: connection.fees(),
                    sigop_cost: connection.sigop_cost() - of_coinbase,
                });
            }
            connection.apply(index, transaction, txid)?;
        }
        check_coinbase_amount(
            self.spec,
            self.block,
            self.context.height,
            connection.fees(),
        )?;
        let effects = connection.into_effects();
        Ok(ProposalEffects {
            spent: effects.spent,
            flags: effects.script_flags,
            first,
            settled,
        })
    }

    /// The part to keep for the next block, once this one has passed, the scripts of its effects included. `None` if it
    /// begins with the one that is known, or has none.
    #[must_use]
    pub fn keep(&self, sums: Option<PartSums>, effects: ProposalEffects) -> Option<CheckedPart> {
        let end = self.settled_end?;
        Some(CheckedPart {
            parent: self.block.header().prev_blockhash,
            lock_time_cutoff: self.lock_time_cutoff,
            wtxids: self.block.wtxids().get(1..end)?.to_vec(),
            sums: sums?,
            spending: effects.settled?,
        })
    }

    fn check_final(&self, index: usize, transaction: &Transaction) -> Result<(), BlockError> {
        check_lock_time(transaction, self.context.height, self.lock_time_cutoff)
            .map_err(in_block(index, transaction))
    }

    /// The position of the first payment that was not checked before.
    fn first(&self) -> usize {
        1 + self.part.map_or(0, |part| part.wtxids.len())
    }

    fn rest(&self) -> impl Iterator<Item = (usize, &Transaction)> {
        self.block.body().enumerate().skip(self.first())
    }
}

#[cfg(test)]
mod tests;
