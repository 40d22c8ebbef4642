//! The wallet's coins and transactions, as `listunspent`, `gettransaction` and `listtransactions`
//! show them. Pure functions.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_mempool::EntryDetails;
use pyrite_wallet::{Category, TransactionDetail, Unspent, WalletTransaction};
use serde_json::{Map, Value, json};

use crate::json::Btc;

/// Whether an entry carries the transaction's own fields too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryFields {
    /// Only those of the output: `details` of `gettransaction`.
    Output,
    /// Both: `listtransactions`.
    OutputAndTransaction,
}

/// A coin; `entry` is its transaction in the mempool while it is there.
pub(super) fn unspent_json(coin: &Unspent, entry: Option<&EntryDetails>) -> Value {
    let mut form = json!({
        "txid": coin.outpoint.txid.to_string(),
        "vout": coin.outpoint.vout,
        "address": coin.address.to_string(),
    });
    if let Some(label) = &coin.label {
        form["label"] = label.clone().into();
    }
    form["scriptPubKey"] = hex::encode(coin.output.script_pubkey.as_bytes()).into();
    form["amount"] = Btc::from(coin.output.value).value();
    form["confirmations"] = coin.confirmations.into();
    if let Some(entry) = entry {
        form["ancestorcount"] = entry.ancestors.count.into();
        form["ancestorsize"] = entry.ancestors.vsize.into();
        form["ancestorfees"] = entry.ancestors.fees.into();
    }
    form["spendable"] = coin.spendable.into();
    form["solvable"] = coin.spendable.into();
    form["desc"] = coin.descriptor.clone().into();
    form["parent_descs"] = json!([coin.parent_descriptor]);
    form["safe"] = coin.safe.into();
    form
}

/// A transaction's fields that don't depend on its outputs.
pub(super) fn transaction_fields(transaction: &WalletTransaction) -> Map<String, Value> {
    let mut form = Map::new();
    let mut put = |name: &str, value: Value| {
        form.insert(name.to_owned(), value);
    };
    put("confirmations", transaction.confirmations.into());
    if transaction.is_coinbase {
        put("generated", true.into());
    }
    match &transaction.confirmation {
        Some(confirmation) => {
            put("blockhash", confirmation.block_hash.to_string().into());
            put("blockheight", confirmation.height.0.into());
            put("blockindex", confirmation.block_index.into());
            put("blocktime", confirmation.block_time.into());
        }
        None => put("trusted", transaction.trusted.into()),
    }
    put("txid", transaction.txid.to_string().into());
    put("wtxid", transaction.tx.compute_wtxid().to_string().into());
    put(
        "walletconflicts",
        transaction
            .conflicts
            .iter()
            .map(ToString::to_string)
            .collect(),
    );
    put("mempoolconflicts", json!([]));
    put("time", transaction.time.into());
    put("timereceived", transaction.time.into());
    put("bip125-replaceable", replaceable(transaction).into());
    if !transaction.comment.is_empty() {
        put("comment", transaction.comment.clone().into());
    }
    if !transaction.comment_to.is_empty() {
        put("to", transaction.comment_to.clone().into());
    }
    form
}

/// Whether an unconfirmed transaction can be replaced, in Bitcoin Core's words.
fn replaceable(transaction: &WalletTransaction) -> &'static str {
    if transaction.confirmation.is_some() {
        "no"
    } else if transaction.signals_replacement {
        "yes"
    } else if transaction.in_mempool {
        "no"
    } else {
        "unknown"
    }
}

/// The entries of a transaction, one for each output that the wallet sent or received.
pub(super) fn entries(
    transaction: &WalletTransaction,
    label: Option<&str>,
    fields: EntryFields,
) -> Vec<Value> {
    transaction
        .details
        .iter()
        .filter(|detail| match label {
            None => true,
            Some(label) => {
                detail.category != Category::Send
                    && detail.label.as_deref().unwrap_or_default() == label
            }
        })
        .map(|detail| entry(transaction, detail, fields))
        .collect()
}

fn entry(
    transaction: &WalletTransaction,
    detail: &TransactionDetail,
    fields: EntryFields,
) -> Value {
    let mut form = Map::new();
    if let Some(address) = &detail.address {
        form.insert("address".to_owned(), address.to_string().into());
    }
    if let Some(descriptor) = &detail.parent_descriptor {
        form.insert("parent_descs".to_owned(), json!([descriptor]));
    }
    form.insert("category".to_owned(), detail.category.as_str().into());
    form.insert("amount".to_owned(), Btc::from(detail.amount).value());
    if let Some(label) = &detail.label {
        form.insert("label".to_owned(), label.clone().into());
    }
    form.insert("vout".to_owned(), detail.vout.into());
    if let Some(fee) = detail.fee {
        form.insert("fee".to_owned(), Btc::from(fee).value());
    }
    let own = match fields {
        EntryFields::Output => Map::new(),
        EntryFields::OutputAndTransaction => transaction_fields(transaction),
    };
    // Transactions can't be abandoned here.
    if detail.category == Category::Send {
        form.extend(own);
        form.insert("abandoned".to_owned(), false.into());
    } else {
        form.insert("abandoned".to_owned(), false.into());
        form.extend(own);
    }
    Value::Object(form)
}

/// The last block that the wallet followed.
pub(super) fn last_block_json((height, hash): (Height, BlockHash)) -> Value {
    json!({ "hash": hash.to_string(), "height": height.0 })
}

#[cfg(test)]
#[path = "wallet_json_tests.rs"]
mod tests;
