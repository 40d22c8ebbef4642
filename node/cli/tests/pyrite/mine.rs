//! `pyrite mine`: the miner apart from the node, as its users run it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use pyrite_testnet::MiningShare;
use serde_json::{Value, json};

use crate::support::{MINED, TestNetwork, binary, wait};

const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// How long a block on demand takes to be found, mostly.
const FOUND: Duration = Duration::from_secs(5);

/// A miner, and what it prints.
struct Miner {
    process: Child,
    lines: Receiver<Value>,
    seen: Vec<Value>,
}

impl Miner {
    /// A miner for these nodes of a network.
    fn start(network: &TestNetwork, nodes: &[usize]) -> Self {
        Self::with_intensity(network, nodes, "5")
    }

    /// The same with so many percent of a thread's time.
    fn with_intensity(network: &TestNetwork, nodes: &[usize], intensity: &str) -> Self {
        let mut command = Command::new(binary());
        command.args(["mine", "--json", "--interval", "1", "--threads", "1"]);
        command.args(["--intensity", intensity, "--address", ADDRESS]);
        for number in nodes {
            let node = &network.network().nodes[number - 1];
            command.arg("--url").arg(url(network, *number));
            command.arg("--cookie").arg(network.data_dir(node).cookie());
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            process,
            lines,
            seen: Vec::new(),
        }
    }

    /// The next line that is so.
    fn wait(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.find(MINED, is_it).unwrap_or_else(|| {
            let tail = self.seen.iter().rev().take(10).collect::<Vec<_>>();
            panic!("no {what}; last: {tail:?}")
        })
    }

    /// The next line that is so, if it comes in time.
    fn find(&mut self, within: Duration, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).ok()?;
            self.seen.push(line.clone());
            if is_it(&line) {
                return Some(line);
            }
        }
    }

    fn wait_block(&mut self, verdict: &str) -> Value {
        self.wait(verdict, |line| {
            line["event"] == "block" && line["verdict"] == verdict
        })
    }

    fn wait_working(&mut self, url: &str) {
        self.wait(url, |line| {
            line["event"] == "working" && line["url"].as_str().unwrap().starts_with(url)
        });
    }

    /// Ends it as Ctrl-C does, and returns its last words.
    fn interrupt(mut self) -> Value {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(status.success());
        let end = self.wait("end", |line| line["event"] == "end");
        assert!(self.process.wait().unwrap().success());
        end
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A node's JSON-RPC.
fn url(network: &TestNetwork, number: usize) -> String {
    let port = network.network().nodes[number - 1].rpc_port;
    format!("http://127.0.0.1:{port}")
}

/// Whom a block's coinbase pays.
fn payee(network: &TestNetwork, number: usize, hash: &Value) -> Value {
    let block = network.rpc(number, "getblock", json!([hash, 2]));
    block["tx"][0]["vout"][0]["scriptPubKey"]["address"].clone()
}

#[test]
fn blocks_of_a_miner_apart_pay_its_address() {
    // A block of the second takes a million hashes.
    for (chain, intensity) in [("regtest", "5"), ("pyrite", "100")] {
        let network = TestNetwork::start(chain, 1, MiningShare::None);
        let mut miner = Miner::with_intensity(&network, &[1], intensity);
        for _ in 0..3 {
            let block = miner.wait_block("accepted");
            assert_eq!(payee(&network, 1, &block["hash"]), ADDRESS, "{chain}");
        }
        let end = miner.interrupt();
        assert!(end["blocks_accepted"].as_u64().unwrap() >= 3, "{end}");
        assert!(end["earned_sat"].as_u64().unwrap() > 0, "{end}");
        assert_eq!(end["blocks_rejected"], 0, "{end}");
    }
}

#[test]
fn another_node_steps_in_until_the_first_is_back() {
    let mut network = TestNetwork::on_demand(2);
    network.wait_mesh();
    let urls = [url(&network, 1), url(&network, 2)];
    let mut miner = Miner::start(&network, &[1, 2]);
    miner.wait_working(&urls[0]);
    miner.wait_block("accepted");
    network.kill(1).unwrap();
    miner.wait_working(&urls[1]);
    let block = miner.wait_block("accepted");
    assert_eq!(payee(&network, 2, &block["hash"]), ADDRESS);
    network.start(1).unwrap();
    miner.wait_working(&urls[0]);
    miner.wait_block("accepted");
    miner.interrupt();
    network.wait_agreement(&[1, 2], MINED);
}

#[test]
fn a_block_that_is_found_while_the_node_is_down_is_not_lost() {
    let mut network = TestNetwork::on_demand(1);
    let mut miner = Miner::start(&network, &[1]);
    // A node that is killed before it gave work on its last block leaves nothing to mine.
    let kept = loop {
        miner.wait_block("accepted");
        network.kill(1).unwrap();
        let kept = miner.find(FOUND, |line| {
            line["event"] == "block" && line["verdict"] == "kept"
        });
        network.start(1).unwrap();
        if let Some(kept) = kept {
            break kept;
        }
    };
    let hash = kept["hash"].clone();
    miner.wait("verdict", |line| {
        line["event"] == "block" && line["hash"] == hash && line["verdict"] == "accepted"
    });
    wait("block in the chain", MINED, || {
        network.rpc(1, "getblockheader", json!([hash]))["confirmations"].as_i64() >= Some(1)
    });
    assert_eq!(payee(&network, 1, &hash), ADDRESS);
    miner.interrupt();
}

#[test]
fn a_wrong_password_or_address_ends_it_with_a_reason() {
    let network = TestNetwork::on_demand(1);
    let url = url(&network, 1);
    let place = url.strip_prefix("http://").unwrap();
    let output = Command::new(binary())
        .args(["mine", "--address", ADDRESS, "--url"])
        .arg(format!("http://me:wrong@{place}"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("refuses the user or the password"),
        "{error}"
    );
    assert!(!error.contains("wrong@"), "{error}");

    let cookie = network.data_dir(&network.network().nodes[0]).cookie();
    let output = Command::new(binary())
        .args(["mine", "--url", &url, "--cookie"])
        .arg(cookie)
        .args(["--address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("is not an address of the node's chain"),
        "{error}"
    );
}
