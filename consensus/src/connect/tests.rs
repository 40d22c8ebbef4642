//! Tests of connecting and disconnecting blocks.

use std::collections::HashMap;

use bitcoin::{Block, ScriptBuf, Sequence};
use proptest::prelude::*;

use super::*;
use crate::block::fixtures::{EvenChain, anyone, block, coin, coinbase, outpoint, output, spend};
use crate::script::ScriptFailure;
use crate::spec::Allocation;
use crate::{ScriptError, TransactionError};

mod chains;

type Coins = HashMap<OutPoint, Coin>;

const HEIGHT: u32 = 200;
const SUBSIDY_SAT: u64 = 2_500_000_000;

fn hashed(block: &Block) -> HashedBlock {
    block.clone().into()
}

/// Connects a block at height 200 of a chain with this spec.
fn connect_on(spec: &ChainSpec, block: &Block, coins: &Coins) -> Result<BlockEffects, BlockError> {
    let chain = EvenChain::below(HEIGHT);
    connect_block(spec, &hashed(block), &BlockContext::new(&chain), coins)
}

/// Connects a block at height 200 of a regtest chain, in its second halving period.
fn connect(block: &Block, coins: &Coins) -> Result<BlockEffects, BlockError> {
    connect_on(&ChainSpec::regtest(), block, coins)
}

fn block_of(transactions: &[&Transaction]) -> Block {
    let transactions = transactions.iter().copied().cloned();
    block(
        std::iter::once(coinbase(HEIGHT, 0))
            .chain(transactions)
            .collect(),
    )
}

fn output_of(transaction: &Transaction, vout: u32) -> OutPoint {
    OutPoint {
        txid: transaction.compute_txid(),
        vout,
    }
}

fn invalid(index: usize, tx: &Transaction, error: TransactionError) -> BlockError {
    BlockError::Transaction {
        index,
        txid: tx.compute_txid(),
        error,
    }
}

#[test]
fn effects_are_what_is_spent_created_and_paid() {
    let coins = Coins::from([(outpoint(1), coin(100, 5)), (outpoint(2), coin(50, 6))]);
    let mut first = spend(&[outpoint(2), outpoint(1)], &[60, 30, 0]);
    first.output[2].script_pubkey = ScriptBuf::from_bytes(vec![0x6a]);
    let second = spend(&[output_of(&first, 1)], &[29]);
    let block = block_of(&[&first, &second]);
    let effects = connect(&block, &coins).unwrap();

    let own = coin(30, HEIGHT);
    let spent = [(outpoint(2), coin(50, 6)), (outpoint(1), coin(100, 5))];
    assert_eq!(effects.spent[..2], spent);
    assert_eq!(effects.spent[2..], [(output_of(&first, 1), own)]);
    let minted = Coin {
        is_coinbase: true,
        ..coin(0, HEIGHT)
    };
    let created = [
        (output_of(&block.txdata[0], 0), minted),
        (output_of(&first, 0), coin(60, HEIGHT)),
        (output_of(&second, 0), coin(29, HEIGHT)),
    ];
    let found: Vec<_> = effects.created(&hashed(&block)).collect();
    assert_eq!(found, created);
    let removed: Vec<_> = effects.removed().copied().collect();
    assert_eq!(removed, [outpoint(2), outpoint(1)]);
    assert_eq!(effects.fees, Amount::from_sat(60 + 1));
    let hashed = hashed(&block);
    let checks: Vec<_> = effects
        .scripts(&hashed)
        .map(|scripts| scripts.check())
        .collect();
    let checked: Vec<Txid> = checks.iter().map(ScriptCheck::txid).collect();
    assert_eq!(checked, [first.compute_txid(), second.compute_txid()]);
    assert!(checks.iter().all(|check| check.verify().is_ok()));

    let undone = disconnect_block(&hashed, &effects.spent);
    assert_eq!(undone.restored, spent);
    let removed: Vec<OutPoint> = created.into_iter().map(|(outpoint, _)| outpoint).collect();
    assert_eq!(undone.removed, removed);
}

#[test]
fn a_coin_is_spent_once() {
    let coins = Coins::from([(outpoint(1), coin(100, 5))]);
    let (first, second) = (spend(&[outpoint(1)], &[60]), spend(&[outpoint(1)], &[61]));
    let missing = TransactionError::MissingInput {
        outpoint: outpoint(1),
    };
    assert_eq!(
        connect(&block_of(&[&first, &second]), &coins).unwrap_err(),
        invalid(2, &second, missing)
    );
}

#[test]
fn a_child_comes_after_its_parent() {
    let coins = Coins::from([(outpoint(1), coin(100, 5))]);
    let parent = spend(&[outpoint(1)], &[60]);
    let child = spend(&[output_of(&parent, 0)], &[50]);
    assert!(connect(&block_of(&[&parent, &child]), &coins).is_ok());
    let missing = TransactionError::MissingInput {
        outpoint: output_of(&parent, 0),
    };
    assert_eq!(
        connect(&block_of(&[&child, &parent]), &coins).unwrap_err(),
        invalid(1, &child, missing)
    );
}

#[test]
fn a_data_carrier_s_output_is_no_coin() {
    let coins = Coins::from([(outpoint(1), coin(100, 5))]);
    let mut parent = spend(&[outpoint(1)], &[60]);
    parent.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x6a]);
    let child = spend(&[output_of(&parent, 0)], &[50]);
    let missing = TransactionError::MissingInput {
        outpoint: output_of(&parent, 0),
    };
    assert_eq!(
        connect(&block_of(&[&parent, &child]), &coins).unwrap_err(),
        invalid(2, &child, missing)
    );
}

#[test]
fn the_block_s_own_coinbase_is_immature() {
    let minted = coinbase(HEIGHT, 7);
    let minted_outpoint = output_of(&minted, 0);
    let child = spend(&[minted_outpoint], &[7]);
    let error = TransactionError::ImmatureCoinbase {
        outpoint: minted_outpoint,
        depth: 0,
        maturity: 100,
    };
    let block = block(vec![minted, child.clone()]);
    assert_eq!(
        connect(&block, &Coins::new()).unwrap_err(),
        invalid(1, &child, error)
    );
}

#[test]
fn relative_locks_bind_in_blocks() {
    let coins = Coins::from([(outpoint(1), coin(100, 5))]);
    let parent = spend(&[outpoint(1)], &[60]);
    let mut child = spend(&[output_of(&parent, 0)], &[50]);
    child.input[0].sequence = Sequence::from_consensus(0);
    assert!(connect(&block_of(&[&parent, &child]), &coins).is_ok());
    child.input[0].sequence = Sequence::from_consensus(1);
    let error = invalid(2, &child, TransactionError::SequenceLocked { input: 0 });
    assert_eq!(error.reject_reason(), "bad-txns-nonfinal");
    assert_eq!(
        connect(&block_of(&[&parent, &child]), &coins).unwrap_err(),
        error
    );
}

#[test]
fn the_coinbase_takes_subsidy_and_fees() {
    let coins = Coins::from([(outpoint(1), coin(100, 5))]);
    let paying = spend(&[outpoint(1)], &[60]);
    let taking = |value_sat| block(vec![coinbase(HEIGHT, value_sat), paying.clone()]);
    assert!(connect(&taking(SUBSIDY_SAT + 40), &coins).is_ok());
    assert_eq!(
        connect(&taking(SUBSIDY_SAT + 41), &coins).unwrap_err(),
        BlockError::CoinbaseAmount {
            taken: Amount::from_sat(SUBSIDY_SAT + 41),
            allowed: Amount::from_sat(SUBSIDY_SAT + 40),
        }
    );
}

#[test]
fn fees_together_are_in_range() {
    let most = Amount::MAX_MONEY.to_sat();
    let connect_fees = |second_sat| {
        let coins = Coins::from([
            (outpoint(1), coin(most, 5)),
            (outpoint(2), coin(second_sat, 5)),
        ]);
        let spends = [spend(&[outpoint(1)], &[0]), spend(&[outpoint(2)], &[0])];
        connect(&block_of(&[&spends[0], &spends[1]]), &coins)
    };
    assert_eq!(connect_fees(0).unwrap().fees, Amount::MAX_MONEY);
    assert_eq!(connect_fees(1).unwrap_err(), BlockError::FeesOutOfRange);
}

#[test]
fn sigops_of_redeem_scripts_count() {
    // Each input redeems OP_CHECKMULTISIG, which counts as 20 and costs 80.
    let p2sh = ScriptBuf::from_bytes([vec![0xa9, 20], vec![7; 20], vec![0x87]].concat());
    let connect_spends = |spec: &ChainSpec, count: u32| {
        let outpoints: Vec<OutPoint> = (0..count)
            .map(|vout| OutPoint {
                vout,
                ..outpoint(1)
            })
            .collect();
        let p2sh_coin = Coin {
            output: output(1, p2sh.clone()),
            ..coin(1, 5)
        };
        let coins = outpoints
            .iter()
            .map(|outpoint| (*outpoint, p2sh_coin.clone()))
            .collect();
        let mut tx = spend(&outpoints, &[1]);
        for input in &mut tx.input {
            input.script_sig = ScriptBuf::from_bytes(vec![0x01, 0xae]);
        }
        connect_on(spec, &block_of(&[&tx]), &coins)
    };
    let mut spec = ChainSpec::regtest();
    assert!(connect_spends(&spec, 1_000).is_ok());
    assert_eq!(
        connect_spends(&spec, 1_001).unwrap_err(),
        BlockError::SigopCost {
            cost: 80_080,
            limit: 80_000
        }
    );
    // Before BIP-0016 and what builds on it, they do not count.
    spec.deployments.bip16 = HEIGHT + 1;
    spec.deployments.segwit = HEIGHT + 1;
    spec.deployments.taproot = HEIGHT + 1;
    assert!(connect_spends(&spec, 1_001).is_ok());
}

#[test]
fn sigops_of_all_transactions_count_together() {
    let coins = Coins::from([(outpoint(1), coin(100, 5)), (outpoint(2), coin(100, 5))]);
    let connect_sigops = |counts: [usize; 2]| {
        let mut minted = coinbase(HEIGHT, 0);
        minted.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; counts[0]]);
        let mut tx = spend(&[outpoint(1)], &[1]);
        tx.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; counts[1]]);
        connect(&block(vec![minted, tx]), &coins)
    };
    assert!(connect_sigops([10_000, 10_000]).is_ok());
    let error = BlockError::SigopCost {
        cost: 80_004,
        limit: 80_000,
    };
    assert_eq!(connect_sigops([10_000, 10_001]).unwrap_err(), error);
}

#[test]
fn coins_are_not_overwritten_where_coinbases_can_repeat() {
    let mut spec = ChainSpec::regtest();
    spec.deployments.bip34 = HEIGHT;
    let block = block_of(&[]);
    let repeated = output_of(&block.txdata[0], 0);
    assert_eq!(
        outpoints_to_read(&spec, &hashed(&block), Height(HEIGHT)),
        [repeated]
    );
    assert!(connect_on(&spec, &block, &Coins::new()).is_ok());
    let coins = Coins::from([(repeated, coin(1, 5))]);
    let error = BlockError::Overwrite { outpoint: repeated };
    assert_eq!(error.reject_reason(), "bad-txns-BIP30");
    assert_eq!(connect_on(&spec, &block, &coins).unwrap_err(), error);

    // Where every coinbase holds its height there is nothing to look for.
    assert!(outpoints_to_read(&ChainSpec::regtest(), &hashed(&block), Height(HEIGHT)).is_empty());
    assert!(connect(&block, &coins).is_ok());
}

#[test]
fn bip_30_applies_on_mainnet_where_bip_34_does_not_imply_it() {
    let spec = ChainSpec::mainnet();
    let block = block_of(&[]);
    for (height, applies) in [
        (1, true),
        // The exempt blocks are known by their hashes, too.
        (91_842, true),
        (227_931, true),
        (227_932, false),
        (1_983_701, false),
        (1_983_702, true),
    ] {
        assert_eq!(
            bip30_applies(&spec, &hashed(&block), Height(height)),
            applies,
            "height {height}"
        );
    }
}

#[test]
fn reads_what_the_block_does_not_create_before() {
    let parent = spend(&[outpoint(1)], &[60, 70]);
    let child = spend(&[output_of(&parent, 1), outpoint(2)], &[50]);
    let read = |transactions: &[&Transaction]| {
        outpoints_to_read(
            &ChainSpec::regtest(),
            &hashed(&block_of(transactions)),
            Height(HEIGHT),
        )
    };
    assert_eq!(read(&[&parent, &child]), [outpoint(1), outpoint(2)]);
    assert_eq!(
        read(&[&child, &parent]),
        [output_of(&parent, 1), outpoint(2), outpoint(1)]
    );
}

#[test]
fn a_script_that_fails_is_the_block_s_error() {
    let never = ScriptBuf::from_bytes(vec![0x00]);
    let coins = Coins::from([(
        outpoint(1),
        Coin {
            output: output(9, never),
            ..coin(9, 5)
        },
    )]);
    let tx = spend(&[outpoint(1)], &[9]);
    let block = hashed(&block_of(&[&tx]));
    let effects = connect(&block, &coins).unwrap();
    let scripts = effects.scripts(&block).next().unwrap();
    let error = BlockError::from(scripts.check().verify().unwrap_err());
    let txid = tx.compute_txid();
    assert_eq!(
        error,
        BlockError::Script(ScriptError::Failed {
            txid,
            input: 0,
            failure: ScriptFailure::EvalFalse
        })
    );
    assert!(!error.is_mutation());
    assert_eq!(error.reject_reason(), "block-script-verify-flag-failed");
    let message = ScriptFailure::EvalFalse.to_string();
    assert_eq!(
        error.to_string(),
        format!("block-script-verify-flag-failed (input 0 of {txid}: {message})")
    );
}

#[test]
fn the_genesis_block_gives_its_allocations() {
    assert_eq!(genesis_coins(&ChainSpec::regtest()), []);
    assert_eq!(genesis_coins(&ChainSpec::mainnet()), []);

    let allocation = |value| Allocation {
        script_pubkey: anyone(),
        value: Amount::from_sat(value),
    };
    let spec = ChainSpec::regtest().derive("own", 7, "", vec![allocation(5), allocation(6)]);
    let genesis = spec.genesis_block();
    let expected = [
        (output_of(&genesis.txdata[1], 0), coin(5, 0)),
        (output_of(&genesis.txdata[1], 1), coin(6, 0)),
    ];
    assert_eq!(genesis_coins(&spec), expected);
}

/// A transaction to make: which of the coins at hand it spends, into how many outputs, and whether
/// one more carries data.
type Recipe = (Vec<prop::sample::Index>, usize, bool);

fn recipes() -> impl Strategy<Value = Vec<Recipe>> {
    let inputs = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    prop::collection::vec((inputs, 1..4_usize, any::<bool>()), 0..12)
}

/// Transactions that spend the coins at hand, given with their values, and those of each other.
fn transactions_from(recipes: &[Recipe], mut at_hand: Vec<(OutPoint, u64)>) -> Vec<Transaction> {
    at_hand.sort();
    let mut transactions = Vec::new();
    for (picks, outputs, carries_data) in recipes {
        let (mut inputs, mut value) = (Vec::new(), 0);
        for pick in picks.iter().take(at_hand.len()) {
            let (outpoint, worth) = at_hand.swap_remove(pick.index(at_hand.len()));
            inputs.push(outpoint);
            value += worth;
        }
        if inputs.is_empty() {
            continue;
        }
        // What the division leaves is the fee.
        let parts = u64::try_from(*outputs).unwrap() + 1;
        let values = vec![value / parts; *outputs];
        let mut tx = spend(&inputs, &values);
        if *carries_data {
            tx.output.insert(
                0,
                output(1.min(value / 10), ScriptBuf::from_bytes(vec![0x6a])),
            );
        }
        let outpoints = (0..).map(|vout| output_of(&tx, vout));
        let spendable = outpoints
            .zip(&tx.output)
            .filter(|(_, o)| !o.script_pubkey.is_op_return());
        at_hand.extend(spendable.map(|(outpoint, o)| (outpoint, o.value.to_sat())));
        transactions.push(tx);
    }
    transactions
}

/// Makes a block of transactions that spend coins of `coins` and of each other.
fn block_from(recipes: &[Recipe], coins: &Coins) -> Block {
    let worth = |(outpoint, coin): (&OutPoint, &Coin)| (*outpoint, coin.output.value.to_sat());
    let mut transactions = vec![coinbase(HEIGHT, SUBSIDY_SAT)];
    transactions.extend(transactions_from(
        recipes,
        coins.iter().map(worth).collect(),
    ));
    block(transactions)
}

fn total_sat<'a>(outputs: impl Iterator<Item = &'a bitcoin::TxOut>) -> u64 {
    outputs.map(|output| output.value.to_sat()).sum()
}

proptest! {
    #[test]
    fn disconnecting_undoes_connecting(
        values in prop::collection::vec(0..1_000_000_u64, 1..10),
        recipes in recipes(),
    ) {
        let before: Coins = (1..).map(outpoint).zip(values.iter().map(|v| coin(*v, 5))).collect();
        let block = hashed(&block_from(&recipes, &before));
        let spec = ChainSpec::regtest();
        // What the rules may read is exactly what the caller was told to read.
        let view: Coins = outpoints_to_read(&spec, &block, Height(HEIGHT))
            .into_iter()
            .filter_map(|outpoint| Some((outpoint, before.get(&outpoint)?.clone())))
            .collect();
        let effects = connect(&block, &view).unwrap();

        let paid = total_sat(block.txdata.iter().skip(1).flat_map(|tx| &tx.output));
        let spent = total_sat(effects.spent.iter().map(|(_, coin)| &coin.output));
        prop_assert_eq!(spent, paid + effects.fees.to_sat());

        // The coins one transaction after the other, without looking at the effects.
        let mut expected = before.clone();
        for tx in &block.txdata {
            for input in &tx.input {
                expected.remove(&input.previous_output);
            }
            for (vout, output) in (0..).zip(&tx.output) {
                if !output.script_pubkey.is_op_return() {
                    let is_coinbase = tx.is_coinbase();
                    let (output, height) = (output.clone(), Height(HEIGHT));
                    expected.insert(output_of(tx, vout), Coin { output, height, is_coinbase });
                }
            }
        }
        let mut after = before.clone();
        for (outpoint, _) in &effects.spent {
            after.remove(outpoint);
        }
        after.extend(effects.created(&block));
        prop_assert_eq!(&after, &expected);

        let undone = disconnect_block(&block, &effects.spent);
        for outpoint in undone.removed {
            prop_assert!(after.remove(&outpoint).is_some());
        }
        for (outpoint, coin) in undone.restored {
            prop_assert!(after.insert(outpoint, coin).is_none());
        }
        prop_assert_eq!(after, before);
    }
}

#[test]
fn a_full_block_of_dependent_transactions_connects() {
    // 12,000 transactions in one chain: nothing may take time that grows with their square.
    let coins = Coins::from([(outpoint(1), coin(1_000_000, 5))]);
    let mut transactions = vec![coinbase(HEIGHT, 0)];
    let mut previous = outpoint(1);
    for value in (0..12_000).rev() {
        let tx = spend(&[previous], &[value]);
        previous = output_of(&tx, 0);
        transactions.push(tx);
    }
    let block = block(transactions);
    let effects = connect(&block, &coins).unwrap();
    assert_eq!(effects.created(&hashed(&block)).count(), 2);
    assert_eq!(effects.spent.len(), 12_000);
    assert_eq!(effects.fees, Amount::from_sat(1_000_000));
}

#[test]
fn spending_twice_in_one_transaction_is_caught_even_unchecked() {
    let coins = Coins::from([(outpoint(1), coin(100, 5))]);
    let twice = spend(&[outpoint(1), outpoint(1)], &[60]);
    let missing = TransactionError::MissingInput {
        outpoint: outpoint(1),
    };
    assert_eq!(
        connect(&block_of(&[&twice]), &coins).unwrap_err(),
        invalid(1, &twice, missing)
    );
}
