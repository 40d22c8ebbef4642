//! A template that another node offers (`getblocktemplate`): checked as far as it can be without the chain, and given
//! a coinbase of ours.

use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{
    Amount, BlockHash, CompactTarget, Script, ScriptBuf, Target, Transaction,
};

use super::block_template::{Bounds, Frame, Segwit, Template, TemplateTransaction};
use crate::OfferError;

/// A transaction of an offer.
#[derive(Clone, Debug)]
pub struct OfferedTransaction {
    /// The transaction.
    pub tx: Transaction,
    /// Its fee.
    pub fee: Amount,
    /// Its sigop cost (BIP-0141).
    pub sigop_cost: u64,
    /// Positions in the offer of transactions that it spends, from 0.
    pub depends: Vec<usize>,
}

/// What another node offers to be mined.
#[derive(Clone, Debug)]
pub struct TemplateOffer {
    /// The block's height.
    pub height: Height,
    /// Its parent.
    pub previous: BlockHash,
    /// Its header's version.
    pub version: i32,
    /// Its header's target.
    pub bits: CompactTarget,
    /// The node's time, Unix seconds.
    pub time: u32,
    /// The earliest time for the header.
    pub min_time: u32,
    /// The latest one, where there is one.
    pub max_time: Option<u32>,
    /// What the coinbase may pay: subsidy and fees.
    pub coinbase_value: Amount,
    /// The transactions after the coinbase, parents before children.
    pub transactions: Vec<OfferedTransaction>,
    /// The script that commits to the witnesses, under segwit.
    pub witness_commitment: Option<ScriptBuf>,
    /// The most that the block may weigh.
    pub max_weight: u64,
    /// The most that its sigops may cost.
    pub max_sigop_cost: u64,
}

impl Template {
    /// The block that is offered, paid to `payout`. What has no room beside the coinbase is left out, from the end.
    ///
    /// # Errors
    /// The offer contradicts itself, so that no valid block can come of it.
    pub fn from_offer(offer: TemplateOffer, payout: &Script) -> Result<Self, OfferError> {
        if Target::from_compact(offer.bits) == Target::ZERO {
            return Err(OfferError::NoTarget { bits: offer.bits });
        }
        if offer.max_time.is_some_and(|latest| latest < offer.min_time) {
            return Err(OfferError::NoTime);
        }
        let fees = offer
            .transactions
            .iter()
            .try_fold(Amount::ZERO, |sum, entry| sum.checked_add(entry.fee));
        let subsidy = fees
            .and_then(|fees| offer.coinbase_value.checked_sub(fees))
            .filter(|_| offer.coinbase_value <= Amount::MAX_MONEY)
            .ok_or(OfferError::Value {
                coinbase_value: offer.coinbase_value,
            })?;
        let segwit = match offer.witness_commitment {
            Some(_) => Segwit::Active,
            None => Segwit::Inactive,
        };
        let frame = Frame {
            height: offer.height,
            previous: offer.previous,
            version: offer.version,
            bits: offer.bits,
            time: offer.time,
            min_time: offer.min_time,
            max_time: offer.max_time,
            subsidy,
            bounds: Bounds::of_offer(offer.max_weight, offer.max_sigop_cost),
            segwit,
        };
        let transactions = offered_transactions(offer.transactions, segwit)?;
        let template = Self::assemble(frame, payout, transactions);
        if template.witness_commitment != offer.witness_commitment {
            return Err(OfferError::Commitment);
        }
        let template = template.with_payout(payout);
        if template.exceeds_bounds() {
            return Err(OfferError::NoRoom);
        }
        Ok(template)
    }
}

fn offered_transactions(
    offered: Vec<OfferedTransaction>,
    segwit: Segwit,
) -> Result<Arc<[TemplateTransaction]>, OfferError> {
    let transactions = offered.into_iter().enumerate().map(|(position, entry)| {
        let has_witness = entry.tx.input.iter().any(|input| !input.witness.is_empty());
        if has_witness && segwit == Segwit::Inactive {
            return Err(OfferError::Commitment);
        }
        if entry.depends.iter().any(|parent| *parent >= position) {
            return Err(OfferError::Order { position });
        }
        Ok(TemplateTransaction {
            txid: entry.tx.compute_txid(),
            wtxid: entry.tx.compute_wtxid(),
            weight: entry.tx.weight().to_wu(),
            tx: Arc::new(entry.tx),
            fee: entry.fee,
            sigop_cost: entry.sigop_cost,
            depends: entry.depends,
        })
    });
    transactions.collect()
}

#[cfg(test)]
#[path = "offer_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
