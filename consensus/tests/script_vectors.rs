//! Bitcoin Core's `script_tests.json`: each entry, with the name of the error.

mod random;
mod script_text;
mod vectors;

use std::collections::BTreeMap;
use std::sync::Arc;

use pyrite_consensus::bitcoin::secp256k1::{Scalar, Secp256k1, SecretKey};
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, absolute, transaction,
};
use pyrite_consensus::script::sighash::SpendingTransaction;
use pyrite_consensus::script::{
    InputChecker, ScriptFailure, ScriptFlags, Secp256k1Verifier, taproot, verify_script,
};
use random::Random;
use script_text::{parse_flags, parse_script};
use serde_json::Value;

/// The output script of a taproot output with the entry's one script.
const TAPROOT_OUTPUT: &str = "0x51 0x20 #TAPROOTOUTPUT#";

/// How often each entry is tried again with other flags, which must not matter.
const FLAG_VARIATIONS: usize = 256;

struct Entry {
    witness: Vec<Vec<u8>>,
    amount: Amount,
    script_sig: ScriptBuf,
    script_pubkey: ScriptBuf,
    flags: ScriptFlags,
    expected: String,
}

/// An output key that commits to one tapscript, and the control block that shows it. The internal key is
/// that of the secret one, as in Bitcoin Core's test.
fn single_leaf(script: &[u8]) -> ([u8; 32], Vec<u8>) {
    let secp = Secp256k1::new();
    let secret = SecretKey::from_slice(&{
        let mut one = [0; 32];
        one[31] = 1;
        one
    });
    let (internal, _) = secret.expect("one").x_only_public_key(&secp);
    let root = taproot::leaf_hash(taproot::TAPSCRIPT_LEAF_VERSION, script);
    let tweak = taproot::tweak(&internal.serialize(), &root);
    let tweak = Scalar::from_be_bytes(tweak).expect("a hash in range");
    let (output, parity) = internal.add_tweak(&secp, &tweak).expect("a valid key");
    let mut control = vec![taproot::TAPSCRIPT_LEAF_VERSION | parity.to_u8()];
    control.extend(internal.serialize());
    (output.serialize(), control)
}

impl Entry {
    fn parse(fields: &[Value]) -> Self {
        let (witness, fields) = match fields[0].as_array() {
            Some(witness) => (&witness[..], &fields[1..]),
            None => (&[][..], fields),
        };
        let text = |index: usize| fields[index].as_str().expect("a string");
        let mut elements: Vec<Vec<u8>> = Vec::new();
        let mut output_key = None;
        let mut amount = Amount::ZERO;
        for item in witness {
            let Some(element) = item.as_str() else {
                let btc = item.to_string();
                amount =
                    Amount::from_str_in(&btc, pyrite_consensus::bitcoin::Denomination::Bitcoin)
                        .expect("an amount");
                continue;
            };
            elements.push(if let Some(script) = element.strip_prefix("#SCRIPT#") {
                parse_script(script).into_bytes()
            } else if element == "#CONTROLBLOCK#" {
                let script = elements.last().expect("the script is in front");
                let (key, control) = single_leaf(script);
                output_key = Some(key);
                control
            } else {
                hex::decode(element).expect("hexadecimal digits")
            });
        }
        let script_pubkey = if text(1) == TAPROOT_OUTPUT {
            let mut bytes = vec![0x51, 0x20];
            bytes.extend(output_key.expect("there is a control block"));
            ScriptBuf::from_bytes(bytes)
        } else {
            parse_script(text(1))
        };
        Self {
            witness: elements,
            amount,
            script_sig: parse_script(text(0)),
            script_pubkey,
            flags: parse_flags(text(2)),
            expected: text(3).to_owned(),
        }
    }

    /// The transaction of which the vectors speak, and the one whose output it spends.
    fn spending(&self) -> SpendingTransaction {
        let transaction = |input: TxIn, output: TxOut| Transaction {
            version: transaction::Version::ONE,
            lock_time: absolute::LockTime::ZERO,
            input: vec![input],
            output: vec![output],
        };
        let input = |previous_output, script_sig: ScriptBuf, witness| TxIn {
            previous_output,
            script_sig,
            sequence: Sequence::MAX,
            witness,
        };
        let output = |script_pubkey| TxOut {
            value: self.amount,
            script_pubkey,
        };
        let two_zeros = ScriptBuf::from_bytes(vec![0, 0]);
        let credit = transaction(
            input(OutPoint::null(), two_zeros, Witness::new()),
            output(self.script_pubkey.clone()),
        );
        let outpoint = OutPoint {
            txid: credit.compute_txid(),
            vout: 0,
        };
        let witness = Witness::from_slice(&self.witness);
        let spend = transaction(
            input(outpoint, self.script_sig.clone(), witness),
            output(ScriptBuf::new()),
        );
        SpendingTransaction::new(Arc::new(spend), credit.output)
    }

    fn verify(
        &self,
        spending: &SpendingTransaction,
        flags: ScriptFlags,
    ) -> Result<(), ScriptFailure> {
        let checker = InputChecker::new(spending, 0, &Secp256k1Verifier).expect("one input");
        let witness = &spending.transaction().input[0].witness;
        verify_script(
            &self.script_sig,
            &self.script_pubkey,
            witness,
            flags,
            &checker,
        )
    }
}

/// CLEANSTACK does not go without P2SH and WITNESS.
fn filled(flags: ScriptFlags) -> ScriptFlags {
    if flags.contains(ScriptFlags::CLEANSTACK) {
        flags | ScriptFlags::P2SH | ScriptFlags::WITNESS
    } else {
        flags
    }
}

/// Each flag with a chance of one half.
fn random_flags(random: &mut Random) -> ScriptFlags {
    let flags = ScriptFlags::NAMED.iter();
    flags
        .filter(|_| random.next() & 1 == 0)
        .fold(ScriptFlags::NONE, |flags, (_, flag)| flags | *flag)
}

#[test]
fn every_script_gets_bitcoin_core_s_verdict_and_error() {
    let Some(file) = vectors::read_json("bitcoin-core/script_tests.json") else {
        return;
    };
    let mut random = Random::new(1);
    let mut counts = BTreeMap::<String, usize>::new();
    let mut failures = Vec::new();
    for fields in file.as_array().expect("a list").iter().map(|entry| {
        let fields = entry.as_array().expect("a list");
        assert!(fields.len() == 1 || fields.len() >= 4, "{entry}");
        fields
    }) {
        // Entries of one string are comments.
        if fields.len() == 1 {
            continue;
        }
        let entry = Entry::parse(fields);
        *counts.entry(entry.expected.clone()).or_default() += 1;
        let spending = entry.spending();
        let verdict = entry.verify(&spending, filled(entry.flags));
        let name = verdict.map_or_else(ScriptFailure::name, |()| "OK");
        if name != entry.expected {
            failures.push(format!("{fields:?}: {name}"));
        }
        // As in Bitcoin Core's test: fewer flags let no more fail, more flags no fewer.
        for _ in 0..FLAG_VARIATIONS {
            let other = random_flags(&mut random);
            let flags = if verdict.is_ok() {
                trimmed(entry.flags.without(other))
            } else {
                with_p2sh(filled(entry.flags | other))
            };
            if entry.verify(&spending, flags).is_ok() != verdict.is_ok() {
                failures.push(format!("{fields:?} with {:x}", flags.bits()));
            }
        }
    }
    let total: usize = counts.values().sum();
    println!("{total} scripts with their errors: {counts:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(total, 1222);
    assert_eq!(counts["OK"], 675);
}

/// Without flags that need others that are not there.
fn trimmed(flags: ScriptFlags) -> ScriptFlags {
    let flags = if flags.contains(ScriptFlags::P2SH) {
        flags
    } else {
        flags.without(ScriptFlags::WITNESS)
    };
    if flags.contains(ScriptFlags::WITNESS) {
        flags
    } else {
        flags.without(ScriptFlags::CLEANSTACK)
    }
}

/// WITNESS does not go without P2SH.
fn with_p2sh(flags: ScriptFlags) -> ScriptFlags {
    if flags.contains(ScriptFlags::WITNESS) {
        flags | ScriptFlags::P2SH
    } else {
        flags
    }
}
