//! Unconfirmed transactions.

use pyrite_consensus::bitcoin::Txid;
use serde_json::{Map, Value, json};

use super::Handler;
use super::blockchain::to_value;
use crate::api::mempool::MempoolServer;
use crate::call::{CallError, CallResult};
use crate::json::{Btc, entry_json};
use crate::params;

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
        let mut entries = Map::with_capacity(snapshot.entries.len());
        for details in self.context.mempool.all_details() {
            let txid = details.entry.txid.to_string();
            entries.insert(txid, to_value(&entry_json(&details))?);
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
            .context
            .mempool
            .details(&txid)
            .ok_or_else(|| CallError::not_found("Transaction not in mempool"))?;
        to_value(&entry_json(&details))
    }
}
