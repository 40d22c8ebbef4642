//! Figures of blocks and of the chain.

use std::collections::BTreeSet;

use pyrite_chain::HeaderInfo;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::connect::is_bip30_repeat;
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::chain_stats::ChainStatsServer;
use crate::call::{CallError, CallResult};
use crate::json::{BlockStatsPlace, block_stats, float};
use crate::params;

/// The window of `getchaintxstats` by default, in seconds: one month.
const DEFAULT_WINDOW_S: u32 = 30 * 24 * 60 * 60;

impl ChainStatsServer for Handler {
    fn get_block_stats(
        &self,
        hash_or_height: Value,
        stats: Option<Vec<Value>>,
    ) -> CallResult<Value> {
        let info = self.block_by_hash_or_height(&hash_or_height)?;
        // Bitcoin Core returns them in the order of their names.
        let names: BTreeSet<&str> = stats
            .iter()
            .flatten()
            .map(params::text)
            .collect::<CallResult<_>>()?;
        let block = self.block_body(&info.hash)?;
        let spent = self
            .spent_coins(&info.hash)?
            .ok_or_else(|| CallError::misc("Undo data not available"))?;
        let is_genesis = info.height == Height::GENESIS;
        let place = BlockStatsPlace {
            height: info.height.0,
            median_time: info.median_time_past,
            subsidy: self.context.spec.subsidy(info.height),
            coinbase_makes_coins: !is_genesis && !is_bip30_repeat(info.height, info.hash),
        };
        let all = block_stats(&block, &spent, place);
        select(all, &names).map(Value::Object)
    }

    fn get_chain_tx_stats(
        &self,
        nblocks: Option<i64>,
        blockhash: Option<String>,
    ) -> CallResult<Value> {
        let last = self.window_end(blockhash)?;
        let count = self.window_length(nblocks, last.height)?;
        // The heights are those of the best chain, which may have been reorganised just now.
        let first = self
            .context
            .reader
            .hash_at(Height(last.height.0 - count))
            .and_then(|hash| self.context.reader.header(&hash))
            .ok_or_else(|| CallError::invalid_parameter("Block is not in main chain"))?;
        Ok(window_json(&first, &last, count))
    }
}

impl Handler {
    /// A block by its hash, or by its height in the best chain.
    pub(super) fn block_by_hash_or_height(&self, value: &Value) -> CallResult<HeaderInfo> {
        if !value.is_number() {
            let hash: BlockHash = params::hash("hash_or_height", params::text(value)?)?;
            return self.header_info(&hash);
        }
        let height = value.as_i64().ok_or_else(params::integer_out_of_range)?;
        let height = params::int(height)?;
        let tip = self.context.reader.tip().height;
        let Ok(wanted) = u32::try_from(height) else {
            return Err(CallError::invalid_parameter(format!(
                "Target block height {height} is negative"
            )));
        };
        let hash = self.context.reader.hash_at(Height(wanted)).ok_or_else(|| {
            CallError::invalid_parameter(format!(
                "Target block height {height} after current tip {tip}"
            ))
        })?;
        self.header_info(&hash)
    }

    /// The block that ends the window of `getchaintxstats`.
    fn window_end(&self, blockhash: Option<String>) -> CallResult<HeaderInfo> {
        let reader = &self.context.reader;
        let Some(text) = blockhash else {
            return self.header_info(&reader.tip().hash);
        };
        let info = self.header_info(&params::hash("blockhash", &text)?)?;
        if !reader.is_in_best_chain(&info.hash) {
            return Err(CallError::invalid_parameter("Block is not in main chain"));
        }
        Ok(info)
    }

    /// The number of blocks of the window that ends at `last`.
    fn window_length(&self, nblocks: Option<i64>, last: Height) -> CallResult<u32> {
        let most = last.0.saturating_sub(1);
        let Some(nblocks) = nblocks else {
            return Ok(most.min(DEFAULT_WINDOW_S / self.context.spec.target_spacing_s.max(1)));
        };
        u32::try_from(params::int(nblocks)?)
            .ok()
            .filter(|count| *count <= most)
            .ok_or_else(|| {
                CallError::invalid_parameter(
                    "Invalid block count: should be between 0 and the block's height - 1",
                )
            })
    }
}

/// The figures of those names, or all if there are none.
fn select(mut all: Map<String, Value>, names: &BTreeSet<&str>) -> CallResult<Map<String, Value>> {
    if names.is_empty() {
        return Ok(all);
    }
    names
        .iter()
        .map(|name| {
            let figure = all.remove(*name).ok_or_else(|| {
                CallError::invalid_parameter(format!("Invalid selected statistic '{name}'"))
            })?;
            Ok(((*name).to_owned(), figure))
        })
        .collect()
}

/// The answer of `getchaintxstats` for the blocks after `first` up to `last`.
fn window_json(first: &HeaderInfo, last: &HeaderInfo, count: u32) -> Value {
    let mut form = json!({ "time": last.header.time });
    if let Some(total) = last.chain_tx_count {
        form["txcount"] = total.into();
    }
    form["window_final_block_hash"] = last.hash.to_string().into();
    form["window_final_block_height"] = last.height.0.into();
    form["window_block_count"] = count.into();
    if count == 0 {
        return form;
    }
    let interval = i64::from(last.median_time_past) - i64::from(first.median_time_past);
    form["window_interval"] = interval.into();
    if let (Some(before), Some(total)) = (first.chain_tx_count, last.chain_tx_count) {
        let transactions = total - before;
        form["window_tx_count"] = transactions.into();
        if interval > 0 {
            form["txrate"] = float(rate(transactions, interval));
        }
    }
    form
}

/// Transactions a second.
#[allow(
    clippy::cast_precision_loss,
    reason = "both are far below 2^53, and a rate is rounded anyhow"
)]
fn rate(transactions: u64, seconds: i64) -> f64 {
    transactions as f64 / seconds as f64
}
