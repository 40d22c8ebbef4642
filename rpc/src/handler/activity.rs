//! What happened to the outputs of descriptors.

use std::collections::HashSet;

use jsonrpsee::Extensions;
use pyrite_chain::HeaderInfo;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Transaction, TxOut,
};
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::activity::ActivityServer;
use crate::call::{CallError, CallResult};
use crate::dialect::UnderWay;
use crate::error::stopping;
use crate::json::{Btc, script_pub_key_json};
use crate::params;
use crate::scan::{check_total, read_scan_object};

impl ActivityServer for Handler {
    fn get_descriptor_activity(
        &self,
        extensions: &Extensions,
        blockhashes: Option<Vec<Value>>,
        scanobjects: Option<Vec<Value>>,
        include_mempool: Option<bool>,
    ) -> CallResult<Value> {
        let mut blocks = Vec::new();
        for hash in blockhashes.unwrap_or_default() {
            let hash: BlockHash = params::hash("blockhash", params::text(&hash)?)?;
            let info = self.header_info(&hash)?;
            if !self.context.reader.is_in_best_chain(&hash) {
                return Err(CallError::not_found("Block is not in main chain"));
            }
            blocks.push(info);
        }
        blocks.sort_by_key(|info| info.height);
        blocks.dedup_by_key(|info| info.hash);
        let mut scripts = HashSet::new();
        for object in scanobjects.unwrap_or_default() {
            let kind = self.context.spec.address_kind;
            let needles = read_scan_object(&object, kind, &self.stop)?;
            scripts.extend(needles.into_iter().map(|needle| needle.script));
            check_total(scripts.len())?;
        }
        let end = UnderWay::end_of(extensions);
        let is_over = || end.is_asked_for() || self.stop.is_stopping();
        let mut activity = Vec::new();
        for info in &blocks {
            if is_over() {
                return Err(stopping());
            }
            let block = self.block_body(&info.hash)?;
            self.of_block(&block, info, &scripts, &mut activity)?;
        }
        if include_mempool.unwrap_or(true) {
            self.of_mempool(&scripts, &mut activity, is_over)?;
        }
        Ok(json!({ "activity": activity }))
    }
}

impl Handler {
    fn of_block(
        &self,
        block: &Block,
        info: &HeaderInfo,
        scripts: &HashSet<ScriptBuf>,
        activity: &mut Vec<Value>,
    ) -> CallResult<()> {
        // The genesis block spends nothing, and its output can't be spent.
        let spent = self.spent_coins(&info.hash)?.unwrap_or_default();
        let mut coins = spent.iter();
        for transaction in &block.txdata {
            let mut outputs = Vec::new();
            if !transaction.is_coinbase() {
                let own = coins.by_ref().take(transaction.input.len());
                outputs.extend(own.map(|coin| Some(coin.output.clone())));
            }
            self.of_transaction(transaction, &outputs, Some(info), scripts, activity)?;
        }
        Ok(())
    }

    fn of_mempool(
        &self,
        scripts: &HashSet<ScriptBuf>,
        activity: &mut Vec<Value>,
        is_over: impl Fn() -> bool,
    ) -> CallResult<()> {
        let snapshot = self.mempool_at_tip()?.snapshot();
        for entry in &snapshot.entries {
            if is_over() {
                return Err(stopping());
            }
            let spent: Vec<OutPoint> = entry
                .tx
                .input
                .iter()
                .map(|input| input.previous_output)
                .collect();
            let mut known = self.unspent_outputs(&spent)?;
            let outputs: Vec<_> = spent.iter().map(|spent| known.remove(spent)).collect();
            self.of_transaction(&entry.tx, &outputs, None, scripts, activity)?;
        }
        Ok(())
    }

    fn of_transaction(
        &self,
        transaction: &Transaction,
        spent: &[Option<TxOut>],
        block: Option<&HeaderInfo>,
        scripts: &HashSet<ScriptBuf>,
        activity: &mut Vec<Value>,
    ) -> CallResult<()> {
        let txid = transaction.compute_txid().to_string();
        for (index, (input, output)) in transaction.input.iter().zip(spent).enumerate() {
            let Some(output) = output.as_ref() else {
                continue;
            };
            if !scripts.contains(&output.script_pubkey) {
                continue;
            }
            let mut form = event("spend", output.value, block);
            form.insert("spend_txid".into(), txid.clone().into());
            form.insert("spend_vin".into(), index.into());
            let previous = input.previous_output;
            form.insert("prevout_txid".into(), previous.txid.to_string().into());
            form.insert("prevout_vout".into(), previous.vout.into());
            form.insert("prevout_spk".into(), self.script_form(output));
            activity.push(form.into());
        }
        for (index, output) in transaction.output.iter().enumerate() {
            if !scripts.contains(&output.script_pubkey) {
                continue;
            }
            let mut form = event("receive", output.value, block);
            form.insert("txid".into(), txid.clone().into());
            form.insert("vout".into(), index.into());
            form.insert("output_spk".into(), self.script_form(output));
            activity.push(form.into());
        }
        Ok(())
    }

    fn script_form(&self, output: &TxOut) -> Value {
        script_pub_key_json(&output.script_pubkey, self.address_network())
    }
}

/// What every event has.
fn event(kind: &str, amount: Amount, block: Option<&HeaderInfo>) -> Map<String, Value> {
    let mut form = Map::new();
    form.insert("type".into(), kind.into());
    form.insert("amount".into(), Btc::from(amount).value());
    if let Some(info) = block {
        form.insert("blockhash".into(), info.hash.to_string().into());
        form.insert("height".into(), info.height.0.into());
    }
    form
}
