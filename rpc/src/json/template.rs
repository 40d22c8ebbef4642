//! The form of a block template, as text: it has thousands of transactions, and many callers get the same one.

use std::io::Write;

use axum::body::Bytes;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::consensus::Encodable;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_miner::{Template, TemplateTransaction};
use serde_json::{Value, json};

use super::{bits_hex, target_hex};
use crate::dialect::JsonText;

/// The largest serialized block, which weight bounds already (`MAX_BLOCK_SERIALIZED_SIZE`).
const MAX_BLOCK_SIZE: u64 = 4_000_000;

/// What legacy sizes and sigops count of the limits (BIP-0141).
const WITNESS_SCALE_FACTOR: u64 = 4;

/// What a transaction's fields take beside its bytes, about.
const FIELDS_BYTES: u64 = 300;

/// The digits of each byte.
const HEX: [[u8; 2]; 256] = hex_digits();

/// A template as `getblocktemplate` gives it, but for the time of the call.
#[derive(Clone, Debug)]
pub(crate) struct TemplateText {
    before_time: Bytes,
    after_time: Bytes,
}

impl TemplateText {
    /// Renders a template.
    pub(crate) fn new(spec: &ChainSpec, template: &Template) -> Self {
        let segwit = template.height.0 >= spec.deployments.segwit;
        let scale = if segwit { 1 } else { WITNESS_SCALE_FACTOR };
        let mut text = Vec::with_capacity(expected_bytes(template));
        text.extend_from_slice(open(&before_transactions(spec, template)).as_bytes());
        text.extend_from_slice(b",\"transactions\":[");
        let mut encoded = Vec::new();
        for (index, entry) in template.transactions.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            render_transaction(&mut text, entry, scale, &mut encoded);
        }
        text.extend_from_slice(b"],");
        let rest = open(&after_transactions(spec, template, scale));
        text.extend_from_slice(&rest.as_bytes()[1..]);
        text.extend_from_slice(b",\"curtime\":");
        let last = last_fields(template).to_string();
        Self {
            before_time: text.into(),
            after_time: format!(",{}", &last[1..]).into(),
        }
    }

    /// The whole, for a call at this time.
    pub(crate) fn at(&self, time: u32) -> JsonText {
        JsonText::of_pieces([
            self.before_time.clone(),
            time.to_string().into(),
            self.after_time.clone(),
        ])
    }
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
    let sequence = template
        .mempool_sequence
        .map_or_else(String::new, |sequence| sequence.to_string());
    let mut form = json!({
        "coinbaseaux": {},
        "coinbasevalue": template.coinbase_value.to_sat(),
        "longpollid": format!("{}{sequence}", template.previous),
        "target": target_hex(template.bits),
        "mintime": template.min_time,
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": spec.limits.max_block_sigop_cost / scale,
        "sizelimit": MAX_BLOCK_SIZE.min(spec.limits.max_block_weight) / scale,
    });
    if scale == 1 {
        form["weightlimit"] = spec.limits.max_block_weight.into();
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
fn open(object: &Value) -> String {
    let mut text = object.to_string();
    text.pop();
    text
}

/// The form of a template's transaction; positions count from 1. `encoded` is room for its bytes.
fn render_transaction(
    text: &mut Vec<u8>,
    entry: &TemplateTransaction,
    scale: u64,
    encoded: &mut Vec<u8>,
) {
    encoded.clear();
    entry
        .tx
        .consensus_encode(encoded)
        .expect("memory takes every write");
    text.extend_from_slice(b"{\"data\":\"");
    push_hex(text, encoded.iter());
    // Hashes are shown from their last byte to their first.
    text.extend_from_slice(b"\",\"txid\":\"");
    push_hex(text, entry.txid.as_byte_array().iter().rev());
    text.extend_from_slice(b"\",\"hash\":\"");
    push_hex(text, entry.wtxid.as_byte_array().iter().rev());
    text.extend_from_slice(b"\",\"depends\":[");
    for (index, position) in entry.depends.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}{}", position + 1).expect("memory takes every write");
    }
    write!(
        text,
        "],\"fee\":{},\"sigops\":{},\"weight\":{}}}",
        entry.fee.to_sat(),
        entry.sigop_cost / scale,
        entry.weight
    )
    .expect("memory takes every write");
}

fn push_hex<'a>(text: &mut Vec<u8>, bytes: impl ExactSizeIterator<Item = &'a u8>) {
    let start = text.len();
    text.resize(start + 2 * bytes.len(), 0);
    let (digits, _) = text[start..].as_chunks_mut::<2>();
    for (digits, byte) in digits.iter_mut().zip(bytes) {
        *digits = HEX[usize::from(*byte)];
    }
}

const fn hex_digits() -> [[u8; 2]; 256] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    digits
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
