//! `bdk_bitcoind_rpc`: a wallet of BDK that learns everything from a node's blocks and mempool.

use std::sync::Arc;

use bdk_bitcoind_rpc::bip158::{Event, FilterIter};
use bdk_bitcoind_rpc::bitcoincore_rpc::{Auth, Client, RpcApi};
use bdk_bitcoind_rpc::{Emitter, NO_EXPECTED_MEMPOOL_TXS};
use bdk_wallet::template::Bip86;
use bdk_wallet::{KeychainKind, SignOptions, Wallet};
use bitcoin::bip32::Xpriv;
use bitcoin::{Address, Amount, BlockHash, FeeRate, Network, Transaction, Txid};
use pyrite_client_tests::{Key, Node};

use crate::corepc_client::wait_for;

type Follower = Emitter<Arc<Client>>;

fn client(node: &Node) -> Arc<Client> {
    let auth = Auth::CookieFile(node.cookie_file());
    Arc::new(Client::new(&node.url(), auth).expect("the cookie file can be read"))
}

fn wallet() -> Wallet {
    let key = Xpriv::new_master(Network::Regtest, &[42; 32]).expect("a seed");
    Wallet::create(
        Bip86(key, KeychainKind::External),
        Bip86(key, KeychainKind::Internal),
    )
    .network(Network::Regtest)
    .create_wallet_no_persist()
    .expect("a wallet")
}

fn follower(client: &Arc<Client>, wallet: &Wallet) -> Follower {
    let tip = wallet.latest_checkpoint();
    Emitter::new(Arc::clone(client), tip, 0, NO_EXPECTED_MEMPOOL_TXS)
}

/// Takes all that is new from the node, and returns the transactions that left the mempool.
fn follow(emitter: &mut Follower, wallet: &mut Wallet) -> Vec<Txid> {
    while let Some(event) = emitter.next_block().expect("the node answers") {
        wallet
            .apply_block_connected_to(&event.block, event.block_height(), event.connected_to())
            .expect("blocks come in order");
    }
    let mempool = emitter.mempool().expect("the node answers");
    wallet.apply_unconfirmed_txs(mempool.update);
    let evicted: Vec<Txid> = mempool.evicted.iter().map(|(txid, _)| *txid).collect();
    wallet.apply_evicted_txs(mempool.evicted);
    evicted
}

fn mine(client: &Client, count: u64, address: &Address) -> Vec<BlockHash> {
    client
        .generate_to_address(count, address)
        .expect("blocks are made")
}

fn payment(wallet: &mut Wallet, payee: &Address, value: Amount) -> Transaction {
    let mut builder = wallet.build_tx();
    builder
        .add_recipient(payee.script_pubkey(), value)
        .fee_rate(FeeRate::from_sat_per_vb_unchecked(3));
    let mut psbt = builder.finish().expect("there are coins");
    assert!(
        wallet
            .sign(&mut psbt, SignOptions::default())
            .expect("it has the keys")
    );
    psbt.extract_tx().expect("a sane fee")
}

fn bumped(wallet: &mut Wallet, txid: Txid) -> Transaction {
    let mut builder = wallet.build_fee_bump(txid).expect("it can be replaced");
    builder.fee_rate(FeeRate::from_sat_per_vb_unchecked(20));
    let mut psbt = builder.finish().expect("there are coins");
    assert!(
        wallet
            .sign(&mut psbt, SignOptions::default())
            .expect("it has the keys")
    );
    psbt.extract_tx().expect("a sane fee")
}

fn confirmed(wallet: &Wallet, txid: Txid) -> Option<bool> {
    Some(wallet.get_tx(txid)?.chain_position.is_confirmed())
}

#[test]
fn a_wallet_follows_the_chain_and_the_mempool() {
    let node = Node::start(&[]);
    let client = client(&node);
    let mut wallet = wallet();
    let mut emitter = follower(&client, &wallet);
    let own = wallet.reveal_next_address(KeychainKind::External).address;
    let elsewhere = Key::new(3).segwit();
    let fifty = Amount::from_int_btc(50);

    mine(&client, 2, &own);
    mine(&client, 100, &elsewhere);
    assert!(follow(&mut emitter, &mut wallet).is_empty());
    assert_eq!(wallet.latest_checkpoint().height(), 102);
    assert_eq!(wallet.balance().confirmed, fifty * 2);

    let sent = payment(&mut wallet, &elsewhere, Amount::from_int_btc(1));
    let txid = client.send_raw_transaction(&sent).expect("it is taken");
    follow(&mut emitter, &mut wallet);
    assert_eq!(confirmed(&wallet, txid), Some(false));
    assert!(wallet.balance().trusted_pending > Amount::from_int_btc(48));

    // A replacement drives the first one out.
    let replacement = bumped(&mut wallet, txid);
    let second = client
        .send_raw_transaction(&replacement)
        .expect("it is taken");
    assert_eq!(follow(&mut emitter, &mut wallet), [txid]);
    assert_eq!(confirmed(&wallet, txid), None);
    assert_eq!(confirmed(&wallet, second), Some(false));

    let mined = mine(&client, 1, &elsewhere)[0];
    follow(&mut emitter, &mut wallet);
    assert_eq!(confirmed(&wallet, second), Some(true));
    assert_eq!(wallet.latest_checkpoint().hash(), mined);
}

#[test]
fn a_wallet_follows_a_reorganisation() {
    let node = Node::start(&[]);
    let client = client(&node);
    let mut wallet = wallet();
    let mut emitter = follower(&client, &wallet);
    let own = wallet.reveal_next_address(KeychainKind::External).address;
    let elsewhere = Key::new(3).segwit();
    let fifty = Amount::from_int_btc(50);

    mine(&client, 1, &own);
    mine(&client, 100, &elsewhere);
    follow(&mut emitter, &mut wallet);
    let sent = payment(&mut wallet, &elsewhere, Amount::from_int_btc(1));
    let txid = client.send_raw_transaction(&sent).expect("it is taken");
    let lost = mine(&client, 3, &own);
    follow(&mut emitter, &mut wallet);
    assert_eq!(wallet.balance().immature, fifty * 3 + fee(&wallet, &sent));
    assert_eq!(confirmed(&wallet, txid), Some(true));

    // The three blocks make place for four of somebody else, without the payment at first.
    client.invalidate_block(&lost[0]).expect("it is known");
    let empty: serde_json::Value = client
        .call(
            "generateblock",
            &[elsewhere.to_string().into(), serde_json::json!([])],
        )
        .expect("a block without transactions");
    follow(&mut emitter, &mut wallet);
    assert_eq!(
        wallet.latest_checkpoint().hash().to_string(),
        empty["hash"].as_str().expect("a hash")
    );
    assert_eq!(confirmed(&wallet, txid), Some(false));
    assert_eq!(wallet.balance().immature, Amount::ZERO);

    let won = mine(&client, 3, &elsewhere);
    follow(&mut emitter, &mut wallet);
    assert_eq!(confirmed(&wallet, txid), Some(true));
    assert_eq!(wallet.latest_checkpoint().hash(), won[2]);
    assert_eq!(wallet.latest_checkpoint().height(), 105);

    // A wallet that begins now comes to the same.
    let mut late = self::wallet();
    late.reveal_next_address(KeychainKind::External);
    let mut emitter = follower(&client, &late);
    follow(&mut emitter, &mut late);
    assert_eq!(late.balance(), wallet.balance());
}

fn fee(wallet: &Wallet, transaction: &Transaction) -> Amount {
    wallet
        .calculate_fee(transaction)
        .expect("its coins are known")
}

#[test]
fn a_wallet_syncs_by_block_filters() {
    let node = Node::start(&["-blockfilterindex=1"]);
    let client = client(&node);
    let mut wallet = wallet();
    let own = wallet.reveal_next_address(KeychainKind::External).address;
    mine(&client, 3, &Key::new(3).segwit());
    let paying = mine(&client, 1, &own)[0];
    let tip = mine(&client, 2, &Key::new(3).segwit())[1];
    wait_for("the filters", || client.get_block_filter(&tip).is_ok());

    let scripts = [own.script_pubkey()];
    let mut matched = Vec::new();
    let mut last = None;
    for event in FilterIter::new(&client, wallet.latest_checkpoint(), scripts) {
        let event = event.expect("the node answers");
        last = Some(event.height());
        if let Event {
            block: Some(block), ..
        } = &event
        {
            matched.push(block.block_hash());
        }
    }
    assert!(matched.contains(&paying), "{matched:?}");
    assert_eq!(last, Some(6));
}
