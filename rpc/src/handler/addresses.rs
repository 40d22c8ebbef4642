//! The index of addresses.

use std::ops::RangeInclusive;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Address, BlockHash, Script, ScriptBuf};
use pyrite_index::{IndexKind, Page, PageCursor};
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::addresses::AddressesServer;
use crate::call::{CallError, CallResult, code};
use crate::params;

/// Scripts that one question may name.
const MAX_SCRIPTS: usize = 100;
/// Entries of a page where the caller does not say, and the most that one has.
const DEFAULT_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 10_000;

/// What is asked.
struct Question {
    scripts: Vec<ScriptBuf>,
    heights: RangeInclusive<u32>,
    after: Option<PageCursor>,
    limit: usize,
    form: Form,
}

/// How the answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// An array of everything.
    Array,
    /// An object of a page, with where it ends and which block it takes account of.
    Paged,
}

impl AddressesServer for Handler {
    fn get_address_balance(&self, addresses: Value) -> CallResult<Value> {
        let question = self.read_question(&addresses)?;
        self.check_address_index()?;
        let balance = self.context.indexes.balance(&question.scripts())?;
        let mut form = json!({
            "balance": satoshi(balance.balance_sat)?,
            "received": satoshi(balance.received_sat)?,
        });
        put_place(&mut form, balance.at);
        Ok(form)
    }

    fn get_address_deltas(&self, addresses: Value) -> CallResult<Value> {
        let question = self.read_question(&addresses)?;
        self.check_address_index()?;
        let page = self.context.indexes.history(
            &question.scripts(),
            question.heights.clone(),
            question.after.as_ref(),
            question.limit,
        )?;
        question.answer("deltas", page, |entry| {
            let script = &question.scripts[entry.script];
            let mut form = json!({
                "satoshis": i64::try_from(entry.amount_sat).map_err(|_| too_much())?,
                "txid": entry.txid.to_string(),
                "index": entry.number,
                "blockindex": entry.position,
                "height": entry.height.0,
            });
            self.put_address(&mut form, script);
            form["script"] = hex::encode(script.as_bytes()).into();
            Ok(form)
        })
    }

    fn get_address_tx_ids(&self, addresses: Value) -> CallResult<Value> {
        let question = self.read_question(&addresses)?;
        self.check_address_index()?;
        let page = self.context.indexes.history_transactions(
            &question.scripts(),
            question.heights.clone(),
            question.after.as_ref(),
            question.limit,
        )?;
        question.answer("txids", page, |(_, txid)| Ok(txid.to_string().into()))
    }

    fn get_address_utxos(&self, addresses: Value) -> CallResult<Value> {
        let question = self.read_question(&addresses)?;
        self.check_address_index()?;
        let page = self.context.indexes.unspent(
            &question.scripts(),
            question.after.as_ref(),
            question.limit,
        )?;
        question.answer("utxos", page, |entry| {
            let script = &question.scripts[entry.script];
            let mut form = json!({});
            self.put_address(&mut form, script);
            form["txid"] = entry.outpoint.txid.to_string().into();
            form["outputIndex"] = entry.outpoint.vout.into();
            form["script"] = hex::encode(script.as_bytes()).into();
            form["satoshis"] = entry.amount_sat.into();
            form["height"] = entry.height.0.into();
            form["coinbase"] = entry.is_coinbase.into();
            Ok(form)
        })
    }
}

impl Question {
    fn scripts(&self) -> Vec<&Script> {
        self.scripts.iter().map(ScriptBuf::as_script).collect()
    }

    /// The answer that a page of entries is.
    fn answer<T>(
        &self,
        name: &str,
        page: Page<T>,
        form_of: impl Fn(T) -> CallResult<Value>,
    ) -> CallResult<Value> {
        let entries = page.entries.into_iter().map(form_of);
        let entries = Value::Array(entries.collect::<CallResult<_>>()?);
        if self.form == Form::Array {
            // A part of an array can't be told from the whole.
            if page.next.is_some() {
                return Err(CallError::invalid_parameter(format!(
                    "There are more than {MAX_LIMIT} entries: ask for them page by page, with limit and \
                     after"
                )));
            }
            return Ok(entries);
        }
        let mut form = json!({});
        form[name] = entries;
        put_place(&mut form, page.at);
        form["next"] = page
            .next
            .map_or(Value::Null, |next| hex::encode(next.as_bytes()).into());
        Ok(form)
    }
}

impl Handler {
    /// The index must be on, and have seen the tip: what it does not know yet would be missing.
    fn check_address_index(&self) -> CallResult<()> {
        let indexes = &self.context.indexes;
        if indexes.wait_until_current(IndexKind::Addresses) {
            return Ok(());
        }
        Err(CallError::misc(
            match indexes.status(IndexKind::Addresses) {
                None => "Address index is not enabled. Use --addressindex".to_owned(),
                Some(status) => format!(
                    "The address index is still being built. Current height: {}",
                    status.best_height()
                ),
            },
        ))
    }

    fn put_address(&self, form: &mut Value, script: &Script) {
        if let Ok(address) = Address::from_script(script, self.address_network()) {
            form["address"] = address.to_string().into();
        }
    }

    fn read_question(&self, value: &Value) -> CallResult<Question> {
        let fields = match value {
            Value::String(address) => {
                let scripts = vec![self.read_address(address)?];
                return Ok(Question {
                    scripts,
                    heights: 0..=u32::MAX,
                    after: None,
                    limit: MAX_LIMIT,
                    form: Form::Array,
                });
            }
            Value::Object(fields) => fields,
            _ => return Err(CallError::not_found("Addresses is expected to be an array")),
        };
        check_names(fields)?;
        let is_paged = present(fields, "limit").is_some()
            || present(fields, "after").is_some()
            || present(fields, "chainInfo").is_some_and(|value| value == &Value::Bool(true));
        let limit = match present(fields, "limit") {
            Some(limit) => read_limit(limit)?,
            None if is_paged => DEFAULT_LIMIT,
            None => MAX_LIMIT,
        };
        Ok(Question {
            scripts: self.read_scripts(fields)?,
            heights: read_heights(fields)?,
            after: read_cursor(fields)?,
            limit,
            form: if is_paged { Form::Paged } else { Form::Array },
        })
    }

    fn read_scripts(&self, fields: &Map<String, Value>) -> CallResult<Vec<ScriptBuf>> {
        let addresses = array(fields, "addresses", "Addresses")?;
        let scripts = array(fields, "scripts", "Scripts")?;
        let count = addresses.len().saturating_add(scripts.len());
        if count == 0 {
            return Err(CallError::invalid_parameter(
                "Neither addresses nor scripts are given",
            ));
        }
        if count > MAX_SCRIPTS {
            return Err(CallError::invalid_parameter(format!(
                "{count} addresses and scripts, where {MAX_SCRIPTS} is the most"
            )));
        }
        let addresses = addresses
            .iter()
            .map(|address| self.read_address(params::text(address)?));
        let scripts = scripts.iter().map(|script| {
            let text = params::text(script)?;
            let bytes = hex::decode(text).map_err(|_| {
                CallError::invalid_parameter(format!(
                    "script must be hexadecimal string (not '{text}')"
                ))
            })?;
            Ok(ScriptBuf::from_bytes(bytes))
        });
        addresses.chain(scripts).collect()
    }

    fn read_address(&self, text: &str) -> CallResult<ScriptBuf> {
        self.parse_address(text)
            .map(|address| address.script_pubkey())
            .ok_or_else(|| CallError::not_found("Invalid address"))
    }
}

/// Refuses what has no meaning, so that a misspelt limit is not taken for none.
fn check_names(fields: &Map<String, Value>) -> CallResult<()> {
    const NAMES: [&str; 7] = [
        "addresses",
        "scripts",
        "start",
        "end",
        "limit",
        "after",
        "chainInfo",
    ];
    match fields.keys().find(|name| !NAMES.contains(&name.as_str())) {
        Some(name) => Err(CallError::new(
            code::TYPE_ERROR,
            format!("Unexpected key {name}"),
        )),
        None => Ok(()),
    }
}

fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn array<'a>(fields: &'a Map<String, Value>, name: &str, shown: &str) -> CallResult<&'a [Value]> {
    match present(fields, name) {
        None => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(CallError::not_found(format!(
            "{shown} is expected to be an array"
        ))),
    }
}

fn read_limit(value: &Value) -> CallResult<usize> {
    value
        .as_u64()
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| {
            CallError::invalid_parameter(format!("limit must be between 1 and {MAX_LIMIT}"))
        })
}

fn read_heights(fields: &Map<String, Value>) -> CallResult<RangeInclusive<u32>> {
    let read = |name: &str, default: u32| match present(fields, name) {
        None => Ok(default),
        Some(value) => value
            .as_u64()
            .and_then(|height| u32::try_from(height).ok())
            .ok_or_else(|| CallError::invalid_parameter(format!("{name} is not a height"))),
    };
    let (start, end) = (read("start", 0)?, read("end", u32::MAX)?);
    if end < start {
        return Err(CallError::not_found(
            "End value is expected to be greater than start",
        ));
    }
    Ok(start..=end)
}

fn read_cursor(fields: &Map<String, Value>) -> CallResult<Option<PageCursor>> {
    let Some(value) = present(fields, "after") else {
        return Ok(None);
    };
    let bytes = hex::decode(params::text(value)?)
        .map_err(|_| CallError::invalid_parameter("after is not what an answer gave"))?;
    Ok(Some(PageCursor::from_bytes(bytes)))
}

/// The block that an answer takes account of.
fn put_place(form: &mut Value, at: Option<(Height, BlockHash)>) {
    if let Some((height, hash)) = at {
        form["hash"] = hash.to_string().into();
        form["height"] = height.0.into();
    }
}

/// An amount as a JSON integer.
fn satoshi(amount_sat: u128) -> CallResult<Value> {
    let amount = u64::try_from(amount_sat).map_err(|_| too_much())?;
    Ok(amount.into())
}

fn too_much() -> CallError {
    CallError::new(code::INTERNAL_ERROR, "the amount is out of range")
}
