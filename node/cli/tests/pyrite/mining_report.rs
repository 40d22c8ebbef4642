//! The accounts of mining: what a report says after reorganisations, restarts and kills, and blocks by the clock.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pyrite_miner::{BlockSchedule, BlockTiming, FoundBlock, Ledger, LedgerEntry, LedgerReader};
use pyrite_testnet::MiningShare;
use serde_json::{Value, json};

use crate::command_line::{failure, pyrite};
use crate::support::{MINED, SOON, TestNetwork, binary, wait};

fn report_args(network: &TestNetwork, more: &[&str]) -> Vec<String> {
    let path = |name: &str| network.path().join(name).display().to_string();
    let args = [
        "mining",
        "report",
        "--chain",
        &path("chain.toml"),
        "--data-dir",
        &path("node1"),
    ];
    args.iter()
        .chain(more)
        .map(|arg| (*arg).to_owned())
        .collect()
}

fn report(network: &TestNetwork, more: &[&str]) -> Value {
    let args = report_args(network, &[&["--json"], more].concat());
    let output = Command::new(binary()).args(&args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ledger_dir(network: &TestNetwork) -> PathBuf {
    let node = network.node(1).unwrap().clone();
    network.data_dir(&node).mining()
}

fn counts(report: &Value) -> [u64; 3] {
    ["blocks", "stale", "unknown"].map(|key| report["total"][key].as_u64().unwrap())
}

#[test]
fn a_report_knows_what_stayed_in_the_chain_whether_the_node_runs_or_not() {
    let mut network = TestNetwork::on_demand(1);
    let hashes = network.generate(1, 3);
    assert_eq!(counts(&report(&network, &[])), [3, 0, 0]);

    network.rpc(1, "invalidateblock", json!([hashes[1]]));
    assert_eq!(counts(&report(&network, &[])), [1, 2, 0]);
    network.generate(1, 2);
    let running = report(&network, &["--price", "2"]);
    assert_eq!(counts(&running), [3, 2, 0]);
    assert_eq!(running["total"]["subsidy"].to_string(), "150.00000000");
    assert_eq!(running["total"]["income"].to_string(), "300.00");

    network.stop(1).unwrap();
    assert_eq!(report(&network, &["--price", "2"]), running);
    network.start(1).unwrap();
    network.kill(1).unwrap();
    // A kill leaves the description of a node that runs.
    assert_eq!(report(&network, &["--price", "2"]), running);
    network.start(1).unwrap();
    assert_eq!(report(&network, &["--price", "2"]), running);

    // The first branch is the better one again, with a block more.
    network.rpc(1, "reconsiderblock", json!([hashes[1]]));
    network.rpc(1, "preciousblock", json!([hashes[2]]));
    network.generate(1, 1);
    let blocks = report(&network, &["--by", "block"])["blocks"].clone();
    let states: Vec<&str> = blocks
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        ["active", "active", "active", "stale", "stale", "active"]
    );
    assert_eq!(blocks[0]["hash"], hashes[0].as_str());
    assert_eq!(blocks[0]["device"], "generate");
}

#[test]
fn a_kill_before_the_submission_leaves_a_block_that_earns_nothing() {
    let mut network = TestNetwork::on_demand(1);
    network.generate(1, 2);
    network.stop(1).unwrap();
    let directory = ledger_dir(&network);
    let entries: Vec<LedgerEntry> = LedgerReader::open(&directory)
        .unwrap()
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let LedgerEntry::Block(block) = &entries[1] else {
        panic!("{entries:?}");
    };
    // What such a kill leaves: the line of a block that the chain never saw, and a torn one behind it.
    let lost = FoundBlock {
        hash: "11".repeat(32).parse().unwrap(),
        ..block.clone()
    };
    Ledger::open(&directory)
        .unwrap()
        .add(&LedgerEntry::Block(lost))
        .unwrap();
    let file = directory.join("ledger.jsonl");
    let mut torn = fs::OpenOptions::new().append(true).open(file).unwrap();
    torn.write_all(b"{\"block\":{\"time\":17").unwrap();
    let before = report(&network, &[]);
    assert_eq!(counts(&before), [2, 0, 1]);
    assert_eq!(before["total"]["reward"].to_string(), "100.00000000");
    network.start(1).unwrap();
    assert_eq!(report(&network, &[]), before);
    network.generate(1, 1);
    assert_eq!(counts(&report(&network, &[])), [3, 0, 1]);
}

#[test]
fn blocks_of_other_miners_count_if_they_pay_the_wallet() {
    let network = TestNetwork::on_demand(1);
    let address = network.rpc(1, "getnewaddress", json!([]));
    for output in [address, json!("raw(51)")] {
        let block = network.rpc(1, "generateblock", json!([output, [], false]));
        for _ in 0..2 {
            network.rpc(1, "submitblock", json!([block["hex"]]));
        }
    }
    let blocks = report(&network, &["--by", "block"])["blocks"].clone();
    assert_eq!(blocks.as_array().unwrap().len(), 1, "{blocks}");
    assert_eq!(blocks[0]["device"], "submitblock");
    assert_eq!(blocks[0]["state"], "active");
}

#[test]
fn prices_and_files_are_checked() {
    let network = TestNetwork::on_demand(1);
    network.generate(1, 1);
    let prices = network.path().join("prices.csv");
    let prices_arg = prices.display().to_string();
    fs::write(&prices, "date,price\n2001-01-01,1.25\n2001-01-02,x\n").unwrap();
    let args = report_args(&network, &["--prices", &prices_arg]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let line = failure(&pyrite(&args));
    assert!(line.contains("prices.csv: line 3, column price"), "{line}");

    fs::write(&prices, "date,price\n2001-01-01,1.25\n").unwrap();
    let unknown = report(&network, &["--prices", &prices_arg]);
    assert_eq!(unknown["total"]["income"], Value::Null);
    assert_eq!(unknown["days_without_price"].as_array().unwrap().len(), 1);
    let previous = report(
        &network,
        &["--prices", &prices_arg, "--missing-price", "previous"],
    );
    assert_eq!(previous["total"]["income"].to_string(), "62.50");

    let csv = network.path().join("out.csv");
    report(
        &network,
        &["--csv", &csv.display().to_string(), "--by", "year"],
    );
    let text = fs::read_to_string(csv).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("period,blocks,stale,"), "{text}");
    let args = report_args(&network, &["--from", "2026-02-30"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert!(!pyrite(&args).status.success());
}

#[test]
fn the_miners_blocks_and_time_are_in_the_report() {
    let mut network = TestNetwork::mining(1, 50);
    wait("two mined blocks", MINED, || network.height(1) >= 2);
    network.stop(1).unwrap();
    let report = report(&network, &["--by", "block"]);
    let first = &report["blocks"][0];
    assert_eq!(first["height"], 1);
    assert!(
        first["device"].as_str().unwrap().starts_with("cpu"),
        "{first}"
    );
    let reader = LedgerReader::open(&ledger_dir(&network)).unwrap().unwrap();
    let hashes: u64 = reader
        .map(|entry| match entry.unwrap() {
            LedgerEntry::Span(work) => work.hashes,
            LedgerEntry::Block(_) => 0,
        })
        .sum();
    assert!(hashes > 0, "the time of mining is written down at the end");
}

#[test]
fn a_network_has_blocks_by_the_clock() {
    let schedule = BlockSchedule {
        every: Duration::from_millis(300),
        timing: BlockTiming::Poisson,
    };
    let network = TestNetwork::start("pyrite", 2, MiningShare::Scheduled(schedule));
    wait("blocks on the second node", SOON, || network.height(2) >= 5);
    let status = network.rpc(1, "getminingstatus", json!([]));
    assert_eq!(status["running"], false);
    assert_eq!(status["schedule"]["timing"], "poisson");
    assert!(
        network
            .rpc(2, "getminingstatus", json!([]))
            .get("schedule")
            .is_none()
    );
    let blocks = report(&network, &["--by", "block"])["blocks"].clone();
    assert_eq!(blocks[0]["device"], "schedule");
}

#[test]
fn a_schedule_that_a_chain_can_not_keep_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().to_str().unwrap();
    for (chain, expected) in [
        (
            "pyrite",
            "block-every: a block every 2s can't be kept: chain pyrite wants one every 10s",
        ),
        (
            "mainnet",
            "block-every: a block every 2s can't be kept: even the easiest block of chain mainnet takes",
        ),
    ] {
        let args = [
            "node",
            "--chain",
            chain,
            "--data-dir",
            data_dir,
            "--block-every",
            "2s",
        ];
        let line = failure(&pyrite(&args));
        assert!(line.contains(expected), "{line}");
    }
}
