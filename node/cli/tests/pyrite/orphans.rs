//! Transactions that reach a node before their parents.

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Address, Amount, Network, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut,
    Witness,
};
use serde_json::json;

use crate::support::{SOON, TestNetwork, wait};

/// `OP_TRUE`: anyone can spend what is paid to its hash.
const ANYONE: [u8; 1] = [0x51];

fn open_script() -> ScriptBuf {
    ScriptBuf::new_p2wsh(&Script::from_bytes(&ANYONE).wscript_hash())
}

/// Blocks whose first coinbases anyone can spend; returns those.
fn open_coins(network: &TestNetwork, count: u64) -> Vec<Transaction> {
    let address = Address::from_script(&open_script(), Network::Regtest).unwrap();
    let coins = network.rpc(1, "generatetoaddress", json!([count, address.to_string()]));
    network.generate(1, 100);
    let blocks: Vec<String> = serde_json::from_value(coins).unwrap();
    let coinbase = |block: &String| {
        let block = network.rpc(1, "getblock", json!([block, 2]));
        deserialize_hex(block["tx"][0]["hex"].as_str().unwrap()).unwrap()
    };
    blocks.iter().map(coinbase).collect()
}

fn spend(parent: &Transaction, fee: u64) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint::new(parent.compute_txid(), 0),
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::from_slice(&[ANYONE]),
    };
    let output = TxOut {
        value: parent.output[0].value - Amount::from_sat(fee),
        script_pubkey: open_script(),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

fn send(network: &TestNetwork, number: usize, tx: &Transaction) {
    network.rpc(number, "sendrawtransaction", json!([serialize_hex(tx)]));
}

fn has(network: &TestNetwork, number: usize, tx: &Transaction) -> bool {
    let txid = tx.compute_txid().to_string();
    network.mempool(number).contains(&txid)
}

#[test]
fn a_child_that_comes_before_its_parent_is_taken_with_it() {
    let mut network = TestNetwork::on_demand(2);
    network.wait_mesh();
    let coins = open_coins(&network, 1);
    network.wait_agreement(&[1, 2], SOON);
    // Nobody hears of the parent while the nodes are apart.
    network.partition(&[vec![1], vec![2]]).unwrap();
    let parent = spend(&coins[0], 10_000);
    send(&network, 1, &parent);
    network.heal().unwrap();
    network.wait_mesh();
    let child = spend(&parent, 10_000);
    send(&network, 1, &child);
    wait("both in the other mempool", SOON, || {
        has(&network, 2, &parent) && has(&network, 2, &child)
    });
    assert_eq!(network.rpc(2, "getorphantxs", json!([])), json!([]));
}
