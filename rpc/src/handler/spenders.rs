//! What spends outputs: by the mempool, and by the index of spending transactions.

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{OutPoint, Transaction};
use pyrite_index::IndexKind;
use serde_json::{Value, json};

use super::Handler;
use crate::api::spenders::SpendersServer;
use crate::call::{CallError, CallResult, code};
use crate::params::{self, Member, Presence, strict_object};

/// The members of an output that a caller names.
const OUTPUT: [Member; 2] = [
    Member {
        name: "txid",
        type_name: "string",
        need: Presence::Required,
    },
    Member {
        name: "vout",
        type_name: "number",
        need: Presence::Required,
    },
];

/// The options.
const OPTIONS: [Member; 2] = [
    Member {
        name: "mempool_only",
        type_name: "bool",
        need: Presence::Optional,
    },
    Member {
        name: "return_spending_tx",
        type_name: "bool",
        need: Presence::Optional,
    },
];

/// Where is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Mempool,
    MempoolAndBlocks,
}

/// What is told of a spending transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Id,
    IdAndBytes,
}

impl SpendersServer for Handler {
    fn get_tx_spending_prevout(
        &self,
        outputs: Vec<Value>,
        options: Option<Value>,
    ) -> CallResult<Value> {
        if outputs.is_empty() {
            return Err(CallError::invalid_parameter(
                "Invalid parameter, outputs are missing",
            ));
        }
        let (scope, detail) = self.spender_options(options.as_ref())?;
        let outpoints = outputs
            .iter()
            .map(read_outpoint)
            .collect::<CallResult<Vec<_>>>()?;
        // What the last block took is no longer the mempool's.
        self.mempool_at_tip()?;
        outpoints
            .iter()
            .map(|outpoint| self.spender_json(outpoint, scope, detail))
            .collect()
    }
}

impl Handler {
    fn spender_options(&self, options: Option<&Value>) -> CallResult<(Scope, Detail)> {
        let object = match options {
            None | Some(Value::Null) => None,
            Some(value) => Some(strict_object(value, &OPTIONS)?),
        };
        let option = |name| object.and_then(|object| object.get(name)?.as_bool());
        let is_on = self.context.indexes.is_on(IndexKind::Spenders);
        let scope = if option("mempool_only").unwrap_or(!is_on) {
            Scope::Mempool
        } else {
            Scope::MempoolAndBlocks
        };
        let detail = if option("return_spending_tx").unwrap_or(false) {
            Detail::IdAndBytes
        } else {
            Detail::Id
        };
        Ok((scope, detail))
    }

    fn spender_json(&self, outpoint: &OutPoint, scope: Scope, detail: Detail) -> CallResult<Value> {
        let mut form = json!({
            "txid": outpoint.txid.to_string(),
            "vout": outpoint.vout,
        });
        let mempool = &self.context.mempool;
        let spender = mempool.spender(outpoint);
        if let Some(entry) = spender.and_then(|txid| mempool.get(&txid)) {
            form["spendingtxid"] = entry.txid.to_string().into();
            if detail == Detail::IdAndBytes {
                form["spendingtx"] = serialize_hex(entry.tx.as_ref()).into();
            }
            return Ok(form);
        }
        if scope == Scope::Mempool {
            return Ok(form);
        }
        let indexes = &self.context.indexes;
        if !indexes.wait_until_current(IndexKind::Spenders) {
            return Err(CallError::misc(format!(
                "No spending tx for the outpoint {}:{} in mempool, and txospenderindex is unavailable.",
                outpoint.txid, outpoint.vout
            )));
        }
        if let Some(spender) = indexes.spender(*outpoint)? {
            form["spendingtxid"] = spender.txid.to_string().into();
            if detail == Detail::IdAndBytes {
                let block = self
                    .context
                    .reader
                    .shared_block(&spender.block)?
                    .ok_or_else(|| CallError::misc("Block not available"))?;
                let transaction = usize::try_from(spender.position)
                    .ok()
                    .and_then(|position| block.txdata.get(position))
                    .filter(|transaction| spends(transaction, outpoint))
                    .ok_or_else(|| CallError::new(code::INTERNAL_ERROR, "Spender index corrupt"))?;
                form["spendingtx"] = serialize_hex(transaction).into();
            }
            form["blockhash"] = spender.block.to_string().into();
        }
        Ok(form)
    }
}

fn spends(transaction: &Transaction, outpoint: &OutPoint) -> bool {
    let mut inputs = transaction.input.iter();
    inputs.any(|input| input.previous_output == *outpoint)
}

/// Reads an output that a caller names.
fn read_outpoint(value: &Value) -> CallResult<OutPoint> {
    let object = strict_object(value, &OUTPUT)?;
    let member = |name| object.get(name).unwrap_or(&Value::Null);
    let txid = params::hash("txid", params::text(member("txid"))?)?;
    let vout = member("vout")
        .as_i64()
        .ok_or_else(params::integer_out_of_range)?;
    let vout = u32::try_from(params::int(vout)?)
        .map_err(|_| CallError::invalid_parameter("Invalid parameter, vout cannot be negative"))?;
    Ok(OutPoint { txid, vout })
}
