//! `pyrite chain`: specs are made, checked and simulated, and what is wrong is said.

use std::path::{Path, PathBuf};

use pyrite_consensus::ChainSpec;
use pyrite_consensus::spec::Difficulty;
use pyrite_testnet::MiningShare;
use serde_json::{Value, json};

use crate::command_line::{failure, pyrite};
use crate::support::{MINED, TestNetwork, wait};

/// What a command that succeeded printed.
fn output(args: &[&str]) -> String {
    let output = pyrite(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn json_output(args: &[&str]) -> Value {
    serde_json::from_str(&output(args)).unwrap()
}

fn path(directory: &Path, name: &str) -> (PathBuf, String) {
    let path = directory.join(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

fn read_spec(path: &Path) -> ChainSpec {
    ChainSpec::from_toml(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_new_spec_has_what_the_flags_say() {
    let directory = tempfile::tempdir().unwrap();
    let (path, file) = path(directory.path(), "mine.toml");
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let made = output(&[
        "chain",
        "new",
        &file,
        "--name",
        "mine",
        "--spacing",
        "30",
        "--difficulty",
        "lwma",
        "--window",
        "90",
        "--min-difficulty-after",
        "300",
        "--start-hashrate",
        "1000",
        "--taproot",
        "never",
        "--allocate",
        &format!("{address}=12.5"),
        "--allocate",
        "51=1",
    ]);
    let spec = read_spec(&path);
    assert!(made.contains("chain mine"), "{made}");
    assert!(made.contains(&spec.genesis_hash().to_string()), "{made}");
    assert_eq!(spec.name, "mine");
    assert_eq!(spec.target_spacing_s, 30);
    assert_eq!(spec.difficulty, Difficulty::Lwma { window: 90 });
    assert_eq!(spec.min_difficulty_after_s, Some(300));
    assert_eq!(spec.deployments.taproot, u32::MAX);
    let coins: Vec<u64> = spec
        .genesis
        .allocations
        .iter()
        .map(|allocation| allocation.value.to_sat())
        .collect();
    assert_eq!(coins, [1_250_000_000, 100_000_000]);

    // What it wrote passes, and is not written over.
    let verdict = output(&["chain", "check", &file]);
    assert!(verdict.contains("chain mine is valid"), "{verdict}");
    let verdict = json_output(&["chain", "check", "--json", &file]);
    assert_eq!(verdict["valid"], json!(true));
    assert_eq!(verdict["name"], json!("mine"));
    assert_eq!(
        verdict["genesis"],
        json!(spec.genesis_hash().to_string()),
        "{verdict}"
    );
    let line = failure(&pyrite(&["chain", "new", &file, "--name", "other"]));
    assert!(line.contains("--force"), "{line}");
    assert_eq!(read_spec(&path), spec);
    output(&["chain", "new", &file, "--name", "other", "--force"]);
    assert_eq!(read_spec(&path).name, "other");
}

#[test]
fn a_new_spec_goes_to_standard_output_and_builds_on_another() {
    let directory = tempfile::tempdir().unwrap();
    let (first_path, first) = path(directory.path(), "first.toml");
    let text = output(&[
        "chain",
        "new",
        "--base",
        "regtest",
        "--halving-interval",
        "77",
    ]);
    std::fs::write(&first_path, &text).unwrap();
    let spec = read_spec(&first_path);
    assert_eq!(spec.name, "my-chain");
    assert_eq!(spec.halving_interval, 77);
    assert_eq!(spec.difficulty, Difficulty::Fixed);
    let text = output(&["chain", "new", "--base", &first, "--coinbase-maturity", "5"]);
    let second = ChainSpec::from_toml(&text).unwrap();
    assert_eq!(second.halving_interval, 77);
    assert_eq!(second.coinbase_maturity, 5);
    assert_eq!(output(&["chain", "show", &first]), spec.to_toml());
}

#[test]
fn what_can_t_be_a_chain_is_said_before_it_is_mined() {
    let refused = pyrite(&[
        "chain",
        "new",
        "--name",
        "No Good",
        "--spacing",
        "0",
        "--segwit",
        "5",
        "--taproot",
        "4",
        // So hard that nobody could mine it.
        "--genesis-bits",
        "1700ffff",
    ]);
    let line = failure(&refused);
    assert!(line.contains("3 errors"), "{line}");
    let stderr = String::from_utf8(refused.stderr).unwrap();
    for part in [
        "name is \"No Good\"",
        "target_spacing_s is 0",
        "deployments.taproot",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    let line = failure(&pyrite(&["chain", "new", "--interval", "100"]));
    assert!(line.contains("--difficulty retarget"), "{line}");
    let line = failure(&pyrite(&["chain", "new", "--allocate", "alice=1"]));
    assert!(line.contains("alice"), "{line}");
    // Nobody is there to be asked.
    let line = failure(&pyrite(&["chain", "new"]));
    assert!(line.contains("--name"), "{line}");
}

#[test]
fn every_error_of_a_file_is_printed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (path, file) = path(directory.path(), "wrong.toml");
    let text = ChainSpec::pyrite()
        .to_toml()
        .replace("halving_interval", "halving_intervall")
        .replace("half_life_s = 600", "half_life_s = 0")
        .replace(
            "min_difficulty_after_s = \"never\"",
            "min_difficulty_after_s = 10",
        )
        .replace("coinbase_maturity = 100", "coinbase_maturity = \"long\"")
        .replace("segwit = 0", "segwit = 3")
        .replace("nonce = 1446944", "nonce = 7");
    std::fs::write(&path, text).unwrap();
    let refused = pyrite(&["chain", "check", &file]);
    assert_eq!(refused.status.code(), Some(1));
    let line = failure(&refused);
    assert!(line.contains("8 errors"), "{line}");
    let printed = String::from_utf8(refused.stdout).unwrap();
    for part in [
        "unknown field `halving_intervall`",
        "missing field `halving_interval`",
        "difficulty.half_life_s is 0",
        "difficulty.min_difficulty_after_s is 10, it must be above target_spacing_s (10)",
        "coinbase_maturity is \"long\"",
        "deployments.taproot is below deployments.segwit",
        "above the target of bits",
        "genesis.hash says",
    ] {
        let told = printed.lines().filter(|line| line.contains(part)).count();
        assert_eq!(told, 1, "{part}: {printed}");
    }
    assert_eq!(printed.lines().count(), 8, "{printed}");

    let verdict = pyrite(&["chain", "check", "--json", &file]);
    assert_eq!(verdict.status.code(), Some(1));
    let form: Value = serde_json::from_slice(&verdict.stdout).unwrap();
    assert_eq!(form["valid"], json!(false));
    assert_eq!(form["errors"].as_array().unwrap().len(), 8);

    let line = failure(&pyrite(&["chain", "check", "/nowhere/chain.toml"]));
    assert!(line.contains("/nowhere/chain.toml"), "{line}");
}

#[test]
fn a_simulation_gives_the_same_figures_every_time() {
    let simulate = |more: &[&str]| {
        let mut args = vec!["chain", "simulate", "pyrite", "--blocks", "2000"];
        args.extend(more);
        output(&args)
    };
    let table = simulate(&[]);
    for name in ["steady", "step-up", "step-down", "on-off", "ramp"] {
        let rows = table.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(rows, 1, "{name}: {table}");
    }
    assert_eq!(table, simulate(&["--hashrate", "all"]));
    assert_ne!(table, simulate(&["--seed", "2"]));

    let form: Value =
        serde_json::from_str(&simulate(&["--hashrate", "steady,step-up", "--json"])).unwrap();
    let profiles = form["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 2);
    let steady = &profiles[0]["phases"][0];
    let mean_s = steady["mean_s"].as_f64().unwrap();
    assert!((mean_s - 10.0).abs() < 1.0, "{mean_s}");
    // Of an exponential distribution the 95th percentile is three times the mean.
    let percentile_s = steady["percentile_95_s"].as_f64().unwrap();
    assert!((percentile_s / mean_s - 3.0).abs() < 0.3, "{percentile_s}");
    let after = &profiles[1]["phases"][1];
    let recovery = after["recovery_blocks"].as_u64().unwrap();
    assert!((50..600).contains(&recovery), "{recovery}");
}

/// Figures that change are told again.
#[test]
fn the_documented_figures_are_the_program_s() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/difficulty.md");
    let document = std::fs::read_to_string(document).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let simulate = |spec: &str| {
        let figures = output(&["chain", "simulate", spec]);
        assert!(document.contains(figures.trim_end()), "{figures}");
    };
    simulate("pyrite");
    for line in document.lines() {
        let Some(arguments) = line.strip_prefix("pyrite chain new ") else {
            continue;
        };
        let (name, flags) = arguments.split_once(' ').unwrap();
        let (_, file) = path(directory.path(), name);
        let mut command = vec!["chain", "new", file.as_str()];
        command.extend(flags.split(' '));
        output(&command);
        simulate(&file);
    }
}

#[test]
fn a_simulation_is_drawn() {
    let directory = tempfile::tempdir().unwrap();
    let draw = |name: &str, profile: &str| {
        let (path, file) = path(directory.path(), name);
        let output = pyrite(&[
            "chain",
            "simulate",
            "pyrite",
            "--blocks",
            "500",
            "--hashrate",
            profile,
            "--plot",
            &file,
        ]);
        (path, output)
    };
    let (path, drawn) = draw("plot.svg", "step-up");
    assert!(drawn.status.success());
    let svg = std::fs::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for text in [
        "pyrite: ASERT",
        "seconds between blocks",
        "difficulty",
        "height",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    let (path, drawn) = draw("plot.PNG", "ramp");
    assert!(drawn.status.success());
    let png = std::fs::read(path).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));

    let (path, refused) = draw("plot.gif", "ramp");
    let line = failure(&refused);
    assert!(line.contains(".svg or .png"), "{line}");
    assert!(!path.exists());
    let (_, refused) = draw("plot.svg", "all");
    assert!(failure(&refused).contains("one profile"));
}

#[test]
fn wrong_arguments_of_a_simulation_are_named() {
    for (args, part) in [
        (["--factor", "1"], "above 1"),
        (["--blocks", "5"], "20"),
        (["--base-hashrate", "0"], "above zero"),
        (["--hashrate", "sideways"], "sideways"),
    ] {
        let output = pyrite(&["chain", "simulate", "pyrite", args[0], args[1]]);
        assert!(!output.status.success(), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(part), "{stderr}");
    }
    let line = failure(&pyrite(&[
        "chain",
        "simulate",
        "pyrite",
        "--base-hashrate",
        "0.000001",
    ]));
    assert!(line.contains("2106"), "{line}");
}

/// A network whose miner is far too slow for its difficulty: it goes on with blocks of the least one, which
/// the miner turns to when the time has come.
#[test]
fn a_chain_that_lost_its_hash_power_moves_again() {
    let directory = tempfile::tempdir().unwrap();
    let (_, file) = path(directory.path(), "lost.toml");
    output(&[
        "chain",
        "new",
        &file,
        "--name",
        "lost",
        "--spacing",
        "2",
        "--difficulty",
        "fixed",
        "--min-difficulty-after",
        "4",
        "--start-hashrate",
        "4000000",
    ]);
    // With a fixed difficulty the launcher leaves the mining to us.
    let network = TestNetwork::start(&file, 1, MiningShare::None);
    // The first mined block is an ordinary one.
    let address = network.rpc(1, "getnewaddress", json!([]));
    let tries = 1_000_000_000_u64;
    network.rpc(1, "generatetoaddress", json!([1, address, tries]));
    let limit = "1f00ffff";
    let bits = |height: u64| {
        let hash = network.rpc(1, "getblockhash", json!([height]));
        network.rpc(1, "getblockheader", json!([hash]))["bits"].clone()
    };
    assert_ne!(bits(1), json!(limit));
    // One thread for one percent of its time: an ordinary block takes it minutes.
    network.rpc(1, "startmining", json!([address, 1, 1]));
    wait("a block of the least difficulty", MINED, || {
        (2..=network.height(1)).any(|height| bits(height) == json!(limit))
    });
    // Soon after it an ordinary one is asked for again, and then again an easy one.
    wait("the ordinary bits", MINED, || {
        network.rpc(1, "getmininginfo", json!([]))["next"]["bits"] == bits(1)
    });
    wait("the least difficulty", MINED, || {
        network.rpc(1, "getmininginfo", json!([]))["next"]["bits"] == json!(limit)
    });
}
