//! Fuzz target: what is written of transactions with every kind of script is what the model says.

use bolero::{TypeGenerator, check};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{OutPoint, ScriptBuf, Sequence, Txid, Witness};

use super::*;
use crate::json::transaction_text;

/// A key's first coordinate, which is one of the curve's half of the time.
type Coordinate = [u8; 32];

#[derive(Clone, Debug, TypeGenerator)]
enum Lock {
    Key(bool, Coordinate),
    KeyHash([u8; 20]),
    ScriptHash([u8; 20]),
    Multisig(u8, Vec<Coordinate>),
    Data(Vec<u8>),
    Program(u8, Vec<u8>),
    WitnessKeyHash([u8; 20]),
    WitnessScriptHash([u8; 32]),
    Taproot(Coordinate),
    Anchor,
    Any(Vec<u8>),
}

#[derive(Clone, Debug, TypeGenerator)]
enum Unlock {
    /// What is not there but in the witness.
    Empty,
    /// Two integers, the hash type, and a key.
    Signature(Vec<u8>, Vec<u8>, u8, Coordinate),
    Any(Vec<u8>),
}

#[derive(Clone, Debug, TypeGenerator)]
struct Spend {
    coin: (Lock, u32, u32, bool),
    parent: ([u8; 32], u32),
    unlock: Unlock,
    witness: Vec<Vec<u8>>,
    sequence: u32,
}

#[derive(Clone, Debug, TypeGenerator)]
struct Payment {
    version: i32,
    lock_time: u32,
    inputs: Vec<Spend>,
    outputs: Vec<(Lock, u32)>,
    is_coinbase: bool,
    coins_are_known: bool,
    with_prevouts: bool,
    with_hex: bool,
}

fn push(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[..bytes.len().min(75)];
    let length = u8::try_from(bytes.len()).unwrap();
    [&[length], bytes].concat()
}

fn key(first: &Coordinate) -> Vec<u8> {
    [&[2 + (first[31] & 1)], &first[..]].concat()
}

impl Lock {
    fn script(&self) -> ScriptBuf {
        let program = |opcode: u8, program: &[u8]| [&[opcode], &push(program)[..]].concat();
        ScriptBuf::from_bytes(match self {
            Self::Key(true, first) => [push(&key(first)), vec![0xac]].concat(),
            Self::Key(false, first) => {
                [push(&[&[4], &first[..], first].concat()), vec![0xac]].concat()
            }
            Self::KeyHash(hash) => [&[0x76, 0xa9, 20], &hash[..], &[0x88, 0xac]].concat(),
            Self::ScriptHash(hash) => [&[0xa9, 20], &hash[..], &[0x87]].concat(),
            Self::Multisig(required, keys) => {
                let keys = &keys[..keys.len().min(16)];
                let number = 0x50 + u8::try_from(keys.len()).unwrap();
                let mut script = vec![0x51 + required % 17];
                script.extend(keys.iter().flat_map(|first| push(&key(first))));
                script.extend([number, 0xae]);
                script
            }
            Self::Data(data) => [vec![0x6a], push(data)].concat(),
            Self::Program(version, bytes) => program(0x51 + version % 16, bytes),
            Self::WitnessKeyHash(hash) => program(0, hash),
            Self::WitnessScriptHash(hash) => program(0, hash),
            Self::Taproot(first) => program(0x51, first),
            Self::Anchor => vec![0x51, 2, 0x4e, 0x73],
            Self::Any(bytes) => bytes.clone(),
        })
    }
}

impl Unlock {
    fn script(&self) -> ScriptBuf {
        ScriptBuf::from_bytes(match self {
            Self::Empty => Vec::new(),
            Self::Signature(r, s, hash_type, first) => {
                let integer = |bytes: &[u8]| {
                    let bytes = push(&bytes[..bytes.len().min(32)]);
                    [vec![2], bytes].concat()
                };
                let body = [integer(r), integer(s)].concat();
                let length = u8::try_from(body.len()).unwrap();
                let signature = [&[0x30, length], &body[..], &[*hash_type]].concat();
                [push(&signature), push(&key(first))].concat()
            }
            Self::Any(bytes) => bytes.clone(),
        })
    }
}

impl Payment {
    fn transaction(&self) -> Transaction {
        let mut input: Vec<_> = self.inputs.iter().map(Spend::input).collect();
        if self.is_coinbase {
            input.truncate(1);
            input
                .iter_mut()
                .for_each(|input| input.previous_output = OutPoint::null());
        }
        let output = |(lock, sat): &(Lock, u32)| output(lock, *sat);
        Transaction {
            version: Version(self.version),
            lock_time: LockTime::from_consensus(self.lock_time),
            input,
            output: self.outputs.iter().map(output).collect(),
        }
    }

    fn coins(&self) -> Vec<Coin> {
        let coins = self.inputs.iter().map(|spend| &spend.coin);
        coins
            .map(|(lock, sat, height, is_coinbase)| Coin {
                output: output(lock, *sat),
                height: Height(*height),
                is_coinbase: *is_coinbase,
            })
            .collect()
    }
}

impl Spend {
    fn input(&self) -> TxIn {
        let (txid, vout) = self.parent;
        TxIn {
            previous_output: OutPoint {
                txid: Txid::from_byte_array(txid),
                vout,
            },
            script_sig: self.unlock.script(),
            sequence: Sequence(self.sequence),
            witness: Witness::from_slice(&self.witness),
        }
    }
}

fn output(lock: &Lock, sat: u32) -> TxOut {
    TxOut {
        value: Amount::from_sat(sat.into()),
        script_pubkey: lock.script(),
    }
}

#[test]
fn fuzz_transactions_are_shown_as_the_model_shows_them() {
    check!().with_type::<Payment>().for_each(|payment| {
        let (transaction, coins) = (payment.transaction(), payment.coins());
        let view = TransactionView {
            spent: payment.coins_are_known.then_some(&coins),
            with_prevouts: payment.with_prevouts,
            with_hex: payment.with_hex,
            ids: None,
        };
        for network in [Network::Bitcoin, Network::Regtest] {
            let expected = serde_json::to_string(&transaction_json(&transaction, network, view));
            let text = transaction_text(&transaction, network, view);
            assert_eq!(String::from_utf8(text).unwrap(), expected.unwrap());
        }
    });
}
