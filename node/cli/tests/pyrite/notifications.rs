//! Programs beside the node: the REST interface, and the commands that a node runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use pyrite_node::find_running;
use pyrite_rpc::RpcClient;
use serde_json::{Value, json};

use crate::support::{binary, wait};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Nobody's.
const PAYEE: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// A node, killed at the end if it still runs.
struct RunningNode(Child);

impl Drop for RunningNode {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(directory: &Path) -> RunningNode {
    let data_dir = directory.join("data");
    std::fs::write(
        directory.join("pyrite.toml"),
        "rest = true\nshutdownnotify = [\"echo stopped >> told\", \"echo again >> told-too\"]\n",
    )
    .unwrap();
    let node = Command::new(binary())
        .current_dir(directory)
        .args([
            "node",
            "--quiet",
            "--chain",
            "regtest",
            "--config",
            "pyrite.toml",
        ])
        .args([
            "--rpc-bind",
            "127.0.0.1:0",
            "--listen",
            "/ip4/127.0.0.1/tcp/0",
        ])
        .args([
            "--zmqpubrawtx",
            "ipc://zmq",
            "--zmqpubhashblock",
            "ipc://zmq",
        ])
        .args(["--zmqpubhashblockhwm", "5"])
        .args(["--blocknotify", "echo %s >> tips"])
        .args(["--startupnotify", "echo started >> told"])
        .arg("--data-dir")
        .arg(&data_dir)
        .spawn()
        .unwrap();
    let node = RunningNode(node);
    wait("the node", LIMIT, || {
        find_running(&data_dir, Some("regtest")).is_ok()
    });
    node
}

/// The status and the JSON of a REST resource.
fn rest(url: &str, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_node_serves_rest_and_tells_what_happens() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut node = start(directory);
    let (data_dir, info) = find_running(&directory.join("data"), Some("regtest")).unwrap();
    let client = RpcClient::new(info.rpc_url.clone(), data_dir.cookie(), LIMIT);
    let call = |method, params| client.call(method, params).unwrap();
    wait("the command of the start", LIMIT, || {
        lines(&directory.join("told")) == ["started"]
    });
    assert_eq!(
        call("getzmqnotifications", json!([])),
        json!([
            { "type": "pubhashblock", "address": "ipc://zmq", "hwm": 5 },
            { "type": "pubrawtx", "address": "ipc://zmq", "hwm": 1000 },
        ])
    );
    assert!(directory.join("zmq").exists());

    let hashes = call("generatetoaddress", json!([3, PAYEE]));
    let mut expected: Vec<String> = serde_json::from_value(hashes).unwrap();
    let (status, shown) = rest(&info.rpc_url, "/rest/chaininfo.json");
    assert_eq!(
        (status, &shown["bestblockhash"]),
        (200, &json!(expected[2]))
    );
    let path = format!("/rest/headers/{}.json?count=2", expected[0]);
    let (status, shown) = rest(&info.rpc_url, &path);
    assert_eq!((status, &shown[1]["hash"]), (200, &json!(expected[1])));
    assert_eq!(rest(&info.rpc_url, "/rest/none").0, 404);
    // Commands run side by side.
    expected.sort_unstable();
    wait("the commands of the tips", LIMIT, || {
        let mut tips = lines(&directory.join("tips"));
        tips.sort_unstable();
        tips == expected
    });

    call("stop", json!([]));
    wait("the end", LIMIT, || node.0.try_wait().unwrap().is_some());
    // The node has waited for them.
    assert_eq!(lines(&directory.join("told")), ["started", "stopped"]);
    assert_eq!(lines(&directory.join("told-too")), ["again"]);
    assert!(!directory.join("zmq").exists());
}
