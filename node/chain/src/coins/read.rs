//! Coins from the database.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::OutPoint;
use pyrite_storage::Snapshot;

use super::CoinsTable;
use crate::ChainError;

/// Those of the coins that a table has.
pub(crate) fn read_coins(
    snapshot: &Snapshot<'_>,
    table: CoinsTable,
    outpoints: &[OutPoint],
) -> Result<Vec<(OutPoint, Coin)>, ChainError> {
    let found = table.multi_get(snapshot, outpoints)?;
    let coins = outpoints.iter().zip(found);
    Ok(coins
        .filter_map(|(outpoint, coin)| Some((*outpoint, coin?)))
        .collect())
}
