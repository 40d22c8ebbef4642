//! The set of all coins.

use std::ops::ControlFlow;

use pyrite_chain::{CoinScan, ScanEnd};
use pyrite_consensus::coin_stats::{CoinStats, CoinStatsBuilder, HashKind};
use serde_json::{Value, json};

use super::Handler;
use crate::api::coin_set::CoinSetServer;
use crate::call::{CallError, CallResult, code};
use crate::error::stopping;
use crate::json::Btc;

impl CoinSetServer for Handler {
    fn get_tx_out_set_info(
        &self,
        hash_type: Option<String>,
        hash_or_height: Option<Value>,
        _use_index: Option<bool>,
    ) -> CallResult<Value> {
        let kind = hash_type.map_or(Ok(HashKind::Serialized), |name| read_hash_kind(&name))?;
        if hash_or_height.is_some() {
            return Err(CallError::invalid_parameter(
                "Querying specific block heights requires coinstatsindex",
            ));
        }
        let mut builder = CoinStatsBuilder::new(kind);
        let scan = self.context.chain.scan_coins(|outpoint, coin| {
            if self.stop.is_stopping() {
                return ControlFlow::Break(());
            }
            builder.add(outpoint, coin);
            ControlFlow::Continue(())
        })?;
        match scan.end {
            ScanEnd::Whole => stats_json(&scan, kind, &builder.finish()),
            ScanEnd::BrokenOff => Err(stopping()),
        }
    }

    fn scan_tx_out_set(
        &self,
        action: String,
        scanobjects: Option<Vec<Value>>,
    ) -> CallResult<Value> {
        self.search_coins(&action, scanobjects)
    }
}

/// Reads the name of a hash.
fn read_hash_kind(name: &str) -> CallResult<HashKind> {
    match name {
        "hash_serialized_3" => Ok(HashKind::Serialized),
        "muhash" => Ok(HashKind::MuHash),
        "none" => Ok(HashKind::None),
        _ => Err(CallError::invalid_parameter(format!(
            "'{name}' is not a valid hash_type"
        ))),
    }
}

fn stats_json(scan: &CoinScan, kind: HashKind, stats: &CoinStats) -> CallResult<Value> {
    let total = stats
        .total_amount
        .ok_or_else(|| CallError::new(code::INTERNAL_ERROR, "Unable to read UTXO set"))?;
    let mut form = json!({
        "height": scan.tip.height.0,
        "bestblock": scan.tip.hash.to_string(),
        "txouts": stats.outputs,
        "bogosize": stats.bogo_size,
    });
    if let Some(hash) = &stats.hash {
        let name = match kind {
            HashKind::MuHash => "muhash",
            HashKind::Serialized | HashKind::None => "hash_serialized_3",
        };
        form[name] = hash.to_string().into();
    }
    form["total_amount"] = Btc::from(total).value();
    form["transactions"] = stats.transactions.into();
    form["disk_size"] = scan.disk_bytes.into();
    Ok(form)
}
