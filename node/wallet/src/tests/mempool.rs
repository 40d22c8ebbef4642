//! Unconfirmed transactions: pending income, payments that must not be lost, conflicts.

use super::*;
use crate::{Balances, WalletError};

#[test]
fn income_in_the_mempool_is_pending_until_it_is_mined() {
    let mut fixture = Fixture::new();
    let script = bech32(&fixture.wallet).script_pubkey();
    let income = Arc::new(fixture.payment_to(&script, COIN));
    let unrelated = Arc::new(fixture.payment_to(&stranger(2), COIN));
    assert!(fixture.wallet.is_relevant(&income));
    assert!(!fixture.wallet.is_relevant(&unrelated));
    fixture
        .wallet
        .apply_mempool(&[(Arc::clone(&income), 77), (unrelated, 78)], &[])
        .unwrap();
    let pending = Balances {
        untrusted_pending: Amount::from_sat(COIN),
        ..Balances::default()
    };
    assert_eq!(fixture.wallet.balances(), pending);
    let unspent = fixture.wallet.list_unspent();
    assert_eq!((unspent[0].confirmations, unspent[0].safe), (0, false));
    let history = fixture.wallet.transactions();
    assert_eq!(history.len(), 1);
    assert_eq!(
        (history[0].time, history[0].in_mempool, history[0].trusted),
        (77, true, false)
    );
    // Not ours to send again, and not to be spent.
    assert!(fixture.wallet.unconfirmed().is_empty());
    let recipients = [(stranger(5), Amount::from_sat(COIN / 2))];
    assert!(matches!(
        fixture
            .wallet
            .create_transaction(&recipients, SendOptions::default()),
        Err(WalletError::InsufficientFunds { .. })
    ));

    fixture
        .wallet
        .apply_mempool(&[], &[income.compute_txid()])
        .unwrap();
    assert_eq!(fixture.wallet.balances(), Balances::default());
    fixture
        .wallet
        .set_mempool(&[(Arc::clone(&income), 80)])
        .unwrap();
    assert_eq!(fixture.wallet.balances(), pending);
    fixture.wallet.set_mempool(&[]).unwrap();
    assert_eq!(fixture.wallet.balances(), Balances::default());

    fixture.mine(vec![(*income).clone()]);
    assert_eq!(fixture.trusted(), COIN);
    let transaction = fixture.wallet.transaction(&income.compute_txid()).unwrap();
    assert_eq!(transaction.confirmation.unwrap().block_index, 1);
    assert_eq!(transaction.time, 77);
}

#[test]
fn a_sent_transaction_outlives_eviction_and_restart() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let sent = fixture.send(COIN / 4, 5);
    fixture
        .wallet
        .apply_mempool(&[], &txids(std::slice::from_ref(&sent)))
        .unwrap();
    let check = |wallet: &WalletHandle| {
        assert_eq!(wallet.unconfirmed(), [Arc::clone(&sent)]);
        // Its coin stays spent, and its change waits until the mempool has it again.
        assert_eq!(wallet.balances(), Balances::default());
        assert!(wallet.list_unspent().is_empty());
        let transaction = wallet.transaction(&sent.compute_txid()).unwrap();
        assert!(!transaction.in_mempool);
        assert_eq!(transaction.confirmations, 0);
    };
    check(&fixture.wallet);
    let fixture = fixture.reopen();
    check(&fixture.wallet);
    fixture
        .wallet
        .apply_mempool(&[(Arc::clone(&sent), 9)], &[])
        .unwrap();
    assert_eq!(fixture.trusted(), COIN * 3 / 4 - fixture.fee(&sent));
    assert_eq!(
        fixture
            .wallet
            .transaction(&sent.compute_txid())
            .unwrap()
            .time,
        5
    );
}

#[test]
fn a_transaction_of_the_owners_that_was_never_recorded_counts_as_sent() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let recipients = [(stranger(5), Amount::from_sat(COIN / 2))];
    let tx = fixture
        .wallet
        .create_transaction(&recipients, SendOptions::default())
        .map(Arc::new);
    let tx = tx.unwrap();
    fixture
        .wallet
        .apply_mempool(&[(Arc::clone(&tx), 3)], &[])
        .unwrap();
    assert_eq!(fixture.wallet.unconfirmed(), [tx]);
}

#[test]
fn a_confirmed_conflict_kills_a_sent_transaction_and_what_builds_on_it() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let fork = fixture.tip();
    let first = fixture.send(COIN / 4, 1);
    let second = fixture.send(COIN / 4, 2);
    let coin = first.input[0].previous_output;
    let rival = spend(&[coin], &[(stranger(8), COIN / 2)]);
    fixture.mine(vec![rival.clone()]);
    fixture.mine(vec![]);
    assert!(fixture.wallet.unconfirmed().is_empty());
    assert_eq!(fixture.trusted(), 0);
    for tx in [&first, &second] {
        let transaction = fixture.wallet.transaction(&tx.compute_txid()).unwrap();
        assert_eq!(transaction.confirmations, -2);
        assert!(!transaction.trusted);
    }
    let transaction = fixture.wallet.transaction(&first.compute_txid()).unwrap();
    assert_eq!(transaction.conflicts, [rival.compute_txid()]);

    // Without the rival's block both live again.
    fixture.reorganise(fork, vec![vec![], vec![], vec![]]);
    let mut unconfirmed = fixture.wallet.unconfirmed();
    unconfirmed.retain(|tx| **tx != rival);
    assert_eq!(txids(&unconfirmed), txids(&[first, second]));
}

#[test]
fn pending_income_that_loses_to_a_strangers_transaction_is_a_conflict() {
    let mut fixture = Fixture::new();
    let script = bech32(&fixture.wallet).script_pubkey();
    let coin = fixture.stranger_coin(COIN);
    let income = Arc::new(spend(&[coin], &[(script, COIN)]));
    fixture
        .wallet
        .apply_mempool(&[(Arc::clone(&income), 1)], &[])
        .unwrap();
    // It pays nothing to the wallet, and yet matters.
    let rival = spend(&[coin], &[(stranger(8), COIN)]);
    fixture.mine(vec![rival]);
    let transaction = fixture.wallet.transaction(&income.compute_txid()).unwrap();
    assert_eq!(transaction.confirmations, -1);
    assert_eq!(fixture.wallet.balances(), Balances::default());
    assert_eq!(fixture.wallet.transactions().len(), 1);
    let fixture = fixture.reopen();
    assert_eq!(fixture.wallet.transactions()[0].confirmations, -1);
}

#[test]
fn a_replaced_payment_keeps_its_coins_until_the_other_is_mined() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    fixture.fund(&[AddressType::Bech32m], COIN);
    let first = fixture.send(COIN * 3 / 2, 1);
    assert_eq!(first.input.len(), 2);
    let rival = Arc::new(spend(
        &[first.input[0].previous_output],
        &[(stranger(8), COIN / 2)],
    ));
    fixture
        .wallet
        .apply_mempool(&[(Arc::clone(&rival), 2)], &[first.compute_txid()])
        .unwrap();
    assert_eq!(fixture.trusted(), 0);
    assert_eq!(
        txids(&fixture.wallet.unconfirmed()),
        txids(&[first, Arc::clone(&rival)])
    );
    fixture.mine(vec![(*rival).clone()]);
    assert_eq!(fixture.trusted(), COIN);
    assert!(fixture.wallet.unconfirmed().is_empty());
}

#[test]
fn only_relevant_transactions_are_recorded() {
    let mut fixture = Fixture::new();
    let unrelated = Arc::new(fixture.payment_to(&stranger(2), COIN));
    let error = fixture
        .wallet
        .record_sent(Arc::clone(&unrelated), 1, "", "")
        .unwrap_err();
    assert!(
        matches!(error, WalletError::NotRelevant { txid } if txid == unrelated.compute_txid()),
        "{error}"
    );
    assert!(fixture.wallet.transactions().is_empty());
}
