//! `corepc-node`: a test harness that starts the program as its `bitcoind`.

use bitcoin::OutPoint;
use corepc_node::{Conf, Node, P2P};
use pyrite_client_tests::{Key, bitcoind};

use crate::corepc_client::wait_for;
use crate::history::pay;

fn conf() -> Conf<'static> {
    let mut conf = Conf::default();
    // The harness asks for the wallet that it made by name.
    conf.wallet = None;
    conf
}

#[test]
fn the_harness_starts_and_stops_a_node() {
    let mut node = Node::with_conf(bitcoind(), &conf()).expect("it starts");
    let info = node.client.get_blockchain_info().expect("it parses");
    assert_eq!((info.blocks, info.chain.as_str()), (0, "regtest"));
    let address = Key::new(7).segwit();
    let made = node
        .client
        .generate_to_address(101, &address)
        .expect("blocks are made");
    assert_eq!(made.0.len(), 101);
    let cookie = node.params.get_cookie_values().expect("it can be read");
    assert_eq!(cookie.expect("it has both").user, "__cookie__");
    assert!(node.stop().expect("it stops").success());
}

#[test]
fn a_data_directory_is_used_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut conf = conf();
    conf.staticdir = Some(directory.path().join("bitcoin"));
    let tip = {
        let node = Node::with_conf(bitcoind(), &conf).expect("it starts");
        node.client
            .generate_to_address(5, &Key::new(7).segwit())
            .expect("blocks are made");
        node.client.best_block_hash().expect("answers")
    };
    let node = Node::with_conf(bitcoind(), &conf).expect("it starts again");
    assert_eq!(node.client.best_block_hash().expect("answers"), tip);
}

#[test]
fn two_nodes_are_connected() {
    let mut conf = conf();
    conf.p2p = P2P::Yes;
    let first = Node::with_conf(bitcoind(), &conf).expect("it starts");
    conf.p2p = first.p2p_connect(true).expect("it listens");
    let second = Node::with_conf(bitcoind(), &conf).expect("it starts");
    wait_for("the nodes connect", || {
        let peers = second.client.get_peer_info().expect("it parses");
        peers.0.len() == 1
    });
    let address = Key::new(7).segwit();
    first
        .client
        .generate_to_address(101, &address)
        .expect("blocks are made");
    let tip = first.client.best_block_hash().expect("answers");
    wait_for("the blocks arrive", || {
        second.client.best_block_hash().expect("answers") == tip
    });
}

#[test]
fn a_payment_is_sent_and_mined() {
    let node = Node::with_conf(bitcoind(), &conf()).expect("it starts");
    let key = Key::new(7);
    node.client
        .generate_to_address(101, &key.segwit())
        .expect("blocks are made");
    let hash = node.client.get_block_hash(1).expect("it is there");
    let hash = hash.into_model().expect("a hash").0;
    let block = node.client.get_block(hash).expect("it is stored");
    let coinbase = &block.txdata[0];
    let coin = (
        OutPoint::new(coinbase.compute_txid(), 0),
        coinbase.output[0].clone(),
    );
    let payment = pay(&key, &[coin], Key::new(8).taproot().script_pubkey());
    let sent = node.client.send_raw_transaction(&payment);
    let txid = sent.expect("it is taken").txid().expect("an id");
    let waiting = node.client.get_raw_mempool().expect("answers");
    assert_eq!(waiting.into_model().expect("ids").0, [txid]);
    node.client
        .generate_to_address(1, &key.segwit())
        .expect("a block is made");
    let waiting = node.client.get_raw_mempool().expect("answers");
    assert!(waiting.0.is_empty());
}
