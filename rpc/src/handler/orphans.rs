//! What waits for its parents.

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_mempool::Orphan;
use serde_json::{Value, json};

use super::Handler;
use crate::api::orphans::OrphansServer;
use crate::call::{CallError, CallResult, code};
use crate::params;

impl OrphansServer for Handler {
    fn get_orphan_txs(&self, verbosity: Option<Value>) -> CallResult<Value> {
        let verbosity = match &verbosity {
            None | Some(Value::Null) => 0,
            Some(Value::Bool(_)) => {
                return Err(CallError::new(
                    code::TYPE_ERROR,
                    "Verbosity was boolean but only integer allowed",
                ));
            }
            Some(Value::Number(number)) => {
                let number = number.as_i64().ok_or_else(params::integer_out_of_range)?;
                params::int(number)?
            }
            other => i32::from(params::verbosity(other.as_ref(), 0)?),
        };
        if !(0..=2).contains(&verbosity) {
            return Err(CallError::invalid_parameter(format!(
                "Invalid verbosity value {verbosity}"
            )));
        }
        let orphans = self.context.orphans.lock().list();
        Ok(orphans
            .iter()
            .map(|orphan| orphan_json(orphan, verbosity))
            .collect())
    }
}

fn orphan_json(orphan: &Orphan, verbosity: i32) -> Value {
    if verbosity == 0 {
        return orphan.txid.to_string().into();
    }
    let from: Vec<u64> = orphan.from.iter().map(|peer| peer.0).collect();
    let mut form = json!({
        "txid": orphan.txid.to_string(),
        "wtxid": orphan.wtxid.to_string(),
        "bytes": orphan.tx.total_size(),
        "vsize": orphan.tx.vsize(),
        "weight": orphan.weight,
        "from": from,
    });
    if verbosity == 2 {
        form["hex"] = serialize_hex(orphan.tx.as_ref()).into();
    }
    form
}
