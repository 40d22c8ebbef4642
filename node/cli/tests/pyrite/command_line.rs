//! The program alone: what goes wrong ends in one clear line that names the cause, and a status other than zero.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{TestNetwork, binary};
use serde_json::json;

pub(crate) fn pyrite(args: &[&str]) -> Output {
    Command::new(binary()).args(args).output().unwrap()
}

/// The one line on stderr of a program that failed.
pub(crate) fn failure(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success(), "{stderr}");
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("pyrite: "))
        .collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0].to_owned()
}

/// Arguments for a node on ports that are free.
fn node_args<'a>(data_dir: &'a str, chain: &'a str) -> Vec<&'a str> {
    vec![
        "node",
        "--quiet",
        "--chain",
        chain,
        "--data-dir",
        data_dir,
        "--rpc-bind",
        "127.0.0.1:0",
        "--listen",
        "/ip4/127.0.0.1/tcp/0",
    ]
}

/// Bitcoin's blocks 1 to 255; `None`, said aloud, where the published data is missing outside CI.
fn bitcoin_blocks() -> Option<Vec<u8>> {
    let base = std::env::var_os("PYRITE_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let path = base.join("blocks/mainnet_1_to_255.blk");
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "{}: {error}",
                path.display()
            );
            eprintln!("skipped: {}: {error}", path.display());
            None
        }
    }
}

fn import(directory: &Path, name: &str, bytes: &[u8]) -> Output {
    let file = directory.join(name).with_extension("blk");
    std::fs::write(&file, bytes).unwrap();
    let data_dir = directory.join(name);
    pyrite(&[
        "import",
        "--chain",
        "mainnet",
        "--data-dir",
        data_dir.to_str().unwrap(),
        file.to_str().unwrap(),
    ])
}

#[test]
fn bitcoins_first_blocks_import_and_altered_ones_are_refused() {
    let Some(bytes) = bitcoin_blocks() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let output = import(directory.path(), "good", &bytes);
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(
        stdout.contains("255 blocks imported, 0 known already"),
        "{stdout}"
    );
    assert!(stdout.contains("height 255"), "{stdout}");
    // Once more: nothing new, no error.
    let output = import(directory.path(), "good", &bytes);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("0 blocks imported, 255 known already")
    );

    // One bit in the magic, the length, each header field, the transactions, and the very end.
    let places = [
        (0, "magic"),
        (5, "not a block"),
        (8, "high-hash"),
        (12, "prev-blk-not-found"),
        (44, "bad-txnmrklroot"),
        (76, "high-hash"),
        (80, "high-hash"),
        (84, "high-hash"),
        (90, "bad-txnmrklroot"),
        (130, "not a block"),
        (bytes.len() / 2, "bad-txnmrklroot"),
        (bytes.len() - 1, "bad-txnmrklroot"),
    ];
    for (number, (place, reason)) in places.into_iter().enumerate() {
        let mut altered = bytes.clone();
        altered[place] ^= 1 << (place % 8);
        let line = failure(&import(
            directory.path(),
            &format!("altered{number}"),
            &altered,
        ));
        assert!(line.contains("at byte") && line.contains(reason), "{line}");
    }
}

#[test]
fn another_chains_data_directory_is_refused() {
    let network = TestNetwork::on_demand(1);
    let node = network.node(1).unwrap().clone();
    let data_dir = network.data_dir(&node).root().to_owned();
    drop_nodes(network, |_| {
        // The same name with another genesis block.
        let line = failure(&pyrite(&node_args(data_dir.to_str().unwrap(), "regtest")));
        assert!(
            line.contains("database") && line.contains("genesis"),
            "{line}"
        );
    });
}

#[test]
fn a_data_directory_in_use_is_refused() {
    let network = TestNetwork::on_demand(1);
    let node = network.node(1).unwrap().clone();
    let data_dir = network.data_dir(&node).root().to_owned();
    let spec = network.path().join("chain.toml");
    let line = failure(&pyrite(&node_args(
        data_dir.to_str().unwrap(),
        spec.to_str().unwrap(),
    )));
    assert!(
        line.contains("another process") || line.contains("in use"),
        "{line}"
    );
}

#[test]
fn a_damaged_database_is_named() {
    let network = TestNetwork::on_demand(1);
    network.generate(1, 20);
    let node = network.node(1).unwrap().clone();
    let data_dir = network.data_dir(&node);
    let spec = network.path().join("chain.toml");
    drop_nodes(network, |_| {
        let current = data_dir.database().join("CURRENT");
        std::fs::write(&current, b"nonsense\n").unwrap();
        let line = failure(&pyrite(&node_args(
            data_dir.root().to_str().unwrap(),
            spec.to_str().unwrap(),
        )));
        assert!(line.contains("database"), "{line}");
    });
}

/// Stops a network's nodes cleanly, and looks at what they left.
fn drop_nodes(mut network: TestNetwork, look: impl FnOnce(&TestNetwork)) {
    network.stop_all().unwrap();
    look(&network);
}

#[test]
fn a_busy_port_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let bind = address.to_string();
    let line = failure(&pyrite(&[
        "node",
        "--quiet",
        "--chain",
        "regtest",
        "--data-dir",
        data_dir,
        "--rpc-bind",
        &bind,
        "--listen",
        "/ip4/127.0.0.1/tcp/0",
    ]));
    assert!(line.contains(&bind), "{line}");
    let listen = format!("/ip4/127.0.0.1/tcp/{}", address.port());
    let line = failure(&pyrite(&[
        "node",
        "--quiet",
        "--chain",
        "regtest",
        "--data-dir",
        data_dir,
        "--rpc-bind",
        "127.0.0.1:0",
        "--listen",
        &listen,
    ]));
    assert!(line.contains(&address.port().to_string()), "{line}");
}

#[test]
fn bad_configuration_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("pyrite.toml");
    std::fs::write(&config, "chain = \"regtest\"\nminner = true\n").unwrap();
    let line = failure(&pyrite(&["node", "--config", config.to_str().unwrap()]));
    assert!(
        line.contains("pyrite.toml") && line.contains("line 2") && line.contains("minner"),
        "{line}"
    );
    let line = failure(&pyrite(&["node", "--chain", "nowhere"]));
    assert!(line.contains("chain nowhere"), "{line}");
    let line = failure(&pyrite(&["node", "--threads", "0"]));
    assert!(line.contains("threads: 0"), "{line}");
    let none = directory.path().join("none");
    let line = failure(&pyrite(&[
        "testnet",
        "status",
        "--dir",
        none.to_str().unwrap(),
    ]));
    assert!(line.contains("no network in"), "{line}");
    let line = failure(&pyrite(&[
        "rpc",
        "--data-dir",
        directory.path().to_str().unwrap(),
        "uptime",
    ]));
    assert!(line.contains("no node runs in"), "{line}");
}

#[test]
fn a_refused_call_ends_in_one_line() {
    let network = TestNetwork::on_demand(1);
    let node = network.node(1).unwrap().clone();
    let data_dir = network.data_dir(&node).root().to_owned();
    let call = |args: &[&str]| {
        let mut all = vec!["rpc", "--data-dir", data_dir.to_str().unwrap()];
        all.extend(args);
        pyrite(&all)
    };
    let line = failure(&call(&["nosuchmethod"]));
    assert!(
        line.contains("Method not found") && line.contains("-32601"),
        "{line}"
    );
    let line = failure(&call(&["getblockhash", "99"]));
    assert!(
        line.contains("Block height out of range") && line.contains("-8"),
        "{line}"
    );
    let output = call(&["--named", "getblockhash", "height=0"]);
    let hash = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        json!(hash.trim()),
        network.rpc(1, "getblockhash", json!([0]))
    );
}
