//! The mempool outlives its node.

use serde_json::{Value, json};

use crate::support::{SOON, TestNetwork, wait};

/// What the operator adds to a fee, in satoshi: the wallet, which offers its payments again, does not know of it.
const DELTA: i64 = 1_234;

fn send(network: &TestNetwork) -> String {
    let address = network.rpc(1, "getnewaddress", json!([]));
    let txid = network.rpc(1, "sendtoaddress", json!([address, 1]));
    txid.as_str().unwrap().to_owned()
}

fn wait_until_loaded(network: &TestNetwork) {
    wait("the mempool's file", SOON, || {
        network.rpc(1, "getmempoolinfo", json!([]))["loaded"] == true
    });
}

fn delta(network: &TestNetwork, txid: &str) -> Value {
    let all = network.rpc(1, "getprioritisedtransactions", json!([]));
    all[txid].clone()
}

#[test]
fn the_mempool_is_there_after_a_stop_and_after_a_kill() {
    let mut network = TestNetwork::on_demand(1);
    network.generate(1, 102);
    let first = send(&network);
    network.rpc(1, "prioritisetransaction", json!([first, 0, DELTA]));
    let before = delta(&network, &first);
    assert_eq!(before["fee_delta"], DELTA);

    network.stop(1).unwrap();
    let node = network.node(1).unwrap().clone();
    assert!(network.data_dir(&node).mempool().exists());
    network.start(1).unwrap();
    wait_until_loaded(&network);
    assert_eq!(network.mempool(1), [first.as_str()]);
    assert_eq!(delta(&network, &first), before);

    // What was written last survives a kill, once.
    let second = send(&network);
    network.rpc(1, "prioritisetransaction", json!([second, 0, -5]));
    network.rpc(1, "savemempool", json!([]));
    let expected = network.mempool(1);
    assert_eq!(expected.len(), 2);
    network.kill(1).unwrap();
    network.start(1).unwrap();
    wait_until_loaded(&network);
    assert_eq!(network.mempool(1), expected);
    assert_eq!(delta(&network, &first), before);
    assert_eq!(delta(&network, &second)["fee_delta"], -5);
}
