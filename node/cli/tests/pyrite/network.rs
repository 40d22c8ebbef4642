//! Networks of several processes: payments, crashes, partitions, restarts.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::{MINED, SOON, TestNetwork, binary, wait};
use serde_json::{Value, json};

#[test]
fn a_payment_reaches_every_mempool_and_then_the_payee() {
    let network = TestNetwork::on_demand(3);
    network.wait_mesh();
    let address = network.rpc(2, "getnewaddress", json!([]));
    let before = network.rpc(2, "getbalance", json!([])).as_f64().unwrap();
    let txid = network.rpc(1, "sendtoaddress", json!([address, 1.5]));
    let txid = txid.as_str().unwrap();
    for number in 1..=3 {
        wait("payment in the mempool", SOON, || {
            network.mempool(number).iter().any(|entry| entry == txid)
        });
    }
    let block = network.generate(3, 1).remove(0);
    network.wait_agreement(&[1, 2, 3], SOON);
    let transactions = network.rpc(3, "getblock", json!([block]))["tx"].clone();
    assert!(transactions.as_array().unwrap().contains(&json!(txid)));
    let after = network.rpc(2, "getbalance", json!([])).as_f64().unwrap();
    assert!((after - before - 1.5).abs() < 1e-9, "{before} {after}");
    for number in 1..=3 {
        wait("empty mempool", SOON, || network.mempool(number).is_empty());
    }
    let entry = network.rpc(1, "gettransaction", json!([txid]));
    assert_eq!(entry["confirmations"], json!(1));
}

#[test]
fn a_private_network_estimates_fees_and_keeps_what_it_learned() {
    let mut network = TestNetwork::on_demand(1);
    let estimate = |network: &TestNetwork| network.rpc(1, "estimatesmartfee", json!([6]));
    // Nothing was paid yet: what the mempool asks for.
    let first = estimate(&network);
    assert_eq!(first["feerate"].as_f64(), Some(0.000_001), "{first}");
    assert_eq!(first["blocks"], json!(6));
    network.generate(1, 1);
    for _ in 0..20 {
        let address = network.rpc(1, "getnewaddress", json!([]));
        let payment = json!({ "address": address, "amount": 1, "fee_rate": 25 });
        network.rpc(1, "sendtoaddress", payment);
        network.generate(1, 1);
    }
    let learned = estimate(&network);
    let rate = learned["feerate"].as_f64().unwrap();
    assert!((0.000_25..0.000_26).contains(&rate), "{learned}");
    assert_eq!(network.stop_all().unwrap(), 1);
    network.start_all().unwrap();
    assert_eq!(estimate(&network), learned);
}

#[test]
fn a_network_mines_and_agrees() {
    let mut network = TestNetwork::mining(3, 15);
    network.wait_mesh();
    wait("blocks", MINED, || network.height(1) >= 10);
    wait("three nodes that mine", MINED, || {
        let nodes = network.status().nodes;
        let is_mining = |rate: Option<f64>| rate.is_some_and(|rate| rate > 0.0);
        nodes.len() == 3 && nodes.iter().all(|node| is_mining(node.hash_rate))
    });
    let status = network.status();
    assert!(status.nodes.iter().all(|node| node.peers == Some(2)));
    network.stop_mining();
    // What was stopped cleanly goes on where it was.
    let height = network.height(2);
    let best = network.best(2);
    assert_eq!(network.stop_all().unwrap(), 3);
    network.start_all().unwrap();
    assert!(network.height(2) >= height);
    wait("new blocks", MINED, || network.height(2) > height);
    let old = network.rpc(2, "getblockhash", json!([height]));
    assert_eq!(old, json!(best));
}

#[test]
fn a_killed_node_loses_nothing_that_it_acknowledged() {
    let mut network = TestNetwork::mining(3, 10);
    network.wait_mesh();
    let mut payments = BTreeSet::new();
    for round in 0..4 {
        let address = network.rpc(2, "getnewaddress", json!([]));
        let txid = network.rpc(3, "sendtoaddress", json!([address, 0.25]));
        payments.insert(txid.as_str().unwrap().to_owned());
        let height = network.height(3);
        let hash = network.best(3);
        network.kill(3).unwrap();
        network.start(3).unwrap();
        let again = network.height(3);
        assert!(
            again >= height,
            "round {round}: height {again} after {height}"
        );
        let header = network.rpc(3, "getblockheader", json!([hash]));
        assert_eq!(header["height"], json!(height), "round {round}");
        let known: Vec<Value> =
            serde_json::from_value(network.rpc(3, "listtransactions", json!(["*", 10_000])))
                .unwrap();
        for txid in &payments {
            assert!(
                known.iter().any(|entry| entry["txid"] == txid.as_str()),
                "round {round}: {txid}"
            );
        }
    }
    network.stop_mining();
}

#[test]
fn halves_that_were_cut_apart_end_on_the_chain_with_the_most_work() {
    let mut network = TestNetwork::on_demand(4);
    network.wait_mesh();
    network.generate(1, 1);
    network.wait_agreement(&[1, 2, 3, 4], SOON);
    network.partition(&[vec![1, 2], vec![3, 4]]).unwrap();
    wait("cut", SOON, || {
        (1..=4).all(|number| network.rpc(number, "getconnectioncount", json!([])) == json!(1))
    });
    // A payment that only the losers mine.
    let address = network.rpc(2, "getnewaddress", json!([]));
    let txid = network.rpc(1, "sendtoaddress", json!([address, 2]));
    let txid = txid.as_str().unwrap();
    network.generate(1, 3);
    network.wait_agreement(&[1, 2], SOON);
    assert_eq!(
        network.rpc(1, "gettransaction", json!([txid]))["confirmations"],
        json!(3)
    );
    network.generate(3, 5);
    network.wait_agreement(&[3, 4], SOON);
    let winner = network.best(3);
    assert_ne!(network.best(1), winner);

    network.heal().unwrap();
    network.wait_agreement(&[1, 2, 3, 4], SOON);
    assert_eq!(network.best(1), winner);
    assert_eq!(
        network.rpc(1, "gettransaction", json!([txid]))["confirmations"],
        json!(0)
    );
    for number in 1..=4 {
        wait("the losers' payment in the mempool", SOON, || {
            network.mempool(number).iter().any(|entry| entry == txid)
        });
    }
    network.generate(4, 1);
    network.wait_agreement(&[1, 2, 3, 4], SOON);
    assert_eq!(
        network.rpc(1, "gettransaction", json!([txid]))["confirmations"],
        json!(1)
    );
}

#[test]
fn the_launcher_starts_shows_and_stops_a_network() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().join("net");
    let pyrite = |args: &[&str]| {
        let output = Command::new(binary())
            .arg("testnet")
            .args(args)
            .arg("--dir")
            .arg(&dir)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (ok, out, err) = pyrite(&["up", "--nodes", "2", "--detach"]);
    assert!(ok, "{err}");
    assert!(
        out.contains("faucet") && out.contains("1000000.00000000"),
        "{out}"
    );
    let (ok, out, err) = pyrite(&["status", "--json"]);
    assert!(ok, "{err}");
    let status: Value = serde_json::from_str(&out).unwrap();
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2);
    let pids: Vec<u64> = nodes
        .iter()
        .map(|node| node["pid"].as_u64().unwrap())
        .collect();
    let data_dir = nodes[0]["data_dir"].as_str().unwrap();
    let call = Command::new(binary())
        .args(["rpc", "--data-dir", data_dir, "getbalance"])
        .output()
        .unwrap();
    assert!(call.status.success());
    // The genesis block's coins are spendable at once; mining may have added to them.
    let balance: f64 = String::from_utf8(call.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(balance >= 1000.0, "{balance}");
    let (ok, _, err) = pyrite(&["up", "--nodes", "5", "--detach"]);
    assert!(!ok && err.contains("has 2 nodes, not 5"), "{err}");
    let (ok, _, err) = pyrite(&["kill", "3"]);
    assert!(!ok && err.contains("no node 3"), "{err}");
    let (ok, out, err) = pyrite(&["down"]);
    assert!(ok && out.contains("2 nodes stopped"), "{out}{err}");
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(
            stat.is_empty() || stat.contains(") Z "),
            "process {pid} still runs: {stat}"
        );
    }
}

#[test]
fn a_node_begins_with_a_file_of_coins_and_fetches_the_rest() {
    let mut network = TestNetwork::on_demand(2);
    network.wait_mesh();
    network.partition(&[vec![1], vec![2]]).unwrap();
    wait("cut", SOON, || {
        network.rpc(2, "getconnectioncount", json!([])) == json!(0)
    });
    let address = network.rpc(2, "getnewaddress", json!([]));
    network.rpc(1, "sendtoaddress", json!([address, 3]));
    network.generate(1, 120);
    let dump = network.rpc(1, "dumptxoutset", json!(["coins.dat", "latest"]));
    network.generate(1, 5);
    assert_eq!(network.stop_all().unwrap(), 2);

    // Whoever publishes a file puts this into the spec.
    let spec = network.path().join("chain.toml");
    let mut text = std::fs::read_to_string(&spec).unwrap();
    text.push_str(&format!(
        "\n[[assume_utxo]]\nheight = 120\nblock_hash = {}\ncoins_hash = {}\nchain_tx_count = {}\n",
        dump["base_hash"], dump["txoutset_hash"], dump["nchaintx"]
    ));
    std::fs::write(&spec, text).unwrap();
    network.start_all().unwrap();
    for height in 1..=125 {
        let hash = network.rpc(1, "getblockhash", json!([height]));
        let header = network.rpc(1, "getblockheader", json!([hash, false]));
        network.rpc(2, "submitheader", json!([header]));
    }
    let loaded = network.rpc(2, "loadtxoutset", json!([dump["path"]]));
    assert_eq!(loaded["tip_hash"], dump["base_hash"]);
    assert_eq!(network.height(2), 120);
    let states = network.rpc(2, "getchainstates", json!([]));
    assert_eq!(states["chainstates"].as_array().unwrap().len(), 2);
    // What needs no earlier block works at once: a block on the tip, mined here.
    let outputs = network.rpc(2, "gettxoutsetinfo", json!(["none"]))["txouts"].clone();
    assert_eq!(outputs, dump["coins_written"]);
    let template = network.rpc(2, "getblocktemplate", json!([{ "rules": ["segwit"] }]));
    assert_eq!(template["previousblockhash"], dump["base_hash"]);
    // A kill changes nothing.
    network.kill(2).unwrap();
    network.start(2).unwrap();
    assert_eq!(network.height(2), 120);

    network.heal().unwrap();
    network.wait_agreement(&[1, 2], SOON);
    wait("the background validation", SOON, || {
        let states = network.rpc(2, "getchainstates", json!([]));
        states["chainstates"].as_array().unwrap().len() == 1
    });
    let muhash =
        |number| network.rpc(number, "gettxoutsetinfo", json!(["muhash"]))["muhash"].clone();
    assert_eq!(muhash(1), muhash(2));
    let first = network.rpc(2, "getblockhash", json!([1]));
    network.rpc(2, "getblock", json!([first]));
    // The wallet has caught up with what it could not see before.
    wait("the payment in the wallet", SOON, || {
        let balance = network.rpc(2, "getbalance", json!([]));
        (balance.as_f64().unwrap() - 1003.0).abs() < 1e-9
    });
}
