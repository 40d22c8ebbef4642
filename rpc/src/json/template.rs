//! The form of a block template, as text: it has thousands of transactions, and many callers get the same one.

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;

use axum::body::Bytes;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{Transaction, Witness, Wtxid};
use pyrite_miner::{Template, TemplateTransaction};
use serde_json::{Value, json};

use super::text::{push_encoded, push_hash, push_number};
use super::{bits_hex, target_hex};
use crate::dialect::JsonText;

/// The largest serialized block, which weight bounds already (`MAX_BLOCK_SERIALIZED_SIZE`).
const MAX_BLOCK_SIZE: u64 = 4_000_000;

/// What legacy sizes and sigops count of the limits (BIP-0141).
const WITNESS_SCALE_FACTOR: u64 = 4;

/// What a transaction's fields take beside its bytes, about.
const FIELDS_BYTES: u64 = 300;

/// What a block's coinbase should say, as script: it names the program that made the template.
const COINBASE_FLAGS: &str = "082f7079726974652f";

/// What a client may change of a template (BIP-0023), in Bitcoin Core's words.
const MUTABLE: &str = ",\"mutable\":[\"time\",\"transactions\",\"prevblock\"]";

/// The same beside a coinbase that was made here, to which an extranonce may be appended.
const MUTABLE_WITH_COINBASE: &str =
    ",\"mutable\":[\"time\",\"transactions\",\"prevblock\",\"coinbase/append\"]";

/// A template as `getblocktemplate` gives it, but for what depends on the call.
#[derive(Clone, Debug)]
pub(crate) struct TemplateText {
    before_time: Bytes,
    after_time: Bytes,
    /// What names this template: for long polls, and as the work's id.
    id: String,
    scale: u64,
    /// Where in `before_time` the transactions stand that depend on none of the others: the next template has most of them, too.
    places: HashMap<Wtxid, Range<usize>>,
}

impl TemplateText {
    /// Renders a template; `earlier` is an earlier one's text, from which it takes what stays the same.
    pub(crate) fn new(spec: &ChainSpec, template: &Template, earlier: Option<&Self>) -> Self {
        let segwit = template.height.0 >= spec.deployments.segwit;
        let scale = if segwit { 1 } else { WITNESS_SCALE_FACTOR };
        let mut text = Vec::with_capacity(expected_bytes(template));
        text.extend_from_slice(open(&before_transactions(spec, template).to_string()).as_bytes());
        text.extend_from_slice(b",\"transactions\":[");
        let mut places = HashMap::with_capacity(template.transactions.len());
        let earlier = earlier.filter(|earlier| earlier.scale == scale);
        for (index, entry) in template.transactions.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            let start = text.len();
            let rendered = earlier
                .filter(|_| entry.depends.is_empty())
                .and_then(|earlier| earlier.transaction(&entry.wtxid));
            match rendered {
                Some(rendered) => text.extend_from_slice(rendered),
                None => render_transaction(&mut text, entry, scale),
            }
            if entry.depends.is_empty() {
                places.insert(entry.wtxid, start..text.len());
            }
        }
        text.extend_from_slice(b"],");
        let rest = after_transactions(spec, template, scale).to_string();
        text.extend_from_slice(&open(&rest).as_bytes()[1..]);
        text.extend_from_slice(b",\"curtime\":");
        let last = last_fields(template).to_string();
        Self {
            before_time: text.into(),
            after_time: format!(",{}", open(&last[1..])).into(),
            id: template_id(template),
            scale,
            places,
        }
    }

    /// The text of a transaction that depends on no other.
    fn transaction(&self, wtxid: &Wtxid) -> Option<&[u8]> {
        self.before_time.get(self.places.get(wtxid)?.clone())
    }

    /// The whole, for one call.
    pub(crate) fn of_call(&self, call: &TemplateCall) -> JsonText {
        let mut text = match &call.coinbase {
            None => MUTABLE.to_owned(),
            Some(coinbase) => format!("{MUTABLE_WITH_COINBASE},\"coinbasetxn\":{coinbase}"),
        };
        if call.asks_work_id {
            text.push_str(&format!(",\"workid\":\"{}\"", self.id));
        }
        if call.old_work == OldWork::Stale {
            text.push_str(",\"submitold\":false");
        }
        text.push('}');
        JsonText::of_pieces([
            self.before_time.clone(),
            call.time.to_string().into(),
            self.after_time.clone(),
            text.into(),
        ])
    }

    /// What legacy sigops count of the limits.
    pub(crate) fn scale(&self) -> u64 {
        self.scale
    }
}

/// What of a template depends on the call.
#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateCall {
    /// The time for the header.
    pub(crate) time: u32,
    /// A coinbase that was made here, for clients that make none; see [`coinbase_form`].
    pub(crate) coinbase: Option<Value>,
    /// Whether the client brings a work's id back with its block.
    pub(crate) asks_work_id: bool,
    /// What the client should do with what it finds of earlier templates.
    pub(crate) old_work: OldWork,
}

/// What becomes of earlier templates when a long poll brings another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OldWork {
    /// Blocks are as good as before. That is not told: miners take `"submitold":true` for every block that they have
    /// still to bring, those on older tips among them.
    #[default]
    Welcome,
    /// Another tip makes its blocks stale.
    Stale,
}

/// What names a template: its parent's hash, and the mempool's sequence number, which a stopgap does not have.
fn template_id(template: &Template) -> String {
    let sequence = template
        .mempool_sequence
        .map_or_else(String::new, |sequence| sequence.to_string());
    format!("{}{sequence}", template.previous)
}

/// The form of a coinbase that clients may use as it is (`coinbasetxn` of BIP-0022). Its bytes have no witness
/// (BIP-0145); its fee is what it takes of the others' fees, so that it is negative.
pub(crate) fn coinbase_form(template: &Template, coinbase: &Transaction, scale: u64) -> Value {
    let mut bare = coinbase.clone();
    for input in &mut bare.input {
        input.witness = Witness::new();
    }
    let sigops = u64::try_from(coinbase.total_sigop_cost(|_| None)).unwrap_or(u64::MAX);
    json!({
        "data": serialize_hex(&bare),
        "txid": coinbase.compute_txid().to_string(),
        "hash": coinbase.compute_wtxid().to_string(),
        "depends": [],
        "fee": -i128::from(template.total_fees.to_sat()),
        "sigops": sigops / scale,
        "weight": coinbase.weight().to_wu(),
        "required": true,
    })
}

fn before_transactions(spec: &ChainSpec, template: &Template) -> Value {
    let is_active = |from: u32| template.height.0 >= from;
    let mut rules = Vec::new();
    if is_active(spec.deployments.csv) {
        rules.push("csv");
    }
    if is_active(spec.deployments.segwit) {
        rules.push("!segwit");
    }
    if is_active(spec.deployments.taproot) {
        rules.push("taproot");
    }
    json!({
        "capabilities": ["proposal"],
        "version": template.version,
        "rules": rules,
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": template.previous.to_string(),
    })
}

fn after_transactions(spec: &ChainSpec, template: &Template, scale: u64) -> Value {
    let mut form = json!({
        "coinbaseaux": { "flags": COINBASE_FLAGS },
        "coinbasevalue": template.coinbase_value.to_sat(),
        "longpollid": template_id(template),
        "target": target_hex(template.bits),
        "mintime": template.min_time,
        "noncerange": "00000000ffffffff",
        "sigoplimit": spec.limits.max_block_sigop_cost / scale,
        "sizelimit": MAX_BLOCK_SIZE.min(spec.limits.max_block_weight) / scale,
    });
    if scale == 1 {
        form["weightlimit"] = spec.limits.max_block_weight.into();
    }
    if let Some(max_time) = template.max_time {
        form["maxtime"] = max_time.into();
    }
    form
}

/// What comes after the time.
fn last_fields(template: &Template) -> Value {
    let mut form = json!({
        "bits": bits_hex(template.bits),
        "height": template.height.0,
    });
    if let Some(commitment) = &template.witness_commitment {
        form["default_witness_commitment"] = hex::encode(commitment.as_bytes()).into();
    }
    form
}

/// An object's text without the brace at its end.
fn open(object: &str) -> &str {
    object.strip_suffix('}').unwrap_or(object)
}

/// The form of a template's transaction; positions count from 1.
fn render_transaction(text: &mut Vec<u8>, entry: &TemplateTransaction, scale: u64) {
    text.extend_from_slice(b"{\"data\":\"");
    push_encoded(text, entry.tx.as_ref());
    text.extend_from_slice(b"\",\"txid\":\"");
    push_hash(text, &entry.txid);
    text.extend_from_slice(b"\",\"hash\":\"");
    push_hash(text, &entry.wtxid);
    text.extend_from_slice(b"\",\"depends\":[");
    for (index, position) in entry.depends.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}{}", position + 1).expect("memory takes every write");
    }
    text.extend_from_slice(b"],\"fee\":");
    push_number(text, entry.fee.to_sat());
    text.extend_from_slice(b",\"sigops\":");
    push_number(text, entry.sigop_cost / scale);
    text.extend_from_slice(b",\"weight\":");
    push_number(text, entry.weight);
    text.push(b'}');
}

/// So much room is seldom too little: a usual transaction has twice as many digits as bytes, and weighs three times
/// its bytes.
fn expected_bytes(template: &Template) -> usize {
    let transactions = template.transactions.iter();
    let bytes: u64 = transactions
        .map(|entry| entry.weight.saturating_add(FIELDS_BYTES))
        .fold(0, u64::saturating_add);
    usize::try_from(bytes).unwrap_or(0) + 4_096
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
