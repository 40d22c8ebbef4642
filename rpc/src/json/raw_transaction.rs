//! Transactions as hexadecimal digits. A transaction without inputs has two meanings in Bitcoin's encoding: what follows may be
//! the mark of witnesses, or the number of outputs. Bitcoin Core writes the second form, and reads both.

use pyrite_consensus::bitcoin::consensus::encode::{Decodable, Encodable, deserialize, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::script::Instruction;
use pyrite_consensus::bitcoin::{Script, Transaction, Wtxid};

use super::text::{push_encoded, push_hex};

/// The longest script that could ever run.
const MAX_SCRIPT_SIZE: usize = 10_000;

/// The longest push that a script may have (`MAX_SCRIPT_ELEMENT_SIZE`).
const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;

/// The last opcode outside of tapscript, `OP_NOP10`.
const MAX_OPCODE: u8 = 0xb9;

/// Bytes of a transaction's version.
const VERSION_BYTES: usize = 4;

/// Bytes of the mark of witnesses, which the crate counts in transactions without inputs.
const MARK_BYTES: usize = 2;

/// Which encodings are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionForms {
    /// The one with witnesses, which says the same of a transaction that has inputs and no witnesses.
    WithWitnesses,
    /// The one without witnesses.
    WithoutWitnesses,
    /// Both: the first that makes sense.
    Both,
}

impl TransactionForms {
    /// What a caller means by `iswitness`.
    pub(crate) fn of(is_witness: Option<bool>) -> Self {
        match is_witness {
            Some(true) => Self::WithWitnesses,
            Some(false) => Self::WithoutWitnesses,
            None => Self::Both,
        }
    }
}

/// A transaction's bytes.
pub(crate) fn transaction_hex(transaction: &Transaction) -> String {
    let mut text = Vec::with_capacity(2 * transaction.total_size());
    push_transaction_hex(&mut text, transaction);
    String::from_utf8(text).expect("digits are ASCII")
}

/// Appends a transaction's bytes to a text.
pub(super) fn push_transaction_hex(text: &mut Vec<u8>, transaction: &Transaction) {
    if transaction.input.is_empty() {
        push_hex(text, &without_witnesses(transaction));
    } else {
        push_encoded(text, transaction);
    }
}

/// Reads a transaction (Bitcoin Core's `DecodeHexTx`).
pub(crate) fn decode_transaction(text: &str, forms: TransactionForms) -> Option<Transaction> {
    let bytes = hex::decode(text).ok()?;
    let with = || read_with_witnesses(&bytes);
    let without = || read_without_witnesses(&bytes);
    match forms {
        TransactionForms::WithWitnesses => with(),
        TransactionForms::WithoutWitnesses => without(),
        TransactionForms::Both => {
            let first = with();
            if first.as_ref().is_some_and(makes_sense) {
                return first;
            }
            let second = without();
            if second.as_ref().is_some_and(makes_sense) {
                return second;
            }
            first.or(second)
        }
    }
}

/// A transaction's id with its witnesses, of which one without inputs has none.
pub(crate) fn wtxid(transaction: &Transaction) -> Wtxid {
    if transaction.input.is_empty() {
        Wtxid::from_byte_array(transaction.compute_txid().to_byte_array())
    } else {
        transaction.compute_wtxid()
    }
}

/// A transaction's length in bytes.
pub(crate) fn total_size(transaction: &Transaction) -> usize {
    let mark = if transaction.input.is_empty() {
        MARK_BYTES
    } else {
        0
    };
    transaction.total_size() - mark
}

/// Whether a script is short enough to be run and has no opcode or push that ends it wherever it stands (Bitcoin Core's
/// `HasValidOps`).
pub(crate) fn has_runnable_form(script: &Script) -> bool {
    let is_valid = |instruction| match instruction {
        Ok(Instruction::PushBytes(bytes)) => bytes.len() <= MAX_SCRIPT_ELEMENT_SIZE,
        Ok(Instruction::Op(opcode)) => opcode.to_u8() <= MAX_OPCODE,
        Err(_) => false,
    };
    script.len() <= MAX_SCRIPT_SIZE && script.instructions().all(is_valid)
}

/// Whether all scripts could be run (Bitcoin Core's `CheckTxScriptsSanity`).
fn makes_sense(transaction: &Transaction) -> bool {
    let are_runnable = transaction.is_coinbase()
        || (transaction.input.iter()).all(|input| has_runnable_form(&input.script_sig));
    are_runnable
        && (transaction.output.iter()).all(|output| has_runnable_form(&output.script_pubkey))
}

fn read_with_witnesses(bytes: &[u8]) -> Option<Transaction> {
    match bytes.get(VERSION_BYTES..VERSION_BYTES + MARK_BYTES)? {
        // Neither inputs nor a mark: nothing but a lock time may follow.
        [0, 0] => read_without_witnesses(bytes),
        // Witnesses of no inputs are none, and then there is no mark.
        [0, _] => deserialize(bytes)
            .ok()
            .filter(|transaction: &Transaction| !transaction.input.is_empty()),
        _ => deserialize(bytes).ok(),
    }
}

fn read_without_witnesses(bytes: &[u8]) -> Option<Transaction> {
    let mut rest = bytes;
    let transaction = Transaction {
        version: Decodable::consensus_decode(&mut rest).ok()?,
        input: Decodable::consensus_decode(&mut rest).ok()?,
        output: Decodable::consensus_decode(&mut rest).ok()?,
        lock_time: Decodable::consensus_decode(&mut rest).ok()?,
    };
    rest.is_empty().then_some(transaction)
}

fn without_witnesses(transaction: &Transaction) -> Vec<u8> {
    fn add(bytes: &mut Vec<u8>, part: &impl Encodable) {
        bytes.extend(serialize(part));
    }
    let mut bytes = Vec::new();
    add(&mut bytes, &transaction.version);
    add(&mut bytes, &transaction.input);
    add(&mut bytes, &transaction.output);
    add(&mut bytes, &transaction.lock_time);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No inputs, one output of a coin to an empty script.
    const NO_INPUTS: &str = "02000000000100e1f505000000000000000000";

    fn decode(text: &str, is_witness: Option<bool>) -> Option<Transaction> {
        decode_transaction(text, TransactionForms::of(is_witness))
    }

    #[test]
    fn a_transaction_without_inputs_is_written_and_read_without_a_mark() {
        for is_witness in [None, Some(false)] {
            let transaction = decode(NO_INPUTS, is_witness).unwrap();
            assert!(transaction.input.is_empty());
            assert_eq!(transaction.output[0].value.to_sat(), 100_000_000);
            assert_eq!(transaction_hex(&transaction), NO_INPUTS);
            assert_eq!(total_size(&transaction), NO_INPUTS.len() / 2);
            let txid = transaction.compute_txid().to_byte_array();
            assert_eq!(wtxid(&transaction).to_byte_array(), txid);
        }
        assert_eq!(decode(NO_INPUTS, Some(true)), None);
        // Neither inputs nor outputs.
        let empty = "02000000000000000000";
        for is_witness in [None, Some(false), Some(true)] {
            let transaction = decode(empty, is_witness).unwrap();
            assert_eq!(transaction_hex(&transaction), empty);
        }
    }

    #[test]
    fn a_mark_without_inputs_is_none() {
        // As the crate writes it: a mark, no inputs, one output, and no witnesses.
        let marked = "020000000001000100000000000000000000000000";
        assert!(deserialize::<Transaction>(&hex::decode(marked).unwrap()).is_ok());
        for is_witness in [None, Some(true), Some(false)] {
            assert_eq!(decode(marked, is_witness), None);
        }
    }

    #[test]
    fn a_transaction_with_witnesses_is_read_where_they_are_expected() {
        // An input that spends 00…00:0 with a witness of one byte, and no outputs.
        let text = format!(
            "020000000001 01{}0000000000ffffffff00 010101 00000000",
            "11".repeat(32)
        )
        .replace(' ', "");
        let transaction = decode(&text, None).unwrap();
        assert_eq!(transaction.input[0].witness.len(), 1);
        assert_eq!(decode(&text, Some(true)), Some(transaction.clone()));
        assert_eq!(decode(&text, Some(false)), None);
        assert_eq!(transaction_hex(&transaction), text);
        assert_ne!(
            wtxid(&transaction).to_byte_array(),
            transaction.compute_txid().to_byte_array()
        );
        for none in ["", "00", "zz", &text[2..]] {
            assert_eq!(decode(none, None), None);
        }
    }
}
