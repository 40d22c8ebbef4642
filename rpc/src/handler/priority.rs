//! What the operator adds to the fees of transactions.

use pyrite_consensus::bitcoin::Txid;
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::priority::PriorityServer;
use crate::call::{CallError, CallResult};
use crate::params;

impl PriorityServer for Handler {
    fn prioritise_transaction(
        &self,
        txid: String,
        dummy: Option<Value>,
        fee_delta: Value,
    ) -> CallResult<bool> {
        let txid: Txid = params::hash("txid", &txid)?;
        let delta = fee_delta
            .as_i64()
            .ok_or_else(params::integer_out_of_range)?;
        let is_zero = |value: &Value| value.is_null() || value.as_f64() == Some(0.0);
        if !dummy.as_ref().is_none_or(is_zero) {
            return Err(CallError::invalid_parameter(
                "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.",
            ));
        }
        // What the last block took is no longer the mempool's.
        let mempool = self.mempool_at_tip()?;
        if mempool.has_dust(&txid) {
            return Err(CallError::invalid_parameter(
                "Priority is not supported for transactions with dust outputs.",
            ));
        }
        mempool.prioritise(txid, delta);
        Ok(true)
    }

    fn get_prioritised_transactions(&self) -> CallResult<Value> {
        let mut form = Map::new();
        for entry in self.mempool_at_tip()?.prioritised() {
            let mut one = json!({
                "fee_delta": entry.delta,
                "in_mempool": entry.modified_fee.is_some(),
            });
            if let Some(fee) = entry.modified_fee {
                one["modified_fee"] = fee.into();
            }
            form.insert(entry.txid.to_string(), one);
        }
        Ok(Value::Object(form))
    }
}
