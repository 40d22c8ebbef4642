//! Unconfirmed transactions.

use pyrite_consensus::bitcoin::Txid;
use pyrite_mempool::EntryDetails;
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::mempool::MempoolServer;
use crate::call::{CallError, CallResult};
use crate::json::to_value;
use crate::json::{Btc, chunk_json, entry_json};
use crate::params;

impl MempoolServer for Handler {
    fn get_raw_mempool(
        &self,
        verbose: Option<bool>,
        mempool_sequence: Option<bool>,
    ) -> CallResult<Value> {
        let with_sequence = mempool_sequence.unwrap_or(false);
        let snapshot = self.mempool_at_tip()?.snapshot();
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
        entries_by_id(&self.mempool_at_tip()?.all_details())
    }

    fn get_mempool_ancestors(&self, txid: String, verbose: Option<bool>) -> CallResult<Value> {
        let txid = params::hash("txid", &txid)?;
        let ancestors = self.mempool_at_tip()?.ancestors(&txid);
        relatives(ancestors.ok_or_else(not_in_mempool)?, verbose)
    }

    fn get_mempool_descendants(&self, txid: String, verbose: Option<bool>) -> CallResult<Value> {
        let txid = params::hash("txid", &txid)?;
        let descendants = self.mempool_at_tip()?.descendants(&txid);
        relatives(descendants.ok_or_else(not_in_mempool)?, verbose)
    }

    fn get_mempool_cluster(&self, txid: String) -> CallResult<Value> {
        let txid = params::hash("txid", &txid)?;
        let cluster = self.mempool_at_tip()?.cluster(&txid);
        let chunks = cluster.ok_or_else(not_in_mempool)?;
        let weight: u64 = chunks.iter().map(|chunk| chunk.rate.weight).sum();
        let count: usize = chunks.iter().map(|chunk| chunk.entries.len()).sum();
        Ok(json!({
            "clusterweight": weight,
            "txcount": count,
            "chunks": chunks.iter().map(chunk_json).collect::<Vec<_>>(),
        }))
    }

    fn get_mempool_feerate_diagram(&self) -> CallResult<Value> {
        let best = self.mempool_at_tip()?.best_chunks(u64::MAX);
        let (mut weight, mut fee) = (0_u64, 0_i64);
        let mut points = vec![diagram_point(weight, fee)];
        for chunk in &best.chunks {
            weight = weight.saturating_add(chunk.rate.weight);
            fee = fee.saturating_add(chunk.rate.fee);
            points.push(diagram_point(weight, fee));
        }
        Ok(Value::Array(points))
    }

    fn get_mempool_info(&self) -> CallResult<Value> {
        let info = self.mempool_at_tip()?.info();
        let config = self.context.mempool.config();
        let limits = config.limits;
        Ok(json!({
            "loaded": self.context.mempool_file.is_loaded(),
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
            "permitbaremultisig": config.permit_bare_multisig,
            "maxdatacarriersize": config.max_data_carrier_bytes,
            "limitclustercount": limits.count,
            "limitclustersize": limits.vsize,
            // The order follows from the mempool at once: no work on it is left over.
            "optimal": true,
        }))
    }

    fn get_mempool_entry(&self, txid: String) -> CallResult<Value> {
        let txid: Txid = params::hash("txid", &txid)?;
        let details = self
            .mempool_at_tip()?
            .details(&txid)
            .ok_or_else(not_in_mempool)?;
        to_value(&entry_json(&details))
    }
}

fn not_in_mempool() -> CallError {
    CallError::not_found("Transaction not in mempool")
}

/// Ancestors or descendants in the order of their ids, as Bitcoin Core has them: the ids, or what is known of each.
fn relatives(mut details: Vec<EntryDetails>, verbose: Option<bool>) -> CallResult<Value> {
    details.sort_unstable_by_key(|one| one.entry.txid);
    if verbose.unwrap_or(false) {
        return entries_by_id(&details);
    }
    let ids = details.iter().map(|one| one.entry.txid.to_string());
    Ok(ids.map(Value::String).collect())
}

fn entries_by_id(details: &[EntryDetails]) -> CallResult<Value> {
    let mut entries = Map::with_capacity(details.len());
    for one in details {
        entries.insert(one.entry.txid.to_string(), to_value(&entry_json(one))?);
    }
    Ok(Value::Object(entries))
}

/// What a block of this weight would earn.
fn diagram_point(weight: u64, fee: i64) -> Value {
    json!({ "weight": weight, "fee": Btc::from_signed_sat(fee) })
}
