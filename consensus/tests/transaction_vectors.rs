//! Bitcoin Core's transaction vectors: transactions by themselves, and their scripts under every flag.

mod random;
mod script_text;
mod vectors;

use std::collections::HashMap;

use pyrite_consensus::bitcoin::consensus::encode;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use pyrite_consensus::transaction::check_transaction;
use random::Random;
use script_text::{parse_flags, parse_script};
use serde_json::Value;

/// How often each transaction is tried again with other flags, which must not matter.
const FLAG_VARIATIONS: usize = 100;

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

/// The script checks of a file's transactions with the flags that the file gives, but for those that are
/// invalid by themselves.
fn script_checks(name: &str) -> Option<Vec<(Spend, ScriptFlags)>> {
    let file = vectors::read_json(name)?;
    let entries = file
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_array)
        .filter(|entry| entry.len() > 1 && entry[2] != "BADTX");
    let checks = entries.map(|entry| {
        let flags = parse_flags(entry[2].as_str().expect("a string"));
        (Spend::parse(entry), flags)
    });
    Some(checks.collect())
}

/// A transaction with the outputs that it spends.
struct Spend {
    transaction: Transaction,
    spent_outputs: Vec<TxOut>,
}

impl Spend {
    fn parse(entry: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let transaction: Transaction =
            encode::deserialize_hex(&text(&entry[1])).expect("a transaction");
        let mut outputs = HashMap::new();
        for output in entry[0].as_array().expect("a list") {
            let vout = output[1].as_i64().expect("a number");
            let outpoint = OutPoint {
                txid: text(&output[0]).parse().expect("a transaction id"),
                // A coinbase's is written as -1.
                vout: u32::try_from(vout).unwrap_or(u32::MAX),
            };
            let value = output.get(3).map_or(0, |sat| sat.as_u64().expect("sat"));
            let output = TxOut {
                value: Amount::from_sat(value),
                script_pubkey: parse_script(&text(&output[2])),
            };
            outputs.insert(outpoint, output);
        }
        let inputs = transaction.input.iter();
        let spent_outputs = inputs
            .map(|input| outputs[&input.previous_output].clone())
            .collect();
        Self {
            transaction,
            spent_outputs,
        }
    }

    fn is_valid(&self, flags: ScriptFlags) -> bool {
        let spent_outputs = self.spent_outputs.clone();
        ScriptCheck::new(&self.transaction, spent_outputs, flags)
            .verify()
            .is_ok()
    }

    #[track_caller]
    fn expect(&self, validity: Validity, flags: ScriptFlags) {
        assert!(
            self.is_valid(flags) == (validity == Validity::Valid),
            "{} with {:x} is not {validity:?}",
            self.transaction.compute_txid(),
            flags.bits()
        );
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Validity {
    Valid,
    Invalid,
}

/// Every flag that there is.
fn every_flag() -> ScriptFlags {
    ScriptFlags::STANDARD | ScriptFlags::SIGPUSHONLY
}

/// With the flags that others need.
fn filled(mut flags: ScriptFlags) -> ScriptFlags {
    if flags.contains(ScriptFlags::CLEANSTACK) {
        flags = flags | ScriptFlags::WITNESS;
    }
    if flags.contains(ScriptFlags::WITNESS) {
        flags = flags | ScriptFlags::P2SH;
    }
    flags
}

/// Without the flags that need others that are not there.
fn trimmed(mut flags: ScriptFlags) -> ScriptFlags {
    if !flags.contains(ScriptFlags::P2SH) {
        flags = flags.without(ScriptFlags::WITNESS);
    }
    if !flags.contains(ScriptFlags::WITNESS) {
        flags = flags.without(ScriptFlags::CLEANSTACK);
    }
    flags
}

/// Flags without one of them at a time, and without those that need it.
fn without_each(flags: ScriptFlags) -> Vec<ScriptFlags> {
    let named = ScriptFlags::NAMED.iter();
    named
        .map(|(_, flag)| trimmed(flags.without(*flag)))
        .filter(|fewer| *fewer != flags)
        .collect()
}

/// Each flag by itself, and some sets of them.
fn other_flags(random: &mut Random) -> Vec<ScriptFlags> {
    let alone = ScriptFlags::NAMED.iter().map(|(_, flag)| *flag);
    let mut sets: Vec<_> = alone.clone().collect();
    for _ in 0..FLAG_VARIATIONS {
        let chosen = alone.clone().filter(|_| random.next() & 1 == 0);
        sets.push(chosen.fold(ScriptFlags::NONE, |set, flag| set | flag));
    }
    sets
}

/// The flags of `tx_valid.json` are those under which a transaction is not valid. It is so under all
/// others, under fewer than these, but not under more.
#[test]
fn valid_transactions_have_valid_scripts() {
    let Some(valid) = script_checks("bitcoin-core/tx_valid.json") else {
        return;
    };
    let mut random = Random::new(2);
    for (spend, excluded) in &valid {
        let flags = every_flag().without(*excluded);
        assert_eq!(flags, filled(flags), "the file's flags go together");
        spend.expect(Validity::Valid, flags);
        for other in other_flags(&mut random) {
            spend.expect(Validity::Valid, trimmed(flags.without(other)));
        }
        for fewer in without_each(*excluded) {
            spend.expect(Validity::Invalid, every_flag().without(fewer));
        }
    }
    println!("{} valid transactions with valid scripts", valid.len());
    assert_eq!(valid.len(), 121);
}

/// The flags of `tx_invalid.json` are those under which a transaction is invalid. It is so under more of
/// them, but not under fewer.
#[test]
fn invalid_transactions_have_invalid_scripts() {
    let Some(invalid) = script_checks("bitcoin-core/tx_invalid.json") else {
        return;
    };
    let mut random = Random::new(3);
    for (spend, flags) in &invalid {
        assert_eq!(*flags, filled(*flags), "the file's flags go together");
        spend.expect(Validity::Invalid, *flags);
        for other in other_flags(&mut random) {
            spend.expect(Validity::Invalid, filled(*flags | other));
        }
        for fewer in without_each(*flags) {
            spend.expect(Validity::Valid, fewer);
        }
    }
    println!(
        "{} invalid transactions with invalid scripts",
        invalid.len()
    );
    // The other nine are invalid by themselves.
    assert_eq!(invalid.len(), 84);
}
