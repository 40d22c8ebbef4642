//! Ephemeral dust: an output of little worth in a transaction that pays nothing, for a child that pays for both and spends it
//! (Bitcoin Core's `ephemeral_policy`). So dust is either spent in the block in which it comes, or never comes.

use std::collections::HashSet;

use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, Txid};

use super::dust::dust_outputs;
use crate::{FeeRate, NonStandard};

/// Checks that a transaction with dust pays no fee, with what the operator added neither: no miner takes it alone.
pub(crate) fn check_dust_pays_nothing(
    transaction: &Transaction,
    rate: FeeRate,
    fee: Amount,
    modified_fee: i64,
) -> Result<(), NonStandard> {
    let pays_nothing = fee == Amount::ZERO && modified_fee == 0;
    if !pays_nothing && dust_outputs(transaction, rate).next().is_some() {
        return Err(NonStandard::DustWithFee);
    }
    Ok(())
}

/// Whether a transaction spends all dust of its unconfirmed parents. `parent` looks one up.
pub(crate) fn check_dust_is_spent<'a>(
    transaction: &Transaction,
    rate: FeeRate,
    parent: impl Fn(&Txid) -> Option<&'a Transaction>,
) -> Result<(), OutPoint> {
    let spent: HashSet<OutPoint> = transaction
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    let parents: HashSet<Txid> = spent.iter().map(|outpoint| outpoint.txid).collect();
    for txid in parents {
        let Some(parent) = parent(&txid) else {
            continue;
        };
        let mut dust = dust_outputs(parent, rate).map(|vout| OutPoint { txid, vout });
        if let Some(left) = dust.find(|outpoint| !spent.contains(outpoint)) {
            return Err(left);
        }
    }
    Ok(())
}
