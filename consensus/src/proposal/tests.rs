//! A block that is checked behind a part that was checked before has the verdict that it has when it is checked whole.

use std::collections::HashMap;

use bitcoin::absolute::LockTime;
use bitcoin::{Block, Sequence};
use proptest::prelude::*;

use super::*;
use crate::block::fixtures::{EvenChain, block, coin, coinbase, outpoint, spend};
use crate::{HashedBlock, ProposedTransaction, check_block, check_block_in_chain, connect_block};

const HEIGHT: u32 = 200;
const COINS: u8 = 5;
const VALUE_SAT: u64 = 10_000;
const SUBSIDY_SAT: u64 = 2_500_000_000;

type Coins = HashMap<OutPoint, Coin>;

fn coins() -> Coins {
    let coins = (0..COINS).map(|number| (outpoint(number), coin(VALUE_SAT, 1)));
    coins.collect()
}

/// What to make a transaction of: which outpoints it spends, of all that there are by then, and what is wrong with it.
#[derive(Clone, Debug)]
struct Plan {
    inputs: Vec<prop::sample::Index>,
    outputs: usize,
    fault: u8,
}

fn plan() -> impl Strategy<Value = Plan> {
    let inputs = prop::collection::vec(any::<prop::sample::Index>(), 1..3);
    (inputs, 1_usize..3, 0_u8..12).prop_map(|(inputs, outputs, fault)| Plan {
        inputs,
        outputs,
        fault,
    })
}

/// Transactions that spend the coins, each other's outputs and sometimes what is spent.
fn transactions_of(plans: &[Plan]) -> Vec<Transaction> {
    let mut outpoints: Vec<OutPoint> = (0..COINS).map(outpoint).collect();
    let mut made = Vec::new();
    for plan in plans {
        let inputs: Vec<_> = plan
            .inputs
            .iter()
            .map(|index| *index.get(&outpoints))
            .collect();
        let value = if plan.fault == 0 { 2 * VALUE_SAT } else { 10 };
        let mut tx = spend(&inputs, &vec![value; plan.outputs]);
        if plan.fault == 1 {
            tx.lock_time = LockTime::from_consensus(HEIGHT + 1);
            tx.input[0].sequence = Sequence::ZERO;
        }
        let txid = tx.compute_txid();
        outpoints.extend((0..).take(plan.outputs).map(|vout| OutPoint { txid, vout }));
        made.push(tx);
    }
    made
}

fn whole(block: &Block) -> Result<(), BlockError> {
    let spec = ChainSpec::regtest();
    let chain = EvenChain::below(HEIGHT);
    let context = BlockContext::new(&chain);
    let block = HashedBlock::from(block.clone());
    check_block(&spec, &block)?;
    check_block_in_chain(&spec, &block, &context)?;
    connect_block(&spec, &block, &context, &coins()).map(|_| ())
}

/// The part that is kept of a block, and the number of transactions whose scripts are to be verified.
fn in_parts(
    block: &Block,
    settled: usize,
    known: Option<&CheckedPart>,
) -> Result<(Option<CheckedPart>, usize), BlockError> {
    let spec = ChainSpec::regtest();
    let chain = EvenChain::below(HEIGHT);
    let context = BlockContext::new(&chain);
    let transactions = block.txdata.iter().cloned().map(ProposedTransaction::new);
    let block = ProposedBlock::new(block.header, transactions).with_settled(settled);
    let check = ProposalCheck::new(&spec, &block, &context, known);
    let all = coins();
    let mut needed = Coins::new();
    for outpoint in check.outpoints_to_read(|_| false) {
        needed.extend(all.get(&outpoint).map(|coin| (outpoint, coin.clone())));
    }
    let sums = check.check_by_itself()?;
    let effects = check.connect(&needed)?;
    let scripts = effects.scripts(&block).count();
    Ok((check.keep(sums, effects), scripts))
}

fn block_of(transactions: Vec<Transaction>, reward_sat: u64) -> Block {
    block(
        std::iter::once(coinbase(HEIGHT, reward_sat))
            .chain(transactions)
            .collect(),
    )
}

proptest! {
    #[test]
    fn a_part_changes_no_verdict(
        plans in prop::collection::vec(plan(), 2..14),
        rest in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        settled in any::<prop::sample::Index>(),
        surplus in 0_u64..3,
    ) {
        let all = transactions_of(&plans);
        let mut valid = Vec::new();
        for tx in &all {
            valid.push(tx.clone());
            if whole(&block_of(valid.clone(), 0)).is_err() {
                valid.pop();
            }
        }
        if valid.len() < 2 {
            return Ok(());
        }
        let settled = 1 + settled.index(valid.len() - 1);
        let (part, scripts) = in_parts(&block_of(valid.clone(), 0), settled, None).unwrap();
        prop_assert_eq!(scripts, valid.len());
        let part = part.unwrap();
        prop_assert_eq!(part.wtxids.len(), settled);

        let mut next = valid[..settled].to_vec();
        next.extend(rest.iter().map(|index| index.get(&all).clone()));
        let fees = fees(&next);
        let next = block_of(next, (SUBSIDY_SAT + fees + 1).saturating_sub(surplus));
        let verdict = in_parts(&next, settled, Some(&part));
        prop_assert_eq!(verdict.as_ref().map(|_| ()).map_err(Clone::clone), whole(&next));
        if let Ok((kept, scripts)) = verdict {
            prop_assert!(kept.is_none(), "the known part stays");
            prop_assert_eq!(scripts, rest.len());
        }
    }
}

/// What a block of these may take beside the subsidy, if each of them is valid.
fn fees(transactions: &[Transaction]) -> u64 {
    let mut values: HashMap<OutPoint, u64> = (0..COINS).map(|n| (outpoint(n), VALUE_SAT)).collect();
    let mut fees = 0_u64;
    for tx in transactions {
        let txid = tx.compute_txid();
        let spent: u64 = tx
            .input
            .iter()
            .filter_map(|input| values.get(&input.previous_output))
            .sum();
        let paid: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        fees = fees.saturating_add(spent.saturating_sub(paid));
        for (vout, output) in (0..).zip(&tx.output) {
            values.insert(OutPoint { txid, vout }, output.value.to_sat());
        }
    }
    fees
}

#[test]
fn a_part_is_passed_over_only_where_it_was_checked() {
    let first = spend(&[outpoint(0)], &[1]);
    let second = spend(&[outpoint(1)], &[1]);
    let third = spend(&[outpoint(2)], &[1]);
    let (part, _) = in_parts(&block_of(vec![first.clone(), second.clone()], 0), 1, None).unwrap();
    let part = part.unwrap();
    let scripts = |block: &Block| in_parts(block, 1, Some(&part)).unwrap().1;
    assert_eq!(scripts(&block_of(vec![first.clone(), third.clone()], 0)), 1);
    assert_eq!(scripts(&block_of(vec![second, first.clone()], 0)), 2);
    let mut elsewhere = block_of(vec![first.clone(), third], 0);
    elsewhere.header.prev_blockhash = elsewhere.block_hash();
    assert_eq!(scripts(&elsewhere), 2);
    let witness = {
        let mut tx = first;
        tx.input[0].witness.push([1]);
        tx
    };
    // Without a commitment no witness is allowed: it is not passed over as the transaction without one.
    assert!(in_parts(&block_of(vec![witness], 0), 1, Some(&part)).is_err());
}
