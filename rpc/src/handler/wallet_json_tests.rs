use std::str::FromStr;
use std::sync::Arc;

use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::{Address, Amount, Network, OutPoint, SignedAmount, TxOut};
use pyrite_wallet::Confirmation;

use super::*;

fn address() -> Address {
    Address::from_str("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
        .unwrap()
        .assume_checked()
}

fn detail(category: Category, sat: i64, fee: Option<i64>) -> TransactionDetail {
    TransactionDetail {
        category,
        address: Some(address()),
        label: (category != Category::Send).then(|| "savings".to_owned()),
        vout: 1,
        amount: SignedAmount::from_sat(sat),
        fee: fee.map(SignedAmount::from_sat),
        parent_descriptor: (category != Category::Send).then(|| "wpkh(…/0/*)#checksum".to_owned()),
    }
}

/// A payment to oneself that isn't confirmed.
fn payment() -> WalletTransaction {
    let tx = Arc::new(genesis_block(Network::Regtest).txdata.remove(0));
    WalletTransaction {
        txid: tx.compute_txid(),
        tx,
        confirmation: None,
        confirmations: 0,
        time: 1_700_000_000,
        sent: Amount::from_sat(2_000),
        received: Amount::from_sat(1_800),
        fee: Some(Amount::from_sat(200)),
        is_coinbase: false,
        is_immature: false,
        in_mempool: true,
        trusted: true,
        signals_replacement: true,
        details: vec![
            detail(Category::Send, -1_000, Some(-200)),
            detail(Category::Receive, 1_000, None),
        ],
        conflicts: Vec::new(),
        comment: "rent".to_owned(),
        comment_to: String::new(),
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn sent_and_received_outputs_have_entries() {
    let entries = entries(&payment(), None, EntryFields::Output);
    assert_eq!(entries.len(), 2);
    assert_eq!(
        keys(&entries[0]),
        ["address", "category", "amount", "vout", "fee", "abandoned"]
    );
    assert_eq!(entries[0]["amount"].to_string(), "-0.00001000");
    assert_eq!(entries[0]["fee"].to_string(), "-0.00000200");
    assert_eq!(
        keys(&entries[1]),
        [
            "address",
            "parent_descs",
            "category",
            "amount",
            "label",
            "vout",
            "abandoned"
        ]
    );
    assert_eq!(
        entries[1]["parent_descs"],
        serde_json::json!(["wpkh(…/0/*)#checksum"])
    );
    assert_eq!(entries[1]["category"], "receive");
}

#[test]
fn a_label_selects_what_was_received_with_it() {
    let count = |label| entries(&payment(), Some(label), EntryFields::Output).len();
    assert_eq!(count("savings"), 1);
    assert_eq!(count("other"), 0);
    assert_eq!(count(""), 0);
}

#[test]
fn an_unconfirmed_transaction_has_no_block() {
    let fields = Value::Object(transaction_fields(&payment()));
    assert_eq!(
        keys(&fields),
        [
            "confirmations",
            "trusted",
            "txid",
            "wtxid",
            "walletconflicts",
            "mempoolconflicts",
            "time",
            "timereceived",
            "bip125-replaceable",
            "comment",
        ]
    );
    assert_eq!(fields["bip125-replaceable"], "yes");
}

#[test]
fn a_mined_transaction_names_its_block() {
    let block_hash = genesis_block(Network::Regtest).block_hash();
    let transaction = WalletTransaction {
        confirmation: Some(Confirmation {
            height: Height(5),
            block_hash,
            block_time: 1_700_000_001,
            block_index: 0,
        }),
        confirmations: 3,
        is_coinbase: true,
        comment: String::new(),
        ..payment()
    };
    let fields = Value::Object(transaction_fields(&transaction));
    assert_eq!(
        keys(&fields),
        [
            "confirmations",
            "generated",
            "blockhash",
            "blockheight",
            "blockindex",
            "blocktime",
            "txid",
            "wtxid",
            "walletconflicts",
            "mempoolconflicts",
            "time",
            "timereceived",
            "bip125-replaceable",
        ]
    );
    assert_eq!(fields["bip125-replaceable"], "no");
    assert_eq!(fields["blockheight"], 5);
}

#[test]
fn a_coin_has_bitcoins_fields() {
    let coin = Unspent {
        outpoint: OutPoint {
            txid: payment().txid,
            vout: 2,
        },
        output: TxOut {
            value: Amount::ONE_BTC,
            script_pubkey: address().script_pubkey(),
        },
        address: address(),
        label: Some(String::new()),
        confirmations: 4,
        height: Some(Height(1)),
        coinbase: false,
        is_change: false,
        spendable: true,
        safe: true,
        descriptor: "wpkh(…)#checksum".to_owned(),
        parent_descriptor: "wpkh(…/0/*)#checksum".to_owned(),
    };
    let form = unspent_json(&coin, None);
    assert_eq!(
        keys(&form),
        [
            "txid",
            "vout",
            "address",
            "label",
            "scriptPubKey",
            "amount",
            "confirmations",
            "spendable",
            "solvable",
            "desc",
            "parent_descs",
            "safe",
        ]
    );
    assert_eq!(form["amount"].to_string(), "1.00000000");
    assert_eq!(form["label"], "");
}
