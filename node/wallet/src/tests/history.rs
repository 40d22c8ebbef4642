//! What `listtransactions` and `gettransaction` are told.

use super::*;
use crate::Category;

#[test]
fn a_payment_has_one_line_for_the_recipient_and_none_for_the_change() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let recipients = [(stranger(5), Amount::from_sat(COIN / 4))];
    let tx = fixture
        .wallet
        .create_transaction(&recipients, SendOptions::default())
        .unwrap();
    fixture.remember_transaction(&tx);
    let tx = Arc::new(tx);
    fixture
        .wallet
        .record_sent(Arc::clone(&tx), 42, "for tea", "a shop")
        .unwrap();
    let fee = i64::try_from(fixture.fee(&tx)).unwrap();
    let fixture = fixture.reopen();
    fixture
        .wallet
        .set_mempool(&[(Arc::clone(&tx), 43)])
        .unwrap();

    let sent = fixture.wallet.transaction(&tx.compute_txid()).unwrap();
    assert_eq!(
        (sent.comment.as_str(), sent.comment_to.as_str()),
        ("for tea", "a shop")
    );
    assert_eq!(sent.time, 42);
    assert_eq!(sent.fee.unwrap().to_sat(), fee.cast_unsigned());
    assert_eq!(sent.amount().to_sat(), -i64::try_from(COIN / 4).unwrap());
    assert!(sent.trusted && sent.in_mempool && sent.signals_replacement);
    let [detail] = &sent.details[..] else {
        panic!("{:?}", sent.details)
    };
    assert_eq!(detail.category, Category::Send);
    assert_eq!(detail.amount.to_sat(), -i64::try_from(COIN / 4).unwrap());
    assert_eq!(detail.fee.unwrap().to_sat(), -fee);
    assert_eq!(
        detail.address.as_ref().unwrap().script_pubkey(),
        stranger(5)
    );
    assert_eq!(tx.output[detail.vout as usize].script_pubkey, stranger(5));
}

#[test]
fn income_has_the_addresss_label() {
    let mut fixture = Fixture::new();
    let address = fixture
        .wallet
        .new_address(AddressType::Bech32m, "rent")
        .unwrap();
    let income = fixture.payment_to(&address.script_pubkey(), COIN);
    fixture.mine(vec![income.clone()]);
    let mut fixture = fixture.reopen();
    let received = fixture.wallet.transaction(&income.compute_txid()).unwrap();
    let [detail] = &received.details[..] else {
        panic!("{:?}", received.details)
    };
    assert_eq!(detail.category, Category::Receive);
    assert_eq!(detail.label.as_deref(), Some("rent"));
    assert_eq!(detail.address.as_ref(), Some(&address));
    assert_eq!(detail.amount.to_sat(), i64::try_from(COIN).unwrap());
    assert_eq!(detail.fee, None);
    assert_eq!(received.amount().to_sat(), i64::try_from(COIN).unwrap());
    assert_eq!(received.fee, None);
    assert_eq!(received.time, received.confirmation.unwrap().block_time);
    assert_eq!(
        fixture.wallet.list_unspent()[0].label.as_deref(),
        Some("rent")
    );

    fixture.wallet.set_label(&address, "food").unwrap();
    assert_eq!(fixture.wallet.label(&address).as_deref(), Some("food"));
    fixture.fund(&[AddressType::Bech32], COIN);
    assert_eq!(
        fixture.wallet.recent_transactions(1)[0].details[0]
            .label
            .as_deref(),
        Some("")
    );
    assert_eq!(
        fixture.wallet.transactions()[0],
        fixture.wallet.transaction(&income.compute_txid()).unwrap()
    );
}

#[test]
fn a_payment_to_oneself_is_sent_and_received() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let own = fixture
        .wallet
        .new_address(AddressType::Bech32m, "self")
        .unwrap();
    let recipients = [(own.script_pubkey(), Amount::from_sat(COIN / 4))];
    let tx = fixture
        .wallet
        .create_transaction(&recipients, SendOptions::default())
        .unwrap();
    fixture.remember_transaction(&tx);
    fixture
        .wallet
        .record_sent(Arc::new(tx.clone()), 42, "", "")
        .unwrap();
    let transaction = fixture.wallet.transaction(&tx.compute_txid()).unwrap();
    let categories: Vec<_> = transaction
        .details
        .iter()
        .map(|detail| (detail.category, detail.amount.to_sat()))
        .collect();
    let quarter = i64::try_from(COIN / 4).unwrap();
    assert_eq!(
        categories,
        [(Category::Send, -quarter), (Category::Receive, quarter)]
    );
    assert_eq!(transaction.amount().to_sat(), 0);
    assert_eq!(fixture.trusted(), COIN - fixture.fee(&tx));
}

#[test]
fn info_tells_facts() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let info = fixture.wallet.info();
    assert_eq!(
        (info.name.as_str(), info.tx_count, info.format),
        ("default", 1, "sqlite")
    );
    assert_eq!(info.cursor, fixture.wallet.cursor());
    let fixture = fixture.reopen();
    assert_eq!(fixture.wallet.info(), info);
}
