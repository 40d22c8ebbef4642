//! Unconfirmed transactions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Transaction, Txid};
use pyrite_mempool::MempoolEntry;
use serde_json::{Map, Value, json};

use super::Handler;
use super::blockchain::to_value;
use crate::api::mempool::MempoolServer;
use crate::call::{CallError, CallResult};
use crate::json::{Btc, Chunk, chunks, entry_json};
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
        let chunks = chunks(&snapshot.entries);
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
            let form = entry_json(entry, chunk_of(&chunks, entry), own);
            entries.insert(entry.txid.to_string(), to_value(&form)?);
        }
        Ok(Value::Object(entries))
    }

    fn get_mempool_info(&self) -> CallResult<Value> {
        let info = self.context.mempool.info();
        let config = self.context.mempool.config();
        let limits = config.limits;
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
            "permitbaremultisig": true,
            "maxdatacarriersize": config.max_data_carrier_bytes,
            // Chains of transactions are limited here, not clusters: what always fits is told.
            "limitclustercount": limits.ancestor_count.min(limits.descendant_count),
            "limitclustersize": limits.ancestor_size.min(limits.descendant_size),
            // The order follows from the mempool at once: no work on it is left over.
            "optimal": true,
        }))
    }

    fn get_mempool_entry(&self, txid: String) -> CallResult<Value> {
        let txid: Txid = params::hash("txid", &txid)?;
        let entry = self
            .context
            .mempool
            .get(&txid)
            .ok_or_else(|| CallError::not_found("Transaction not in mempool"))?;
        let chunk = chunk_of(&chunks(&self.cluster(&entry)), &entry);
        to_value(&entry_json(&entry, chunk, self.is_replaceable(&entry)))
    }
}

impl Handler {
    /// The entries that are linked to this one over any number of steps, itself included, parents before
    /// their children.
    fn cluster(&self, start: &Arc<MempoolEntry>) -> Vec<Arc<MempoolEntry>> {
        let mut seen = HashSet::from([start.txid]);
        let mut cluster = vec![Arc::clone(start)];
        let mut next = 0;
        while let Some(entry) = cluster.get(next).cloned() {
            next += 1;
            for txid in entry.depends.iter().chain(&entry.spent_by) {
                if seen.insert(*txid) {
                    cluster.extend(self.context.mempool.get(txid));
                }
            }
        }
        // A child has more ancestors than each of its parents.
        cluster.sort_by_key(|entry| entry.ancestor_count);
        cluster
    }

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

/// The chunk of an entry; one that has just come stands alone.
fn chunk_of(chunks: &HashMap<Txid, Chunk>, entry: &MempoolEntry) -> Chunk {
    chunks.get(&entry.txid).copied().unwrap_or(Chunk {
        weight: entry.weight,
        fees: entry.fee,
    })
}

/// Whether a transaction itself signals BIP-0125.
fn signals_replacement(transaction: &Transaction) -> bool {
    transaction
        .input
        .iter()
        .any(|input| input.sequence.is_rbf())
}
