//! Tests of the transaction rules.

use std::collections::HashMap;

use bitcoin::{OutPoint, ScriptBuf, Sequence, Witness, absolute, transaction};

use super::*;
use crate::block::fixtures::{EvenChain, anyone, coin, coinbase, input, outpoint, output, spend};

const MAX_MONEY_SAT: u64 = 2_100_000_000_000_000;

fn coins(list: &[(OutPoint, Coin)]) -> HashMap<OutPoint, Coin> {
    list.iter().cloned().collect()
}

/// Checks the inputs of `transaction` in a block at `height` of a regtest chain.
fn check_at(
    height: u32,
    transaction: &Transaction,
    coins: &HashMap<OutPoint, Coin>,
) -> Result<Amount, TransactionError> {
    let chain = EvenChain::below(height);
    check_inputs(
        &ChainSpec::regtest(),
        transaction,
        &BlockContext::new(&chain),
        coins,
    )
}

#[test]
fn accepts_a_plain_transaction_and_a_coinbase() {
    assert_eq!(
        check_transaction(&spend(&[outpoint(1), outpoint(2)], &[1, 2])),
        Ok(())
    );
    assert_eq!(check_transaction(&coinbase(500, 50)), Ok(()));
}

#[test]
fn refuses_a_transaction_without_inputs_or_outputs() {
    assert_eq!(
        check_transaction(&spend(&[], &[1])),
        Err(TransactionError::NoInputs)
    );
    assert_eq!(
        check_transaction(&spend(&[outpoint(1)], &[])),
        Err(TransactionError::NoOutputs)
    );
}

#[test]
fn limits_the_size_without_witnesses() {
    let mut large = spend(&[outpoint(1)], &[1]);
    large.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0; 900_000]);
    let missing = MAX_BASE_SIZE - large.base_size();
    large.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0; 900_000 + missing]);
    large.input[0].witness = Witness::from_slice(&[vec![0; 1_000]]);
    assert_eq!(large.base_size(), MAX_BASE_SIZE);
    assert_eq!(check_transaction(&large), Ok(()));

    large.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0; 900_001 + missing]);
    let expected = TransactionError::Oversize {
        size: 1_000_001,
        limit: 1_000_000,
    };
    assert_eq!(check_transaction(&large), Err(expected.clone()));
    assert_eq!(expected.reject_reason(), "bad-txns-oversize");
}

#[test]
fn limits_output_values() {
    let check = |values: &[u64]| check_transaction(&spend(&[outpoint(1)], values));
    assert_eq!(check(&[0, MAX_MONEY_SAT]), Ok(()));
    assert_eq!(
        check(&[0, MAX_MONEY_SAT + 1]),
        Err(TransactionError::OutputTooLarge {
            output: 1,
            value: Amount::from_sat(MAX_MONEY_SAT + 1)
        })
    );
    assert_eq!(
        check(&[0, u64::MAX]),
        Err(TransactionError::OutputNegative { output: 1 })
    );
    assert_eq!(
        check(&[1, MAX_MONEY_SAT]),
        Err(TransactionError::OutputTotalTooLarge)
    );
}

#[test]
fn refuses_a_coin_that_is_spent_twice() {
    let twice = spend(&[outpoint(1), outpoint(2), outpoint(1)], &[1]);
    let expected = TransactionError::DuplicateInput {
        outpoint: outpoint(1),
    };
    assert_eq!(check_transaction(&twice), Err(expected));
}

#[test]
fn limits_the_coinbase_script() {
    let mut coinbase = coinbase(500, 50);
    for (length, is_valid) in [(1, false), (2, true), (100, true), (101, false)] {
        coinbase.input[0].script_sig = ScriptBuf::from_bytes(vec![0; length]);
        let expected = if is_valid {
            Ok(())
        } else {
            Err(TransactionError::CoinbaseScriptLength { length })
        };
        assert_eq!(check_transaction(&coinbase), expected);
    }
}

#[test]
fn refuses_a_null_outpoint_beside_another_input() {
    let transaction = spend(&[outpoint(1), OutPoint::null()], &[1]);
    assert_eq!(
        check_transaction(&transaction),
        Err(TransactionError::NullOutpoint { input: 1 })
    );
}

#[test]
fn lock_heights_are_of_the_last_block_that_may_not_hold_it() {
    let mut locked = spend(&[outpoint(1)], &[1]);
    locked.lock_time = absolute::LockTime::from_consensus(100);
    locked.input[0].sequence = Sequence::ENABLE_LOCKTIME_NO_RBF;
    let check = |transaction: &Transaction, height| {
        let chain = EvenChain::below(height);
        check_transaction_in_chain(
            &ChainSpec::regtest(),
            transaction,
            &BlockContext::new(&chain),
        )
    };
    assert_eq!(
        check(&locked, 100),
        Err(TransactionError::NotFinal { lock_time: 100 })
    );
    assert_eq!(check(&locked, 101), Ok(()));
    // Inputs that are all final switch the lock off.
    locked.input[0].sequence = Sequence::MAX;
    assert_eq!(check(&locked, 100), Ok(()));
    locked.input.push(input(outpoint(2)));
    locked.input[1].sequence = Sequence::ZERO;
    assert_eq!(
        check(&locked, 100),
        Err(TransactionError::NotFinal { lock_time: 100 })
    );
}

#[test]
fn lock_times_are_compared_with_the_median_time_past() {
    let chain = EvenChain::below(100);
    let context = BlockContext::new(&chain);
    let median = EvenChain::START + 94 * 600;
    assert_eq!(context.median_time_past, median);
    let check = |lock_time| {
        let mut locked = spend(&[outpoint(1)], &[1]);
        locked.lock_time = absolute::LockTime::from_consensus(lock_time);
        locked.input[0].sequence = Sequence::ZERO;
        check_transaction_in_chain(&ChainSpec::regtest(), &locked, &context)
    };
    assert_eq!(check(median - 1), Ok(()));
    assert_eq!(
        check(median),
        Err(TransactionError::NotFinal { lock_time: median })
    );
}

#[test]
fn the_fee_is_what_the_outputs_leave() {
    let coins = coins(&[(outpoint(1), coin(70, 5)), (outpoint(2), coin(50, 6))]);
    let both = [outpoint(1), outpoint(2)];
    assert_eq!(
        check_at(200, &spend(&both, &[60, 40]), &coins),
        Ok(Amount::from_sat(20))
    );
    assert_eq!(
        check_at(200, &spend(&both, &[60, 60]), &coins),
        Ok(Amount::ZERO)
    );
    let expected = TransactionError::InputsBelowOutputs {
        spent: Amount::from_sat(120),
        paid: Amount::from_sat(121),
    };
    assert_eq!(
        check_at(200, &spend(&both, &[60, 61]), &coins),
        Err(expected)
    );
}

#[test]
fn a_missing_coin_comes_before_other_errors() {
    let coins = coins(&[(outpoint(1), coin(70, 5))]);
    let spend = spend(&[outpoint(1), outpoint(2)], &[MAX_MONEY_SAT]);
    let expected = TransactionError::MissingInput {
        outpoint: outpoint(2),
    };
    assert_eq!(check_at(200, &spend, &coins), Err(expected));
}

#[test]
fn coinbases_mature() {
    let mut minted = coin(70, 5);
    minted.is_coinbase = true;
    let coins = coins(&[(outpoint(1), minted)]);
    let spend = spend(&[outpoint(1)], &[70]);
    let expected = TransactionError::ImmatureCoinbase {
        outpoint: outpoint(1),
        depth: 99,
        maturity: 100,
    };
    assert_eq!(check_at(104, &spend, &coins), Err(expected));
    assert_eq!(check_at(105, &spend, &coins), Ok(Amount::ZERO));
}

#[test]
fn input_values_are_in_range() {
    let check = |values: [u64; 2]| {
        let coins = coins(&[
            (outpoint(1), coin(values[0], 5)),
            (outpoint(2), coin(values[1], 5)),
        ]);
        check_at(
            200,
            &spend(&[outpoint(1), outpoint(2)], &[MAX_MONEY_SAT]),
            &coins,
        )
    };
    assert_eq!(check([MAX_MONEY_SAT, 0]), Ok(Amount::ZERO));
    assert_eq!(
        check([MAX_MONEY_SAT, 1]),
        Err(TransactionError::InputValuesOutOfRange)
    );
    assert_eq!(
        check([MAX_MONEY_SAT + 1, 0]),
        Err(TransactionError::InputValuesOutOfRange)
    );
    assert_eq!(
        check([u64::MAX, 1]),
        Err(TransactionError::InputValuesOutOfRange)
    );
}

/// A transaction whose one input has this sequence number, and its coin from height 100.
fn relatively_locked(sequence: u32) -> (Transaction, HashMap<OutPoint, Coin>) {
    let mut spend = spend(&[outpoint(1)], &[70]);
    spend.input[0].sequence = Sequence::from_consensus(sequence);
    (spend, coins(&[(outpoint(1), coin(70, 100))]))
}

const LOCKED: Result<Amount, TransactionError> = Err(TransactionError::SequenceLocked { input: 0 });

#[test]
fn relative_locks_count_blocks() {
    // Bits between the lock and its kind do not count.
    let (spend, coins) = relatively_locked(10 | (1 << 16));
    assert_eq!(check_at(109, &spend, &coins), LOCKED);
    assert_eq!(check_at(110, &spend, &coins), Ok(Amount::ZERO));
}

#[test]
fn relative_locks_count_time_from_before_the_coin() {
    let check = |height: u32, coin_height, sequence| {
        let (spend, mut coins) = relatively_locked(sequence);
        coins.insert(outpoint(1), coin(70, coin_height));
        let chain = EvenChain {
            tip: height - 1,
            spacing_s: 512,
        };
        let context = BlockContext::new(&chain);
        check_inputs(&ChainSpec::regtest(), &spend, &context, &coins)
    };
    let ten_units = 10 | SEQUENCE_LOCK_IS_TIME;
    assert_eq!(check(109, 100, ten_units), LOCKED);
    assert_eq!(check(110, 100, ten_units), Ok(Amount::ZERO));
    // The coin of an unconfirmed transaction counts from the tip.
    assert_eq!(check(110, 110, SEQUENCE_LOCK_IS_TIME), Ok(Amount::ZERO));
    assert_eq!(check(110, 110, SEQUENCE_LOCK_IS_TIME | 1), LOCKED);
    // A coin of the genesis block counts from it.
    assert_eq!(check(20, 0, SEQUENCE_LOCK_IS_TIME | 14), Ok(Amount::ZERO));
    assert_eq!(check(20, 0, SEQUENCE_LOCK_IS_TIME | 15), LOCKED);
}

#[test]
fn relative_locks_can_be_off() {
    let (disabled, coins) = relatively_locked(10 | SEQUENCE_LOCK_DISABLED);
    assert_eq!(check_at(101, &disabled, &coins), Ok(Amount::ZERO));

    let (mut spend, coins) = relatively_locked(10);
    assert_eq!(check_at(101, &spend, &coins), LOCKED);
    spend.version = transaction::Version::ONE;
    assert_eq!(check_at(101, &spend, &coins), Ok(Amount::ZERO));
    // The version is compared as an unsigned number.
    spend.version = transaction::Version(-1);
    assert_eq!(check_at(101, &spend, &coins), LOCKED);

    let mut spec = ChainSpec::regtest();
    let chain = EvenChain::below(101);
    spec.deployments.csv = 102;
    let fee = check_inputs(&spec, &spend, &BlockContext::new(&chain), &coins);
    assert_eq!(fee, Ok(Amount::ZERO));
    spec.deployments.csv = 101;
    assert_eq!(
        check_inputs(&spec, &spend, &BlockContext::new(&chain), &coins),
        LOCKED
    );
}

#[test]
fn sigops_cost_by_where_they_are() {
    let p2wpkh = ScriptBuf::from_bytes([vec![0x00, 20], vec![7; 20]].concat());
    let p2sh = ScriptBuf::from_bytes([vec![0xa9, 20], vec![7; 20], vec![0x87]].concat());
    let mut transaction = spend(&[outpoint(1), outpoint(2), outpoint(3)], &[1]);
    // A push of OP_2 OP_CHECKMULTISIG.
    transaction.input[1].script_sig = ScriptBuf::from_bytes(vec![0x02, 0x52, 0xae]);
    transaction
        .output
        .push(output(0, ScriptBuf::from_bytes(vec![0xac])));
    let with_script = |script: &ScriptBuf| Coin {
        output: output(1, script.clone()),
        ..coin(1, 1)
    };
    let spent = [
        with_script(&p2wpkh),
        with_script(&p2sh),
        with_script(&anyone()),
    ];
    let all = coins(&[
        (outpoint(1), spent[0].clone()),
        (outpoint(2), spent[1].clone()),
        (outpoint(3), spent[2].clone()),
    ]);
    assert_eq!(sigop_cost(&transaction, &all), 1 + 4 * 2 + 4);
    assert_eq!(sigop_cost(&transaction, &coins(&[])), 4);

    let under = |flags| sigop_cost_under(&transaction, spent.iter().map(Some), flags);
    assert_eq!(under(ScriptFlags::NONE), 4);
    assert_eq!(under(ScriptFlags::P2SH), 4 + 4 * 2);
}
