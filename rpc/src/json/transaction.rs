//! Transactions, as `decoderawtransaction`, `getrawtransaction` and `getblock` show them.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::{Amount, Network, Transaction, TxIn, TxOut, Txid, Wtxid};
use serde_json::Value;

use super::number::Btc;
use super::raw_transaction::{push_transaction_hex, total_size, wtxid};
use super::script::{SignatureHashes, push_asm, push_script_pub_key};
use super::text::{push_array, push_hash, push_hex_string, push_number, read_back};

/// What the fields of a transaction, of an input and of an output take beside the bytes that are in them, about.
const FIELDS_BYTES: usize = 400;
const INPUT_FIELDS_BYTES: usize = 200;
const OUTPUT_FIELDS_BYTES: usize = 300;

/// What to show of a transaction beside its own content.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TransactionView<'a> {
    /// The coins that it spends, in the order of its inputs, where they are known: gives the fee.
    pub(crate) spent: Option<&'a [Coin]>,
    /// Shows those coins at the inputs.
    pub(crate) with_prevouts: bool,
    /// Shows the bytes.
    pub(crate) with_hex: bool,
    /// Its ids, where they are known.
    pub(crate) ids: Option<(Txid, Wtxid)>,
}

/// The form of a transaction as text.
pub(crate) fn transaction_text(
    transaction: &Transaction,
    network: Network,
    view: TransactionView<'_>,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(expected_bytes(transaction));
    text.push(b'{');
    push_transaction_fields(&mut text, transaction, network, view);
    text.push(b'}');
    text
}

/// The form of a transaction as a value, for answers that have it among others.
pub(crate) fn transaction_json(
    transaction: &Transaction,
    network: Network,
    view: TransactionView<'_>,
) -> Value {
    read_back(&transaction_text(transaction, network, view))
}

/// So much room is seldom too little for a transaction's form without its coins.
pub(super) fn expected_bytes(transaction: &Transaction) -> usize {
    // Once in the bytes of all, and once in their place: two digits each.
    let mut bytes = FIELDS_BYTES + 4 * transaction.total_size();
    bytes += INPUT_FIELDS_BYTES * transaction.input.len();
    bytes + OUTPUT_FIELDS_BYTES * transaction.output.len()
}

/// Appends the members of a transaction's form to a JSON text, without the braces around them.
pub(crate) fn push_transaction_fields(
    text: &mut Vec<u8>,
    transaction: &Transaction,
    network: Network,
    view: TransactionView<'_>,
) {
    // Coins that don't match the inputs one to one say nothing of this transaction.
    let spent = view
        .spent
        .filter(|coins| coins.len() == transaction.input.len());
    push_summary(text, transaction, view.ids);
    let is_coinbase = transaction.is_coinbase();
    let shown = spent.filter(|_| view.with_prevouts);
    text.extend_from_slice(b",\"vin\":");
    push_array(
        text,
        transaction.input.iter().enumerate(),
        |text, (n, input)| {
            push_input(
                text,
                input,
                is_coinbase,
                shown.map(|coins| &coins[n]),
                network,
            );
        },
    );
    text.extend_from_slice(b",\"vout\":");
    push_array(
        text,
        transaction.output.iter().enumerate(),
        |text, (n, output)| {
            push_output(text, n, output, network);
        },
    );
    if let Some(fee) = spent.and_then(|coins| fee(transaction, coins)) {
        text.extend_from_slice(b",\"fee\":");
        Btc::from(fee).push(text);
    }
    if view.with_hex {
        text.extend_from_slice(b",\"hex\":\"");
        push_transaction_hex(text, transaction);
        text.push(b'"');
    }
}

/// Appends an output's value and script.
pub(crate) fn push_coin(text: &mut Vec<u8>, output: &TxOut, network: Network) {
    text.extend_from_slice(b"{\"value\":");
    Btc::from(output.value).push(text);
    text.extend_from_slice(b",\"scriptPubKey\":");
    push_script_pub_key(text, &output.script_pubkey, network);
    text.push(b'}');
}

/// The ids, the sizes, the version and the lock time.
fn push_summary(text: &mut Vec<u8>, transaction: &Transaction, ids: Option<(Txid, Wtxid)>) {
    let (txid, wtxid) = ids.unwrap_or_else(|| (transaction.compute_txid(), wtxid(transaction)));
    let (size, base_size) = (total_size(transaction), transaction.base_size());
    // BIP-0141: three times the size without witnesses, plus the size with them.
    let weight = 3 * base_size + size;
    text.extend_from_slice(b"\"txid\":\"");
    push_hash(text, &txid);
    text.extend_from_slice(b"\",\"hash\":\"");
    push_hash(text, &wtxid);
    text.extend_from_slice(b"\",\"version\":");
    push_number(text, transaction.version.0.cast_unsigned().into());
    text.extend_from_slice(b",\"size\":");
    push_count(text, size);
    text.extend_from_slice(b",\"vsize\":");
    push_count(text, weight.div_ceil(4));
    text.extend_from_slice(b",\"weight\":");
    push_count(text, weight);
    text.extend_from_slice(b",\"locktime\":");
    push_number(text, transaction.lock_time.to_consensus_u32().into());
}

fn push_input(
    text: &mut Vec<u8>,
    input: &TxIn,
    is_coinbase: bool,
    coin: Option<&Coin>,
    network: Network,
) {
    if is_coinbase {
        text.extend_from_slice(b"{\"coinbase\":");
        push_hex_string(text, input.script_sig.as_bytes());
    } else {
        text.extend_from_slice(b"{\"txid\":\"");
        push_hash(text, &input.previous_output.txid);
        text.extend_from_slice(b"\",\"vout\":");
        push_number(text, input.previous_output.vout.into());
        text.extend_from_slice(b",\"scriptSig\":{\"asm\":\"");
        push_asm(text, &input.script_sig, SignatureHashes::Decode);
        text.extend_from_slice(b"\",\"hex\":");
        push_hex_string(text, input.script_sig.as_bytes());
        text.push(b'}');
    }
    if !input.witness.is_empty() {
        text.extend_from_slice(b",\"txinwitness\":");
        push_array(text, input.witness.iter(), push_hex_string);
    }
    if let Some(coin) = coin {
        text.extend_from_slice(b",\"prevout\":{\"generated\":");
        let generated: &[u8] = if coin.is_coinbase { b"true" } else { b"false" };
        text.extend_from_slice(generated);
        text.extend_from_slice(b",\"height\":");
        push_number(text, coin.height.0.into());
        text.extend_from_slice(b",\"value\":");
        Btc::from(coin.output.value).push(text);
        text.extend_from_slice(b",\"scriptPubKey\":");
        push_script_pub_key(text, &coin.output.script_pubkey, network);
        text.push(b'}');
    }
    text.extend_from_slice(b",\"sequence\":");
    push_number(text, input.sequence.0.into());
    text.push(b'}');
}

fn push_output(text: &mut Vec<u8>, n: usize, output: &TxOut, network: Network) {
    text.extend_from_slice(b"{\"value\":");
    Btc::from(output.value).push(text);
    text.extend_from_slice(b",\"n\":");
    push_count(text, n);
    text.extend_from_slice(b",\"scriptPubKey\":");
    push_script_pub_key(text, &output.script_pubkey, network);
    text.push(b'}');
}

fn push_count(text: &mut Vec<u8>, count: usize) {
    push_number(text, u64::try_from(count).unwrap_or(u64::MAX));
}

/// What the inputs have more than the outputs.
fn fee(transaction: &Transaction, spent: &[Coin]) -> Option<Amount> {
    let input = total(spent.iter().map(|coin| coin.output.value))?;
    let output = total(transaction.output.iter().map(|output| output.value))?;
    input.checked_sub(output)
}

/// A sum of amounts, `None` when there is no such amount.
fn total(mut amounts: impl Iterator<Item = Amount>) -> Option<Amount> {
    amounts.try_fold(Amount::ZERO, Amount::checked_add)
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
