//! Tests of payments as a pure function of coins and recipients.

use proptest::prelude::*;
use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::bitcoin::hashes::Hash;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::keys::Keychain;

fn coin(number: u32, value: u64) -> Coin {
    let taproot = number % 2 == 1;
    let (keychain, prefix, length) = if taproot {
        (Keychain::Bip86External, 0x51, 32)
    } else {
        (Keychain::Bip84External, 0x00, 20)
    };
    let mut script = vec![prefix, length];
    script.extend(std::iter::repeat_n(3, usize::from(length)));
    Coin {
        outpoint: OutPoint {
            txid: pyrite_consensus::bitcoin::Txid::from_byte_array([1; 32]),
            vout: number,
        },
        output: TxOut {
            value: Amount::from_sat(value),
            script_pubkey: ScriptBuf::from_bytes(script),
        },
        keychain,
        index: number,
        height: Some(1),
        coinbase: false,
        immature: false,
        trusted: true,
    }
}

fn coins(values: &[u64]) -> Vec<Coin> {
    (0_u32..)
        .zip(values)
        .map(|(number, value)| coin(number, *value))
        .collect()
}

fn p2wpkh(fill: u8) -> ScriptBuf {
    let mut script = vec![0x00, 0x14];
    script.extend([fill; 20]);
    ScriptBuf::from_bytes(script)
}

fn plan(
    coins: &[Coin],
    recipients: &[(ScriptBuf, Amount)],
    options: &SendOptions,
) -> Result<Plan, WalletError> {
    let change_script = p2wpkh(9);
    let payment = Payment {
        recipients,
        options,
        change_script: &change_script,
        lock_time: absolute::LockTime::ZERO,
    };
    payment.plan(coins, &mut StdRng::seed_from_u64(1))
}

fn pay(values: &[u64]) -> Vec<(ScriptBuf, Amount)> {
    (1_u8..)
        .zip(values)
        .map(|(fill, value)| (p2wpkh(fill), Amount::from_sat(*value)))
        .collect()
}

fn fee_of(plan: &Plan) -> u64 {
    let paid: Amount = plan.tx.output.iter().map(|output| output.value).sum();
    (value_of(&plan.coins) - paid).to_sat()
}

fn exact_fee(plan: &Plan, fee_rate_sat_per_kvb: u64) -> u64 {
    let size = weight_of(&plan.tx, &plan.coins).to_vbytes_ceil();
    (size * fee_rate_sat_per_kvb).div_ceil(1000)
}

#[test]
fn recipients_are_checked() {
    let pool = coins(&[1_000_000]);
    let options = SendOptions::default();
    let error = |recipients: &[(ScriptBuf, Amount)]| plan(&pool, recipients, &options).unwrap_err();
    assert!(matches!(error(&[]), WalletError::NoRecipients));
    assert!(matches!(
        error(&pay(&[1000, 0])),
        WalletError::ZeroAmount { recipient: 1 }
    ));
    let dust = error(&pay(&[293]));
    assert!(
        matches!(dust, WalletError::Dust { recipient: 0, minimum, .. } if minimum.to_sat() == 294),
        "{dust}"
    );
    plan(&pool, &pay(&[294]), &options).unwrap();
    let most = Amount::MAX_MONEY.to_sat();
    assert!(matches!(
        error(&pay(&[most, 1000])),
        WalletError::AmountOutOfRange
    ));
    assert!(matches!(
        error(&pay(&[u64::MAX])),
        WalletError::AmountOutOfRange
    ));
    let note = ScriptBuf::new_op_return([1, 2, 3]);
    plan(&pool, &[(note, Amount::ZERO)], &options).unwrap();
}

#[test]
fn senseless_fee_rates_are_refused() {
    let options = SendOptions {
        fee_rate_sat_per_kvb: MAX_FEE_RATE_SAT_PER_KVB + 1,
        ..SendOptions::default()
    };
    let error = plan(&coins(&[1_000_000]), &pay(&[1000]), &options).unwrap_err();
    assert!(
        matches!(error, WalletError::FeeRateTooHigh { .. }),
        "{error}"
    );
}

#[test]
fn change_that_would_be_dust_goes_to_the_fee() {
    let options = SendOptions::default();
    // 10.5 + 67.75 + 31 vB without change, 31 vB more with it.
    let (without, with) = (110, 141);
    let kept = plan(&coins(&[100_000]), &pay(&[100_000 - with - 294]), &options).unwrap();
    assert!(kept.has_change);
    assert_eq!(fee_of(&kept), with);
    let dropped = plan(&coins(&[100_000]), &pay(&[100_000 - with - 293]), &options).unwrap();
    assert!(!dropped.has_change);
    assert_eq!(fee_of(&dropped), with + 293);
    let exact = plan(&coins(&[100_000]), &pay(&[100_000 - without]), &options).unwrap();
    assert_eq!(fee_of(&exact), without);
    let error = plan(&coins(&[100_000]), &pay(&[100_001 - without]), &options).unwrap_err();
    assert!(
        matches!(error, WalletError::InsufficientFunds { needed, available }
            if needed.to_sat() == 100_001 && available.to_sat() == 100_000),
        "{error}"
    );
}

#[test]
fn recipients_share_the_fee_that_is_taken_off() {
    let options = SendOptions {
        subtract_fee: true,
        ..SendOptions::default()
    };
    let plan_both = plan(&coins(&[100_000]), &pay(&[50_000, 20_000]), &options).unwrap();
    assert!(plan_both.has_change);
    let fee = fee_of(&plan_both);
    assert_eq!(fee, exact_fee(&plan_both, 1_000));
    let value = |fill| {
        let output = plan_both
            .tx
            .output
            .iter()
            .find(|output| output.script_pubkey == p2wpkh(fill));
        output.unwrap().value.to_sat()
    };
    assert_eq!(value(1), 50_000 - fee / 2 - fee % 2);
    assert_eq!(value(2), 20_000 - fee / 2);
    assert_eq!(value(9), 30_000);

    let error = plan(&coins(&[100_000]), &pay(&[99_000, 300]), &options).unwrap_err();
    assert!(
        matches!(
            error,
            WalletError::AmountTooSmallForFee { recipient: 1, .. }
        ),
        "{error}"
    );
}

#[test]
fn confirmed_coins_come_first() {
    let mut pool = coins(&[60_000, 60_000, 60_000]);
    pool[0].height = None;
    let options = SendOptions::default();
    let small = plan(&pool, &pay(&[100_000]), &options).unwrap();
    assert!(small.coins.iter().all(|coin| coin.height.is_some()));
    let large = plan(&pool, &pay(&[150_000]), &options).unwrap();
    assert_eq!(large.coins.len(), 3);
}

#[test]
fn a_transaction_too_heavy_to_relay_is_made_of_larger_coins_or_refused() {
    let mut values = vec![1_000; 3_000];
    let options = SendOptions {
        fee_rate_sat_per_kvb: 1_000,
        ..SendOptions::default()
    };
    let error = plan(&coins(&values), &pay(&[2_500_000]), &options).unwrap_err();
    assert!(
        matches!(error, WalletError::TransactionTooLarge { .. }),
        "{error}"
    );
    values.push(3_000_000);
    let plan = plan(&coins(&values), &pay(&[2_500_000]), &options).unwrap();
    assert!(weight_of(&plan.tx, &plan.coins) <= MAX_WEIGHT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_plan_balances(
        values in prop::collection::vec(300_u64..2_000_000, 1..60),
        amounts in prop::collection::vec(300_u64..3_000_000, 1..5),
        fee_rate_sat_per_kvb in 1_u64..60_000,
        subtract_fee: bool,
    ) {
        let pool = coins(&values);
        let recipients = pay(&amounts);
        let total: u64 = amounts.iter().sum();
        let options = SendOptions { fee_rate_sat_per_kvb, subtract_fee, ..SendOptions::default() };
        match plan(&pool, &recipients, &options) {
            Ok(plan) => {
                let exact = exact_fee(&plan, fee_rate_sat_per_kvb);
                let fee = fee_of(&plan);
                prop_assert_eq!(plan.tx.input.len(), plan.coins.len());
                for (input, coin) in plan.tx.input.iter().zip(&plan.coins) {
                    prop_assert_eq!(input.previous_output, coin.outpoint);
                }
                if plan.has_change {
                    prop_assert_eq!(fee, exact);
                } else {
                    // At most the dust that change would have been, and what its output would have cost.
                    let change_cost = (31 * fee_rate_sat_per_kvb).div_ceil(1000) + 1;
                    prop_assert!((exact..=exact + change_cost + 294).contains(&fee));
                }
                for (script, amount) in &recipients {
                    let output =
                        plan.tx.output.iter().find(|output| output.script_pubkey == *script);
                    let paid = output.expect("each recipient is paid").value;
                    let as_asked = if subtract_fee { paid <= *amount } else { paid == *amount };
                    prop_assert!(as_asked, "{paid} of {amount}");
                }
            }
            Err(WalletError::InsufficientFunds { needed, available }) => {
                prop_assert_eq!(available.to_sat(), values.iter().sum::<u64>());
                prop_assert!(needed.to_sat() >= total);
                // Coins that are worth spending at that rate really do not pay for it.
                let worth: u64 = pool
                    .iter()
                    .map(|coin| {
                        let cost = (input_weight(coin).to_wu() * fee_rate_sat_per_kvb).div_ceil(4000);
                        coin.output.value.to_sat().saturating_sub(cost)
                    })
                    .sum();
                let worth = if subtract_fee { values.iter().sum() } else { worth };
                let overhead = (44 * fee_rate_sat_per_kvb).div_ceil(4000);
                prop_assert!(worth < total + overhead + values.len() as u64 * 2 + 31 * 5 * fee_rate_sat_per_kvb / 1000);
            }
            Err(WalletError::AmountTooSmallForFee { .. }) => prop_assert!(subtract_fee),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
