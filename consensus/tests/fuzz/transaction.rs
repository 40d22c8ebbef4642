//! Transactions: Bitcoin's encoding, and the rules that look at them.

use std::collections::HashMap;

use bolero::{check, produce};
use pyrite_consensus::bitcoin::consensus::{deserialize, serialize};
use pyrite_consensus::bitcoin::{OutPoint, Transaction, TxOut};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use pyrite_consensus::transaction::{
    check_inputs, check_transaction, check_transaction_in_chain, sigop_cost,
};
use pyrite_consensus::{BlockContext, ChainSpec, Coin, Height};
use pyrite_fuzzing::Damage;

use crate::chain::{EvenChain, HEIGHT};
use crate::spend::{Spend, outpoint};

/// The coins that a transaction of `Spend` spends.
pub(crate) fn coins(spent: &[TxOut]) -> HashMap<OutPoint, Coin> {
    let coin = |(number, output): (u32, &TxOut)| {
        let coin = Coin {
            output: output.clone(),
            height: Height(HEIGHT - 50 - number),
            is_coinbase: number == 2,
        };
        (outpoint(number), coin)
    };
    (0..).zip(spent).map(coin).collect()
}

/// Whatever was decoded goes through every rule; what the rules accept adds up.
fn judge(transaction: &Transaction, spent: &[TxOut]) {
    let spec = ChainSpec::regtest();
    let context = BlockContext::new(&EvenChain);
    let coins = coins(spent);
    let by_itself = check_transaction(transaction);
    let _ = check_transaction_in_chain(&spec, transaction, &context);
    let cost = sigop_cost(transaction, &coins);
    // An opcode counts at most twenty, each four times (BIP-0141).
    let most = 80 * (serialize(transaction).len() + 10_000 * spent.len());
    assert!(cost <= u64::try_from(most).expect("small"));
    let fee = check_inputs(&spec, transaction, &context, &coins);
    if let (Ok(()), Ok(fee)) = (by_itself, fee) {
        let total = |outputs: &mut dyn Iterator<Item = &TxOut>| -> u64 {
            outputs.map(|output| output.value.to_sat()).sum()
        };
        let own = transaction.input.iter();
        let spent: Vec<TxOut> = own
            .map(|input| coins[&input.previous_output].output.clone())
            .collect();
        let paid = total(&mut transaction.output.iter());
        assert_eq!(total(&mut spent.iter()), paid + fee.to_sat());
        let check = ScriptCheck::new(transaction, spent, ScriptFlags::STANDARD);
        let _ = check.verify();
    }
}

#[test]
fn fuzz_transaction_decoder() {
    check!()
        .with_type::<(Spend, Damage)>()
        .for_each(|(spend, damage)| {
            let (transaction, spent) = spend.make();
            let bytes = damage.apply(serialize(&transaction));
            match deserialize::<Transaction>(&bytes) {
                Ok(decoded) => {
                    assert!(!damage.is_none() || decoded == transaction);
                    assert_eq!(serialize(&decoded), bytes);
                    judge(&decoded, &spent);
                }
                Err(error) => assert!(!damage.is_none(), "{error}"),
            }
        });
}

#[test]
fn fuzz_any_transaction_bytes() {
    check!()
        .with_generator(produce::<Vec<u8>>().with().len(0..200_usize))
        .for_each(|bytes| {
            if let Ok(transaction) = deserialize::<Transaction>(bytes) {
                assert_eq!(&serialize(&transaction), bytes);
                judge(&transaction, &[]);
            }
        });
}
