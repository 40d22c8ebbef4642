//! Walks through all coins of one tip.

use std::ops::ControlFlow;

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::OutPoint;

use super::CoinsTable;
use crate::ChainError;
use crate::info::Tip;
use crate::shared::Shared;

/// A walk through the coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinScan {
    /// The tip whose coins they are.
    pub tip: Tip,
    /// Bytes that they take on disk, about.
    pub disk_bytes: u64,
    /// How it ended.
    pub end: ScanEnd,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// Behind the last coin.
    Whole,
    /// Where the visitor broke off.
    BrokenOff,
}

/// Shows every coin to `visit`, in the order of the bytes of the transactions' ids and then of the
/// outputs' numbers. What the writer does meanwhile is not seen, and it does not wait.
pub(crate) fn scan_coins(
    shared: &Shared,
    mut visit: impl FnMut(&OutPoint, &Coin) -> ControlFlow<()>,
) -> Result<CoinScan, ChainError> {
    let database = shared.database()?;
    let (snapshot, id) = shared.snapshot(&database)?;
    let tip = shared.tree().node(id).tip();
    let table = CoinsTable::of_tip(&snapshot)?;
    let disk_bytes = table.bytes(&database)?;
    let mut end = ScanEnd::Whole;
    for record in table.scan(&snapshot) {
        let (outpoint, coin) = record?;
        if visit(&outpoint, &coin).is_break() {
            end = ScanEnd::BrokenOff;
            break;
        }
    }
    Ok(CoinScan {
        tip,
        disk_bytes,
        end,
    })
}
