//! The set of all coins.

use std::ops::ControlFlow;

use jsonrpsee::Extensions;
use pyrite_chain::{CoinScan, HeaderInfo, ScanEnd};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::SignedAmount;
use pyrite_consensus::coin_stats::{CoinStats, CoinStatsBuilder, HashKind};
use pyrite_index::{BlockCoinStats, IndexKind};
use serde_json::{Value, json};

use super::Handler;
use crate::api::coin_set::CoinSetServer;
use crate::call::{CallError, CallResult, code};
use crate::dialect::UnderWay;
use crate::error::stopping;
use crate::json::Btc;

impl CoinSetServer for Handler {
    fn get_tx_out_set_info(
        &self,
        extensions: &Extensions,
        hash_type: Option<String>,
        hash_or_height: Option<Value>,
        use_index: Option<bool>,
    ) -> CallResult<Value> {
        let kind = hash_type.map_or(Ok(HashKind::Serialized), |name| read_hash_kind(&name))?;
        let use_index = use_index.unwrap_or(true);
        if let Some(block) = hash_or_height.filter(|value| !value.is_null()) {
            return self.stats_of_block(&block, kind, use_index);
        }
        // The index has no hash of the coins in their order.
        if use_index
            && kind != HashKind::Serialized
            && let Some(form) = self.stats_of_tip(kind)?
        {
            return Ok(form);
        }
        let end = UnderWay::end_of(extensions);
        let mut builder = CoinStatsBuilder::new(kind);
        let scan = self.context.chain.scan_coins(|outpoint, coin| {
            if end.is_asked_for() || self.stop.is_stopping() {
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
        extensions: &Extensions,
        action: String,
        scanobjects: Option<Vec<Value>>,
    ) -> CallResult<Value> {
        self.search_coins(&action, scanobjects, &UnderWay::end_of(extensions))
    }
}

impl Handler {
    /// The figures after a block, by the index.
    fn stats_of_block(&self, block: &Value, kind: HashKind, use_index: bool) -> CallResult<Value> {
        let indexes = &self.context.indexes;
        if !indexes.is_on(IndexKind::CoinStats) {
            return Err(CallError::invalid_parameter(
                "Querying specific block heights requires coinstatsindex",
            ));
        }
        if kind == HashKind::Serialized {
            return Err(CallError::invalid_parameter(
                "hash_serialized_3 hash type cannot be queried for a specific block",
            ));
        }
        if !use_index {
            return Err(CallError::invalid_parameter(
                "Cannot set use_index to false when querying for a specific block",
            ));
        }
        let info = self.block_by_hash_or_height(block)?;
        if !indexes.wait_until_current(IndexKind::CoinStats) {
            let status = indexes.status(IndexKind::CoinStats);
            let best = status.map_or(Height::GENESIS, |status| status.best_height());
            if info.height > best {
                return Err(CallError::new(
                    code::INTERNAL_ERROR,
                    format!(
                        "Unable to get data because coinstatsindex is still syncing. Current height: {best}"
                    ),
                ));
            }
        }
        self.indexed_stats(&info, kind)?.ok_or_else(unreadable)
    }

    /// The figures after the tip, if the index has seen it.
    fn stats_of_tip(&self, kind: HashKind) -> CallResult<Option<Value>> {
        let indexes = &self.context.indexes;
        if !indexes.wait_until_current(IndexKind::CoinStats) {
            return Ok(None);
        }
        let best = indexes
            .status(IndexKind::CoinStats)
            .and_then(|status| status.best);
        match best.and_then(|(_, hash)| self.context.reader.header(&hash)) {
            Some(info) => self.indexed_stats(&info, kind),
            None => Ok(None),
        }
    }

    /// The figures after a block and those of the block itself, if the index has seen it.
    fn indexed_stats(&self, info: &HeaderInfo, kind: HashKind) -> CallResult<Option<Value>> {
        let indexes = &self.context.indexes;
        let Some(stats) = indexes.coin_stats(&info.hash)? else {
            return Ok(None);
        };
        let before = if info.height == Height::GENESIS {
            None
        } else {
            let parent = info.header.prev_blockhash;
            Some(indexes.coin_stats(&parent)?.ok_or_else(unreadable)?)
        };
        Ok(Some(indexed_json(info, kind, &stats, before.as_ref())))
    }
}

fn unreadable() -> CallError {
    CallError::new(code::INTERNAL_ERROR, "Unable to read UTXO set")
}

/// The figures of the index: those of all blocks up to this one, less those up to the one before, are the
/// block's own.
fn indexed_json(
    info: &HeaderInfo,
    kind: HashKind,
    stats: &BlockCoinStats,
    before: Option<&BlockCoinStats>,
) -> Value {
    let mut form = json!({
        "height": info.height.0,
        "bestblock": info.hash.to_string(),
        "txouts": stats.outputs,
        "bogosize": stats.bogo_size,
    });
    if kind == HashKind::MuHash {
        form["muhash"] = stats.muhash().to_string().into();
    }
    form["total_amount"] = Btc::from_sat(stats.total_amount_sat).value();
    form["total_unspendable_amount"] = signed(stats.total_unspendable_sat());
    let of_block = |total: fn(&BlockCoinStats) -> u128| {
        let earlier = before.map_or(0, total);
        signed(wide(total(stats)).saturating_sub(wide(earlier)))
    };
    let of_block_signed = |total: fn(&BlockCoinStats) -> i128| {
        signed(total(stats).saturating_sub(before.map_or(0, total)))
    };
    form["block_info"] = json!({
        "prevout_spent": of_block(|stats| stats.prevout_spent_sat),
        "coinbase": of_block(|stats| stats.coinbase_sat),
        "new_outputs_ex_coinbase": of_block(|stats| stats.new_outputs_ex_coinbase_sat),
        "unspendable": of_block_signed(BlockCoinStats::total_unspendable_sat),
        "unspendables": {
            "genesis_block": of_block(|stats| stats.unspendable_genesis_sat),
            "bip30": of_block(|stats| stats.unspendable_bip30_sat),
            "scripts": of_block(|stats| stats.unspendable_scripts_sat),
            "unclaimed_rewards": of_block_signed(|stats| stats.unclaimed_rewards_sat),
        },
    });
    form
}

fn wide(total: u128) -> i128 {
    i128::try_from(total).unwrap_or(i128::MAX)
}

/// An amount that may be negative.
fn signed(sat: i128) -> Value {
    let bound = if sat < 0 { i64::MIN } else { i64::MAX };
    let sat = i64::try_from(sat).unwrap_or(bound);
    Btc::from(SignedAmount::from_sat(sat)).value()
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
    let total = stats.total_amount.ok_or_else(unreadable)?;
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
