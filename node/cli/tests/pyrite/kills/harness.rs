//! Start, load, kill, look; and again.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::load::{Acknowledged, Load, Work};
use super::process::Node;
use super::replay::Replay;
use crate::support::{binary, wait};

/// How often the node is killed when nothing else is said.
const KILLS: u32 = 8;
/// The longest time from the start of the process to the kill.
const MAX_LIFE: Duration = Duration::from_millis(600);
/// So often all files are read, and everything is built anew and compared.
const CHECK_EVERY: u32 = 100;
/// As long may an index take to reach the tip.
const INDEX_LIMIT: Duration = Duration::from_secs(60);
/// Coinbases of the wallet that can be spent from the beginning.
const FIRST_BLOCKS: u64 = 130;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    let value = std::env::var(name).ok();
    value.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}: {text} is not a number"))
    })
}

#[test]
fn a_node_that_is_killed_at_random_instants_loses_nothing() {
    let kills = setting("PYRITE_KILLS", KILLS);
    let seed = setting("PYRITE_KILL_SEED", rand::random::<u64>());
    eprintln!("{kills} kills, PYRITE_KILL_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path();
    let mut replay = Replay::default();
    let mut figures = Figures::default();

    let mut node = Node::spawn(data_dir);
    node.wait_ready();
    let address = node.text("getnewaddress", json!([]));
    node.call("generatetoaddress", json!([FIRST_BLOCKS, address]));
    let mut acknowledged = Acknowledged::default();
    for round in 1..=kills {
        assert_nothing_is_lost(&node, &acknowledged);
        let coins = node.call("gettxoutsetinfo", json!(["muhash"]));
        assert_eq!(coins["muhash"], replay.muhash(&node), "round {round}");
        assert_indexes_follow(&node, &coins, &acknowledged);
        figures.add(&acknowledged);
        acknowledged = kill_under_load(node, &mut rng, &address);
        node = kill_while_starting(data_dir, &mut rng, &mut figures);
        if round % CHECK_EVERY == 0 {
            node.stop();
            assert_database_is_whole(data_dir);
            node = Node::spawn(data_dir);
            node.wait_ready();
        }
        if round % 50 == 0 {
            let height = node.call("getblockcount", json!([]));
            eprintln!("{round} kills, height {height}, {figures:?}");
        }
    }
    assert_nothing_is_lost(&node, &acknowledged);
    node.stop();
    assert!(figures.blocks > 0 && figures.payments > 0, "{figures:?}");
    assert_database_is_whole(data_dir);
    eprintln!("{kills} kills under load, {figures:?}");
}

/// What was acknowledged in all rounds.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "the figures are printed")]
struct Figures {
    blocks: usize,
    payments: usize,
    /// Kills of a node that was about to start.
    at_start: usize,
}

impl Figures {
    fn add(&mut self, acknowledged: &Acknowledged) {
        self.blocks += acknowledged.blocks.len();
        self.payments += acknowledged.payments.len();
    }
}

/// Lets the node work for a random time, and kills it.
fn kill_under_load(node: Node, rng: &mut StdRng, address: &str) -> Acknowledged {
    let life = rng.gen_range(Duration::ZERO..MAX_LIFE);
    let process_id = node.process_id();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(life);
        kill(process_id);
    });
    let load = Load {
        node: &node,
        rng,
        address,
        acknowledged: Acknowledged::default(),
    };
    let acknowledged = load.run();
    killer.join().unwrap();
    node.reap();
    acknowledged
}

/// Starts the node; one time in three it is killed on the way first, as long as it likes to be.
fn kill_while_starting(data_dir: &Path, rng: &mut StdRng, figures: &mut Figures) -> Node {
    while rng.gen_ratio(1, 3) {
        let node = Node::spawn(data_dir);
        std::thread::sleep(rng.gen_range(Duration::ZERO..Duration::from_millis(300)));
        kill(node.process_id());
        node.reap();
        figures.at_start += 1;
    }
    let start = Instant::now();
    let mut node = Node::spawn(data_dir);
    node.wait_ready();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(30), "it took {took:?} to start");
    node
}

fn kill(process_id: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &process_id.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn assert_nothing_is_lost(node: &Node, acknowledged: &Acknowledged) {
    for hash in &acknowledged.blocks {
        node.call("getblock", json!([hash]));
    }
    for txid in &acknowledged.payments {
        node.call("gettransaction", json!([txid]));
    }
    // Whoever steers may have left for another branch without an answer.
    if let Some(tip) = &acknowledged.tip
        && acknowledged.last != Some(Work::Steering)
    {
        let header = node.call("getblockheader", json!([tip]));
        let confirmations = header["confirmations"].as_i64().unwrap();
        assert!(confirmations >= 1, "{tip} left the chain");
    }
}

/// The indexes come to the tip, and say what the chain says.
fn assert_indexes_follow(node: &Node, coins: &Value, acknowledged: &Acknowledged) {
    wait("indexes at the tip", INDEX_LIMIT, || {
        let info = node.call("getindexinfo", json!([]));
        let indexes = info.as_object().unwrap();
        assert_eq!(indexes.len(), 5, "{info}");
        let is_there = |index: &Value| {
            index["synced"] == true && index["best_block_height"] == coins["height"]
        };
        indexes.values().all(is_there)
    });
    let tip = &coins["bestblock"];
    let by_index = node.call("gettxoutsetinfo", json!(["muhash", tip, true]));
    assert_eq!(by_index["muhash"], coins["muhash"]);
    node.call("getblockfilter", json!([tip]));
    for txid in acknowledged.payments.iter().take(5) {
        let payment = node.call("gettransaction", json!([txid]));
        if payment["confirmations"].as_i64() > Some(0) {
            let found = node.call("getrawtransaction", json!([txid, 1]));
            assert_eq!(found["blockhash"], payment["blockhash"]);
        }
    }
}

/// Reads everything, replays the chain, and builds the indexes anew.
fn assert_database_is_whole(data_dir: &Path) {
    let output = Command::new(binary())
        .args([
            "db", "check", "--chain", "regtest", "--replay", "--level", "4",
        ])
        .args(["--blocks", "100", "--indexes", "--data-dir"])
        .arg(data_dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
