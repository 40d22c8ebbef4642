//! Transactions and scripts that are not on the network yet.

use std::collections::HashSet;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::opcodes::all::OP_RETURN;
use pyrite_consensus::bitcoin::script::{Builder, PushBytesBuf};
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
};
use serde_json::{Map, Value};

use super::Handler;
use super::rawtransactions::is_unspendable;
use crate::api::raw_create::RawCreateServer;
use crate::call::{CallError, CallResult};
use crate::json::{decoded_script_json, to_value, transaction_hex};
use crate::params;
use crate::repeated_keys::given_key;

/// What signals that a transaction may be replaced (BIP-0125).
const REPLACEABLE: Sequence = Sequence(0xffff_fffd);

/// The versions that are passed on.
const VERSIONS: std::ops::RangeInclusive<i32> = 1..=3;

/// What a new transaction is made of.
pub(super) struct NewTransaction {
    /// The inputs: objects of txid, vout, sequence.
    pub(super) inputs: Vec<Value>,
    /// The outputs: an object, or an array of objects.
    pub(super) outputs: Value,
    /// The lock time.
    pub(super) lock_time: Option<i64>,
    /// Whether the sequences signal replacement; they do if nothing is said.
    pub(super) replaceable: Option<bool>,
    /// The version.
    pub(super) version: Option<i64>,
}

impl RawCreateServer for Handler {
    fn create_raw_transaction(
        &self,
        inputs: Vec<Value>,
        outputs: Value,
        locktime: Option<i64>,
        replaceable: Option<bool>,
        version: Option<i64>,
    ) -> CallResult<String> {
        let transaction = self.new_transaction(&NewTransaction {
            inputs,
            outputs,
            lock_time: locktime,
            replaceable,
            version,
        })?;
        Ok(transaction_hex(&transaction))
    }

    fn decode_script(&self, hexstring: String) -> CallResult<Value> {
        // As in Bitcoin Core, here alone there may be no digits.
        let script = match hexstring.as_str() {
            "" => ScriptBuf::new(),
            digits => ScriptBuf::from_bytes(params::hex_bytes("argument", digits)?),
        };
        to_value(&decoded_script_json(
            &script,
            self.address_network(),
            is_unspendable(&script),
        ))
    }
}

impl Handler {
    /// A transaction without signatures (Bitcoin Core's `ConstructTransaction`).
    pub(super) fn new_transaction(&self, new: &NewTransaction) -> CallResult<Transaction> {
        let lock_time = u32::try_from(new.lock_time.unwrap_or(0)).map_err(|_| {
            CallError::invalid_parameter("Invalid parameter, locktime out of range")
        })?;
        let version = params::int(new.version.unwrap_or(2))?;
        if !VERSIONS.contains(&version) {
            return Err(CallError::invalid_parameter(
                "Invalid parameter, version out of range(1~3)",
            ));
        }
        let sequence = if new.replaceable.unwrap_or(true) {
            REPLACEABLE
        } else if lock_time > 0 {
            Sequence::ENABLE_LOCKTIME_NO_RBF
        } else {
            Sequence::MAX
        };
        let inputs = new.inputs.iter().map(|input| new_input(input, sequence));
        let input = inputs.collect::<CallResult<Vec<_>>>()?;
        let signals = |input: &TxIn| input.sequence <= REPLACEABLE;
        if new.replaceable == Some(true) && !input.is_empty() && !input.iter().any(signals) {
            return Err(CallError::invalid_parameter(
                "Invalid parameter combination: Sequence number(s) contradict replaceable option",
            ));
        }
        Ok(Transaction {
            version: Version(version),
            lock_time: LockTime::from_consensus(lock_time),
            output: self.new_outputs(&new.outputs)?,
            input,
        })
    }

    fn new_outputs(&self, outputs: &Value) -> CallResult<Vec<TxOut>> {
        let mut destinations = HashSet::new();
        let mut has_data = false;
        let mut made = Vec::new();
        for (name, value) in pairs(outputs)? {
            if name == "data" {
                if std::mem::replace(&mut has_data, true) {
                    return Err(CallError::invalid_parameter(
                        "Invalid parameter, duplicate key: data",
                    ));
                }
                made.push(data_output(value)?);
                continue;
            }
            let address = self
                .parse_address(name)
                .ok_or_else(|| CallError::not_found(format!("Invalid Bitcoin address: {name}")))?;
            let script_pubkey = address.script_pubkey();
            if !destinations.insert(script_pubkey.clone()) {
                return Err(CallError::invalid_parameter(format!(
                    "Invalid parameter, duplicated address: {name}"
                )));
            }
            made.push(TxOut {
                value: params::amount(value)?,
                script_pubkey,
            });
        }
        Ok(made)
    }
}

/// The outputs' names and values, in their order. A name may come twice.
fn pairs(outputs: &Value) -> CallResult<Vec<(&str, &Value)>> {
    fn all(object: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
        object
            .iter()
            .map(|(name, value)| (given_key(object, name), value))
    }
    match outputs {
        Value::Null => Err(CallError::invalid_parameter(
            "Invalid parameter, output argument must be non-null",
        )),
        Value::Object(object) => Ok(all(object).collect()),
        Value::Array(objects) => {
            let mut pairs = Vec::with_capacity(objects.len());
            for object in objects {
                let object = object.as_object().ok_or_else(|| {
                    CallError::invalid_parameter(
                        "Invalid parameter, key-value pair not an object as expected",
                    )
                })?;
                if object.len() != 1 {
                    return Err(CallError::invalid_parameter(
                        "Invalid parameter, key-value pair must contain exactly one key",
                    ));
                }
                pairs.extend(all(object));
            }
            Ok(pairs)
        }
        other => Err(params::wrong_type(other, "array")),
    }
}

/// An output that carries data.
fn data_output(value: &Value) -> CallResult<TxOut> {
    // Bitcoin Core takes the digits of a number as they are.
    let digits = match value {
        Value::Number(number) => number.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let data = PushBytesBuf::try_from(params::hex_bytes("Data", &digits)?)
        .map_err(|_| CallError::invalid_parameter("Data is too long"))?;
    Ok(TxOut {
        value: Amount::ZERO,
        script_pubkey: Builder::new()
            .push_opcode(OP_RETURN)
            .push_slice(data)
            .into_script(),
    })
}

fn new_input(input: &Value, sequence: Sequence) -> CallResult<TxIn> {
    let input = params::object(input)?;
    let field = |name: &str| input.get(name).unwrap_or(&Value::Null);
    let txid: Txid = params::hash("txid", params::text(field("txid"))?)?;
    let vout = field("vout");
    if !vout.is_number() {
        return Err(CallError::invalid_parameter(
            "Invalid parameter, missing vout key",
        ));
    }
    let vout = params::int(params::int64(vout)?)?;
    let vout = u32::try_from(vout)
        .map_err(|_| CallError::invalid_parameter("Invalid parameter, vout cannot be negative"))?;
    let sequence = match field("sequence") {
        number @ Value::Number(_) => {
            let sequence = u32::try_from(params::int64(number)?).map_err(|_| {
                CallError::invalid_parameter("Invalid parameter, sequence number is out of range")
            })?;
            Sequence(sequence)
        }
        _ => sequence,
    };
    Ok(TxIn {
        previous_output: OutPoint { txid, vout },
        script_sig: ScriptBuf::new(),
        sequence,
        witness: Witness::new(),
    })
}
