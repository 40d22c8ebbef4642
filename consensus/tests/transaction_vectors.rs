//! Bitcoin Core's transaction vectors, as far as they are about transactions by themselves.

mod vectors;

use pyrite_consensus::bitcoin::Transaction;
use pyrite_consensus::bitcoin::consensus::encode;
use pyrite_consensus::transaction::check_transaction;
use serde_json::Value;

/// The transactions of a file with their flags. Entries of one string are comments.
fn transactions(name: &str) -> Option<Vec<(Transaction, String)>> {
    let file = vectors::read_json(name)?;
    let entries = file
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_array);
    let transactions = entries.filter(|entry| entry.len() > 1).map(|entry| {
        let text = |index: usize| entry[index].as_str().expect("a string");
        let transaction =
            encode::deserialize_hex(text(1)).unwrap_or_else(|error| panic!("{}: {error}", text(1)));
        (transaction, text(2).to_owned())
    });
    Some(transactions.collect())
}

#[test]
fn valid_transactions_are_valid_by_themselves() {
    let Some(valid) = transactions("bitcoin-core/tx_valid.json") else {
        return;
    };
    for (transaction, _) in &valid {
        assert_eq!(
            check_transaction(transaction),
            Ok(()),
            "{}",
            transaction.compute_txid()
        );
    }
    println!("{} valid transactions accepted", valid.len());
    assert!(valid.len() > 100);
}

#[test]
fn invalid_transactions_are_invalid_by_themselves_where_the_vectors_say_so() {
    let Some(invalid) = transactions("bitcoin-core/tx_invalid.json") else {
        return;
    };
    let mut refused = Vec::new();
    for (transaction, flags) in &invalid {
        let verdict = check_transaction(transaction);
        let txid = transaction.compute_txid();
        if flags.contains("BADTX") {
            refused.push(verdict.expect_err(&txid.to_string()).reject_reason());
        } else {
            // The scripts are what is wrong with the others.
            assert_eq!(verdict, Ok(()), "{txid}");
        }
    }
    println!(
        "{} invalid transactions refused: {refused:?}",
        refused.len()
    );
    refused.sort_unstable();
    refused.dedup();
    assert_eq!(
        refused,
        [
            "bad-cb-length",
            "bad-txns-inputs-duplicate",
            "bad-txns-prevout-null",
            "bad-txns-txouttotal-toolarge",
            "bad-txns-vout-empty",
            "bad-txns-vout-negative",
            "bad-txns-vout-toolarge",
        ]
    );
}
