//! Unconfirmed transactions.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::{Transaction, Txid};
use pyrite_mempool::MempoolEntry;
use serde_json::{Map, Value, json};

use super::Handler;
use super::blockchain::to_value;
use crate::api::mempool::MempoolServer;
use crate::call::{CallError, CallResult};
use crate::json::{Btc, entry_json};
use crate::params;

/// The most ancestors that are asked whether they signal BIP-0125; more than a chain may have.
const MAX_ANCESTORS: usize = 128;

impl MempoolServer for Handler {
    fn get_raw_mempool(
        &self,
        verbose: Option<bool>,
        mempool_sequence: Option<bool>,
    ) -> CallResult<Value> {
        let with_sequence = mempool_sequence.unwrap_or(false);
        let snapshot = self.context.mempool.snapshot();
        if !verbose.unwrap_or(false) {
            let ids: Value = snapshot
                .entries
                .iter()
                .map(|entry| Value::String(entry.txid.to_string()))
                .collect();
            return Ok(if with_sequence {
                json!({ "txids": ids, "mempool_sequence": snapshot.sequence })
            } else {
                ids
            });
        }
        if with_sequence {
            return Err(CallError::invalid_parameter(
                "Verbose results cannot contain mempool sequence values.",
            ));
        }
        // Parents come before their children, so what an entry inherits is known.
        let mut replaceable: HashMap<Txid, bool> = HashMap::with_capacity(snapshot.entries.len());
        let mut entries = Map::with_capacity(snapshot.entries.len());
        for entry in &snapshot.entries {
            let inherits = entry
                .depends
                .iter()
                .any(|parent| replaceable.get(parent).is_some_and(|own| *own));
            let own = inherits || signals_replacement(&entry.tx);
            replaceable.insert(entry.txid, own);
            entries.insert(entry.txid.to_string(), to_value(&entry_json(entry, own))?);
        }
        Ok(Value::Object(entries))
    }

    fn get_mempool_info(&self) -> CallResult<Value> {
        let info = self.context.mempool.info();
        Ok(json!({
            "loaded": true,
            "size": info.size,
            "bytes": info.bytes,
            "usage": info.usage,
            "total_fee": Btc::from(info.total_fee),
            "maxmempool": info.max_bytes,
            "mempoolminfee": Btc::from_sat(info.min_fee.0),
            "minrelaytxfee": Btc::from_sat(info.min_relay_fee.0),
            "incrementalrelayfee": Btc::from_sat(info.incremental_relay_fee.0),
            "unbroadcastcount": 0,
            "fullrbf": true,
        }))
    }

    fn get_mempool_entry(&self, txid: String) -> CallResult<Value> {
        let txid: Txid = params::hash("txid", &txid)?;
        let entry = self
            .context
            .mempool
            .get(&txid)
            .ok_or_else(|| CallError::not_found("Transaction not in mempool"))?;
        to_value(&entry_json(&entry, self.is_replaceable(&entry)))
    }
}

impl Handler {
    /// Whether an entry or one of its ancestors signals BIP-0125.
    fn is_replaceable(&self, entry: &MempoolEntry) -> bool {
        if signals_replacement(&entry.tx) {
            return true;
        }
        let mut waiting = entry.depends.clone();
        for _ in 0..MAX_ANCESTORS {
            let Some(parent) = waiting.pop() else {
                return false;
            };
            if let Some(parent) = self.context.mempool.get(&parent) {
                if signals_replacement(&parent.tx) {
                    return true;
                }
                waiting.extend(&parent.depends);
            }
        }
        false
    }
}

/// Whether a transaction itself signals BIP-0125.
fn signals_replacement(transaction: &Transaction) -> bool {
    transaction
        .input
        .iter()
        .any(|input| input.sequence.is_rbf())
}
