//! Making payments: signatures, change, fees, reservations.

use pyrite_consensus::bitcoin::Weight;

use super::*;
use crate::WalletError;

fn pay(value: u64) -> [(ScriptBuf, Amount); 1] {
    [(stranger(5), Amount::from_sat(value))]
}

/// The fee is exact for the size that signatures have as a rule; a signature in 128 is a byte shorter.
fn assert_fee(fixture: &Fixture, tx: &Transaction, fee_rate_sat_per_kvb: u64) {
    let fee = fixture.fee(tx);
    let at = |weight: Weight| (weight.to_vbytes_ceil() * fee_rate_sat_per_kvb).div_ceil(1000);
    let slack = Weight::from_wu(2 * tx.input.len() as u64);
    assert!(
        (at(tx.weight())..=at(tx.weight() + slack)).contains(&fee),
        "fee {fee}"
    );
}

#[test]
fn a_payment_spends_coins_of_both_accounts_with_valid_signatures() {
    let mut fixture = Fixture::new();
    fixture.fund(
        &[
            AddressType::Bech32,
            AddressType::Bech32m,
            AddressType::Bech32m,
        ],
        COIN,
    );
    let options = SendOptions {
        fee_rate_sat_per_kvb: 12_345,
        ..SendOptions::default()
    };
    let mut tx = fixture
        .wallet
        .create_transaction(&pay(COIN * 5 / 2), options)
        .unwrap();
    assert_eq!(tx.input.len(), 3);
    assert_eq!(tx.output.len(), 2);
    fixture.verify(&tx).unwrap();
    assert_fee(&fixture, &tx, 12_345);
    assert_eq!(fixture.wallet.fee(&tx).unwrap().to_sat(), fixture.fee(&tx));
    assert_eq!(tx.lock_time.to_consensus_u32(), fixture.tip().0);
    assert!(
        tx.input
            .iter()
            .all(|input| input.sequence == Sequence(0xffff_fffd))
    );
    let change = tx
        .output
        .iter()
        .find(|output| output.script_pubkey != stranger(5))
        .unwrap();
    assert!(change.script_pubkey.is_p2wpkh());
    assert!(fixture.wallet.is_mine(&change.script_pubkey));

    // The check does check: the signatures cover the outputs.
    tx.output[0].value -= Amount::from_sat(1);
    assert!(matches!(
        fixture.verify(&tx),
        Err(ScriptError::Failed { .. })
    ));
}

#[test]
fn each_account_alone_signs_too() {
    for kind in [AddressType::Bech32, AddressType::Bech32m] {
        let mut fixture = Fixture::new();
        fixture.fund(&[kind], COIN);
        let tx = fixture
            .wallet
            .create_transaction(&pay(COIN / 2), SendOptions::default())
            .unwrap();
        fixture.verify(&tx).unwrap();
        assert_fee(&fixture, &tx, 1_000);
    }
}

#[test]
fn change_is_taproot_beside_a_taproot_recipient() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let recipient = Address::p2tr_tweaked(
        pyrite_consensus::bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                .parse()
                .unwrap(),
        ),
        Network::Regtest,
    );
    let recipients = [(recipient.script_pubkey(), Amount::from_sat(COIN / 2))];
    let tx = fixture
        .wallet
        .create_transaction(&recipients, SendOptions::default())
        .unwrap();
    assert!(
        tx.output
            .iter()
            .all(|output| output.script_pubkey.is_p2tr())
    );
    fixture.verify(&tx).unwrap();
}

#[test]
fn options_set_sequence_and_lock_time() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let options = SendOptions {
        replaceable: false,
        lock_time: Some(absolute::LockTime::ZERO),
        ..SendOptions::default()
    };
    let tx = fixture
        .wallet
        .create_transaction(&pay(COIN / 2), options)
        .unwrap();
    assert_eq!(tx.input[0].sequence, Sequence(0xffff_fffe));
    assert_eq!(tx.lock_time, absolute::LockTime::ZERO);
    assert!(!tx.is_explicitly_rbf());
}

#[test]
fn the_whole_balance_can_be_sent_with_the_fee_taken_off() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32, AddressType::Bech32m], COIN);
    let options = SendOptions {
        subtract_fee: true,
        ..SendOptions::default()
    };
    let tx = fixture
        .wallet
        .create_transaction(&pay(2 * COIN), options)
        .unwrap();
    assert_eq!((tx.input.len(), tx.output.len()), (2, 1));
    assert_fee(&fixture, &tx, 1_000);
    assert_eq!(tx.output[0].value.to_sat(), 2 * COIN - fixture.fee(&tx));
    fixture.verify(&tx).unwrap();
}

#[test]
fn insufficient_funds_tell_what_is_needed() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32, AddressType::Bech32m], COIN);
    let error = fixture
        .wallet
        .create_transaction(&pay(2 * COIN), SendOptions::default())
        .unwrap_err();
    let WalletError::InsufficientFunds { needed, available } = error else {
        panic!("{error}");
    };
    assert_eq!(available.to_sat(), 2 * COIN);
    // 10.5 vB overhead, 67.75 and 57.5 vB of inputs, 31 vB of output.
    assert_eq!(needed.to_sat(), 2 * COIN + 167);
    // To the satoshi.
    let options = SendOptions::default();
    let tx = fixture
        .wallet
        .create_transaction(&pay(2 * COIN - 167), options.clone())
        .unwrap();
    assert_eq!(fixture.fee(&tx), 167);
    fixture.wallet.release(&tx.compute_txid());
    assert!(matches!(
        fixture
            .wallet
            .create_transaction(&pay(2 * COIN - 166), options),
        Err(WalletError::InsufficientFunds { .. })
    ));
}

#[test]
fn coins_of_a_payment_on_its_way_are_set_aside() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32, AddressType::Bech32], COIN);
    let options = SendOptions::default;
    let first = fixture
        .wallet
        .create_transaction(&pay(COIN / 2), options())
        .unwrap();
    let second = fixture
        .wallet
        .create_transaction(&pay(COIN / 2), options())
        .unwrap();
    assert_ne!(
        first.input[0].previous_output,
        second.input[0].previous_output
    );
    let scripts = |tx: &Transaction| -> Vec<ScriptBuf> {
        tx.output
            .iter()
            .map(|output| output.script_pubkey.clone())
            .collect()
    };
    let change = scripts(&first)
        .into_iter()
        .find(|script| *script != stranger(5))
        .unwrap();
    assert!(!scripts(&second).contains(&change));
    assert!(matches!(
        fixture.wallet.create_transaction(&pay(COIN / 2), options()),
        Err(WalletError::InsufficientFunds {
            available: Amount::ZERO,
            ..
        })
    ));

    fixture.wallet.release(&first.compute_txid());
    let third = fixture
        .wallet
        .create_transaction(&pay(COIN / 2), options())
        .unwrap();
    assert_eq!(
        third.input[0].previous_output,
        first.input[0].previous_output
    );
    // The change address of the payment that was given up serves again.
    assert!(scripts(&third).contains(&change));
}

#[test]
fn trusted_change_is_spent_when_confirmed_coins_do_not_suffice() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let first = fixture.send(COIN / 4, 1);
    assert!(fixture.trusted() > COIN / 2);
    let second = fixture.send(COIN / 4, 2);
    assert_eq!(second.input[0].previous_output.txid, first.compute_txid());
    fixture.verify(&second).unwrap();
    assert_eq!(
        txids(&fixture.wallet.unconfirmed()),
        txids(&[first.clone(), second.clone()])
    );
    fixture.mine(vec![(*first).clone(), (*second).clone()]);
    assert!(fixture.wallet.unconfirmed().is_empty());
    let fees = fixture.fee(&first) + fixture.fee(&second);
    assert_eq!(fixture.trusted(), COIN / 2 - fees);
}

#[test]
fn a_fee_above_the_limit_is_refused() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let options = SendOptions {
        max_fee: Amount::from_sat(100),
        ..SendOptions::default()
    };
    let error = fixture
        .wallet
        .create_transaction(&pay(COIN / 2), options)
        .unwrap_err();
    assert!(matches!(error, WalletError::FeeTooHigh { .. }), "{error}");
}
