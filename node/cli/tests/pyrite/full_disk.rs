//! A node whose disk fills up stops with one clear line, and goes on when there is room again.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use pyrite_rpc::{ClientError, RpcClient};
use pyrite_testnet::unshared_port;
use serde_json::json;

use crate::support::{SOON, binary, wait};

/// Room for the node and a chain.
const DISK: &str = "size=64m";
/// What else is on the disk at first.
const BALLAST_BYTES: usize = 48 << 20;

/// A disk of its own, as long as this lives.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where this user may not mount one.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(directory.path())
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is left is in memory alone.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}

fn start(data_dir: &Path) -> (Child, RpcClient) {
    let port = unshared_port().unwrap();
    let child = Command::new(binary())
        .args(["node", "--chain", "regtest", "--quiet", "--mdns", "false"])
        .args(["--listen", "/ip4/127.0.0.1/tcp/0"])
        .args(["--rpc-bind", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(data_dir)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let cookie = data_dir.join("regtest").join(".cookie");
    let url = format!("http://127.0.0.1:{port}");
    (child, RpcClient::new(url, cookie, SOON))
}

fn words(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn assert_says_that_the_disk_is_full(output: &Output) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let words = words(output);
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.contains("the disk is full"), "{words}");
}

#[test]
fn a_full_disk_stops_the_node_with_a_clear_line_and_loses_nothing() {
    let Some(disk) = Disk::mount() else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; BALLAST_BYTES]).unwrap();
    let data_dir = disk.path().join("data");
    let (node, client) = start(&data_dir);
    let ready = || client.call("getblockcount", json!([])).is_ok();
    wait("answer of the node", SOON, ready);
    let address = client.call("getnewaddress", json!([])).unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    let refusal = loop {
        match client.call("generatetoaddress", json!([100, address])) {
            Ok(hashes) => {
                acknowledged.extend(serde_json::from_value::<Vec<_>>(hashes).unwrap());
            }
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 100_000, "the disk does not fill up");
    };
    match &refusal {
        ClientError::Call { message, .. } => {
            assert!(message.contains("the disk is full"), "{message}");
        }
        // It stopped before it answered.
        other => assert!(matches!(other, ClientError::Connection { .. }), "{other}"),
    }
    assert_says_that_the_disk_is_full(&node.wait_with_output().unwrap());

    // There is no room to start, either.
    let rest = disk.path().join("rest");
    let fill = std::fs::write(&rest, vec![0; BALLAST_BYTES]);
    assert!(fill.is_err(), "the disk is full");
    let (node, _) = start(&data_dir);
    assert_says_that_the_disk_is_full(&node.wait_with_output().unwrap());

    std::fs::remove_file(&ballast).unwrap();
    std::fs::remove_file(&rest).unwrap();
    let (node, client) = start(&data_dir);
    let ready = || client.call("getblockcount", json!([])).is_ok();
    wait("answer of the node", SOON, ready);
    for hash in &acknowledged {
        let header = client.call("getblockheader", json!([hash])).unwrap();
        assert!(header["confirmations"].as_i64() > Some(0), "{hash} is gone");
    }
    client
        .call("generatetoaddress", json!([100, address]))
        .unwrap();
    client.call("stop", json!([])).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(words(&output), "");
}
