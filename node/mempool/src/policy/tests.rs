//! Standardness: each rule with what it accepts and what it rejects.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness};
use pyrite_consensus::{Coin, Height};

use super::dust::dust_threshold;
use super::output_type::{OutputType, output_type};
use super::{
    adjusted_weight, check_base_size, check_inputs_standard, check_standard, check_witness_standard,
};
use crate::testing::{open_script, open_transaction};
use crate::{FeeRate, MempoolConfig, NonStandard};

fn outpoint() -> OutPoint {
    OutPoint {
        txid: Txid::hash(b"coin"),
        vout: 0,
    }
}

fn transaction() -> Transaction {
    open_transaction(&[outpoint()], &[10_000])
}

fn paying_to(script: ScriptBuf) -> Transaction {
    let mut transaction = transaction();
    transaction.output[0].script_pubkey = script;
    transaction
}

fn standard(transaction: &Transaction) -> Result<(), NonStandard> {
    check_standard(transaction, &MempoolConfig::default())
}

fn script(hex: &str) -> ScriptBuf {
    ScriptBuf::from_hex(hex).unwrap()
}

fn push(bytes: &[u8]) -> Vec<u8> {
    let mut script = match u8::try_from(bytes.len()).unwrap() {
        length @ 0..=75 => vec![length],
        length => vec![0x4c, length],
    };
    script.extend_from_slice(bytes);
    script
}

fn key() -> Vec<u8> {
    push(&[&[2; 1][..], &[7; 32]].concat())
}

fn multisig(required: u8, keys: u8) -> ScriptBuf {
    let count = |number: u8| {
        if number <= 16 {
            vec![0x50 + number]
        } else {
            vec![1, number]
        }
    };
    let mut bytes = count(required);
    for _ in 0..keys {
        bytes.extend(key());
    }
    bytes.extend(count(keys));
    bytes.push(0xae);
    ScriptBuf::from_bytes(bytes)
}

fn data(length: usize) -> ScriptBuf {
    let mut bytes = vec![0x6a, 0x4e];
    bytes.extend(u32::try_from(length - 6).unwrap().to_le_bytes());
    bytes.resize(length, 0);
    ScriptBuf::from_bytes(bytes)
}

#[test]
fn versions_1_to_3_are_standard() {
    for (version, expected) in [
        (0, Err(NonStandard::Version)),
        (1, Ok(())),
        (2, Ok(())),
        (3, Ok(())),
        (4, Err(NonStandard::Version)),
        (-1, Err(NonStandard::Version)),
    ] {
        let mut transaction = transaction();
        transaction.version = Version(version);
        assert_eq!(standard(&transaction), expected, "version {version}");
    }
}

#[test]
fn weight_is_bounded() {
    let mut transaction = transaction();
    // Each further output weighs 4 * 32; the output count takes three bytes from 253 on.
    let outputs = (400_000 - transaction.weight().to_wu() - 8) / 128 + 1;
    transaction.output = vec![transaction.output[0].clone(); outputs.try_into().unwrap()];
    assert!(transaction.weight().to_wu() <= 400_000);
    assert_eq!(standard(&transaction), Ok(()));
    transaction.output.push(transaction.output[0].clone());
    assert!(transaction.weight().to_wu() > 400_000);
    assert_eq!(standard(&transaction), Err(NonStandard::Weight));
}

#[test]
fn sixty_five_bytes_are_the_least() {
    let mut small = paying_to(script("51024e73"));
    small.input[0].script_sig = ScriptBuf::new();
    assert_eq!(small.base_size(), 64);
    assert_eq!(check_base_size(&small), Err(NonStandard::TooSmall));
    small.input[0].script_sig = script("51");
    assert_eq!(check_base_size(&small), Ok(()));
}

#[test]
fn input_scripts_are_short_and_push_only() {
    let mut transaction = transaction();
    transaction.input[0].script_sig = ScriptBuf::from_bytes(vec![0x51; 1_650]);
    assert_eq!(standard(&transaction), Ok(()));
    transaction.input[0].script_sig = ScriptBuf::from_bytes(vec![0x51; 1_651]);
    assert_eq!(standard(&transaction), Err(NonStandard::ScriptSigSize));
    transaction.input[0].script_sig = script("5161");
    assert_eq!(
        standard(&transaction),
        Err(NonStandard::ScriptSigNotPushOnly)
    );
    transaction.input[0].script_sig = script("05aa");
    assert_eq!(
        standard(&transaction),
        Err(NonStandard::ScriptSigNotPushOnly)
    );
}

#[test]
fn output_scripts_are_told_apart() {
    let p2pk = ScriptBuf::from_bytes([key(), vec![0xac]].concat());
    let bad_p2pk = ScriptBuf::from_bytes([push(&[5; 33]), vec![0xac]].concat());
    let witness = |version: u8, length: usize| {
        ScriptBuf::from_bytes([vec![version], push(&vec![3; length])].concat())
    };
    let p2pkh =
        ScriptBuf::from_bytes([vec![0x76, 0xa9], push(&[1; 20]), vec![0x88, 0xac]].concat());
    for (script, expected) in [
        (p2pk, OutputType::PublicKey),
        (bad_p2pk, OutputType::NonStandard),
        (p2pkh, OutputType::PublicKeyHash),
        (open_script(), OutputType::ScriptHash),
        (
            multisig(1, 1),
            OutputType::Multisig {
                required: 1,
                keys: 1,
            },
        ),
        (
            multisig(2, 3),
            OutputType::Multisig {
                required: 2,
                keys: 3,
            },
        ),
        (
            multisig(17, 20),
            OutputType::Multisig {
                required: 17,
                keys: 20,
            },
        ),
        (multisig(3, 2), OutputType::NonStandard),
        (script("6a"), OutputType::Data),
        (script("6a0401020304"), OutputType::Data),
        (script("6aac"), OutputType::NonStandard),
        (witness(0, 20), OutputType::WitnessKeyHash),
        (witness(0, 32), OutputType::WitnessScriptHash),
        (witness(0, 21), OutputType::NonStandard),
        (witness(0x51, 32), OutputType::Taproot),
        (script("51024e73"), OutputType::Anchor),
        (script("51024e74"), OutputType::WitnessUnknown),
        (witness(0x60, 40), OutputType::WitnessUnknown),
        (witness(0x60, 41), OutputType::NonStandard),
        (script("51"), OutputType::NonStandard),
        (script(""), OutputType::NonStandard),
    ] {
        assert_eq!(output_type(&script), expected, "{script:?}");
    }
}

#[test]
fn outputs_have_standard_forms() {
    for (script, expected) in [
        (multisig(2, 3), Ok(())),
        (multisig(2, 4), Err(NonStandard::ScriptPubkey)),
        (script("51"), Err(NonStandard::ScriptPubkey)),
        (script("60022222"), Ok(())),
        (script("51024e73"), Ok(())),
    ] {
        assert_eq!(standard(&paying_to(script)), expected);
    }
}

#[test]
fn data_outputs_share_a_limit() {
    let config = MempoolConfig {
        max_data_carrier_bytes: 1_000,
        ..MempoolConfig::default()
    };
    let mut transaction = transaction();
    for length in [400, 600] {
        transaction.output.push(TxOut {
            value: Amount::ZERO,
            script_pubkey: data(length),
        });
    }
    assert_eq!(check_standard(&transaction, &config), Ok(()));
    transaction.output[2].script_pubkey = data(601);
    assert_eq!(
        check_standard(&transaction, &config),
        Err(NonStandard::DataCarrier)
    );
}

#[test]
fn dust_thresholds_are_bitcoin_cores() {
    let witness = |version: u8, length: usize| {
        ScriptBuf::from_bytes([vec![version], push(&vec![3; length])].concat())
    };
    let p2pkh =
        ScriptBuf::from_bytes([vec![0x76, 0xa9], push(&[1; 20]), vec![0x88, 0xac]].concat());
    for (script, threshold) in [
        (p2pkh, 546),
        (open_script(), 540),
        (witness(0, 20), 294),
        (witness(0, 32), 330),
        (witness(0x51, 32), 330),
        (script("51024e73"), 240),
        (script("6a0401020304"), 0),
    ] {
        let output = TxOut {
            value: Amount::ZERO,
            script_pubkey: script.clone(),
        };
        assert_eq!(
            dust_threshold(&output, FeeRate(3_000)),
            Amount::from_sat(threshold)
        );
        let mut transaction = paying_to(script);
        transaction.output[0].value = Amount::from_sat(threshold);
        assert_eq!(standard(&transaction), Ok(()));
        if threshold > 0 {
            // One may be ephemeral; the fee is looked at later.
            transaction.output[0].value = Amount::from_sat(threshold - 1);
            assert_eq!(standard(&transaction), Ok(()));
            transaction.output.push(transaction.output[0].clone());
            assert_eq!(standard(&transaction), Err(NonStandard::Dust));
        }
    }
}

#[test]
fn sigops_count_in_the_virtual_size() {
    assert_eq!(adjusted_weight(561, 1, 20), 561);
    assert_eq!(adjusted_weight(561, 28, 20), 561);
    assert_eq!(adjusted_weight(561, 29, 20), 580);
    assert_eq!(adjusted_weight(561, 29, 10), 561);
}

/// A transaction that spends `script` with this input script and witness, and its coins.
fn spending(
    script: ScriptBuf,
    script_sig: Vec<u8>,
    witness: &[Vec<u8>],
) -> (Transaction, HashMap<OutPoint, Coin>) {
    let mut transaction = transaction();
    transaction.input[0].script_sig = ScriptBuf::from_bytes(script_sig);
    transaction.input[0].witness = Witness::from_slice(witness);
    let output = TxOut {
        value: Amount::from_sat(20_000),
        script_pubkey: script,
    };
    let coin = Coin {
        output,
        height: Height(1),
        is_coinbase: false,
    };
    (transaction, HashMap::from([(outpoint(), coin)]))
}

fn inputs(script: ScriptBuf, script_sig: Vec<u8>) -> Result<(), NonStandard> {
    let (transaction, coins) = spending(script, script_sig, &[]);
    check_inputs_standard(&transaction, &coins)
}

fn witness(script: ScriptBuf, script_sig: Vec<u8>, witness: &[Vec<u8>]) -> Result<(), NonStandard> {
    let (transaction, coins) = spending(script, script_sig, witness);
    check_witness_standard(&transaction, &coins)
}

#[test]
fn spent_outputs_have_standard_forms() {
    let rejected = Err(NonStandard::Inputs);
    assert_eq!(inputs(script("51"), vec![]), rejected);
    assert_eq!(inputs(script("60022222"), vec![]), rejected);
    assert_eq!(inputs(script("51024e73"), vec![]), Ok(()));
    assert_eq!(inputs(multisig(1, 20), vec![0, 0]), Ok(()));
    assert_eq!(inputs(open_script(), push(&[0x51])), Ok(()));
    assert_eq!(inputs(open_script(), vec![0x51]), Ok(()));
    assert_eq!(inputs(open_script(), vec![]), rejected);
    assert_eq!(inputs(open_script(), vec![0x50]), rejected);
}

#[test]
fn redeem_scripts_have_fifteen_sigops_at_most() {
    assert_eq!(inputs(open_script(), push(&[0xac; 15])), Ok(()));
    assert_eq!(
        inputs(open_script(), push(&[0xac; 16])),
        Err(NonStandard::Inputs)
    );
}

#[test]
fn a_transaction_executes_2500_legacy_sigops_at_most() {
    let spend = |count: u32| {
        let mut transaction = transaction();
        let mut coins = HashMap::new();
        transaction.input.clear();
        for vout in 0..count {
            let mut input = self::transaction().input.remove(0);
            input.previous_output.vout = vout;
            input.script_sig = ScriptBuf::from_bytes(push(&[0xac; 10]));
            let output = TxOut {
                value: Amount::from_sat(1),
                script_pubkey: open_script(),
            };
            coins.insert(
                input.previous_output,
                Coin {
                    output,
                    height: Height(1),
                    is_coinbase: false,
                },
            );
            transaction.input.push(input);
        }
        check_inputs_standard(&transaction, &coins)
    };
    assert_eq!(spend(250), Ok(()));
    assert_eq!(spend(251), Err(NonStandard::Inputs));
}

#[test]
fn witnesses_belong_to_witness_programs() {
    let rejected = Err(NonStandard::Witness);
    let item = [vec![1]];
    assert_eq!(witness(open_script(), push(&[0x51]), &[]), Ok(()));
    assert_eq!(witness(open_script(), push(&[0x51]), &item), rejected);
    assert_eq!(witness(script("51024e73"), vec![], &item), rejected);
    let nested = [vec![0, 20], vec![9; 20]].concat();
    assert_eq!(witness(open_script(), push(&nested), &item), Ok(()));
}

#[test]
fn script_hash_witnesses_are_bounded() {
    let rejected = Err(NonStandard::Witness);
    let p2wsh = ScriptBuf::from_bytes([vec![0], push(&[3; 32])].concat());
    let stack = |items: usize, size: usize, script: usize| {
        let mut stack = vec![vec![1; size]; items];
        stack.push(vec![0x51; script]);
        stack
    };
    assert_eq!(
        witness(p2wsh.clone(), vec![], &stack(100, 80, 3_600)),
        Ok(())
    );
    assert_eq!(
        witness(p2wsh.clone(), vec![], &stack(101, 80, 3_600)),
        rejected
    );
    assert_eq!(
        witness(p2wsh.clone(), vec![], &stack(100, 81, 3_600)),
        rejected
    );
    assert_eq!(witness(p2wsh, vec![], &stack(100, 80, 3_601)), rejected);
}

#[test]
fn taproot_witnesses_are_bounded_and_have_no_annex() {
    let rejected = Err(NonStandard::Witness);
    let taproot = ScriptBuf::from_bytes([vec![0x51], push(&[3; 32])].concat());
    let check = |stack: &[Vec<u8>]| witness(taproot.clone(), vec![], stack);
    assert_eq!(check(&[vec![1; 64]]), Ok(()));
    assert_eq!(check(&[vec![1; 64], vec![0x50]]), rejected);
    let control = |leaf: u8| [vec![leaf], vec![2; 32]].concat();
    assert_eq!(check(&[vec![1; 80], vec![0x51], control(0xc1)]), Ok(()));
    assert_eq!(check(&[vec![1; 81], vec![0x51], control(0xc1)]), rejected);
    assert_eq!(check(&[vec![1; 81], vec![0x51], control(0xc2)]), Ok(()));
    assert_eq!(check(&[vec![1; 80], vec![0x51], vec![]]), rejected);
}
