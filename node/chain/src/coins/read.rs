//! Coins from the database.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::OutPoint;
use pyrite_storage::Snapshot;
use pyrite_storage::schema::Coins;

use crate::ChainError;

/// Those of the coins that the database has.
pub(crate) fn read_coins(
    snapshot: &Snapshot<'_>,
    outpoints: &[OutPoint],
) -> Result<Vec<(OutPoint, Coin)>, ChainError> {
    let found = snapshot.multi_get::<Coins>(outpoints)?;
    let coins = outpoints.iter().zip(found);
    Ok(coins
        .filter_map(|(outpoint, coin)| Some((*outpoint, coin?)))
        .collect())
}
