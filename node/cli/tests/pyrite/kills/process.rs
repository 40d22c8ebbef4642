//! The node that is killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pyrite_rpc::{ClientError, RpcClient};
use pyrite_testnet::unshared_port;
use serde_json::{Value, json};

use crate::support::{binary, wait};

const CHAIN: &str = "regtest";
/// A small cache, so that coins are flushed often; and every index.
const SETTINGS: [&str; 7] = [
    "--db-cache",
    "4",
    "--txindex",
    "--blockfilterindex",
    "--coinstatsindex",
    "--txospenderindex",
    "--addressindex",
];
const START_LIMIT: Duration = Duration::from_secs(60);

/// A node in a data directory, and a client for it.
pub(super) struct Node {
    child: Child,
    client: RpcClient,
    log: PathBuf,
}

impl Node {
    /// Starts a node, and does not wait for it.
    pub(super) fn spawn(data_dir: &Path) -> Self {
        let port = unshared_port().unwrap();
        let log = data_dir.join("stderr");
        let stderr = std::fs::File::create(&log).unwrap();
        let child = Command::new(binary())
            .args(["node", "--chain", CHAIN, "--data-dir"])
            .arg(data_dir)
            .args(["--listen", "/ip4/127.0.0.1/tcp/0", "--mdns", "false"])
            .args(["--rpc-bind", &format!("127.0.0.1:{port}")])
            .args(SETTINGS)
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let cookie = data_dir.join(CHAIN).join(".cookie");
        let url = format!("http://127.0.0.1:{port}");
        Self {
            child,
            client: RpcClient::new(url, cookie, START_LIMIT),
            log,
        }
    }

    /// Waits until it answers.
    pub(super) fn wait_ready(&mut self) {
        let what = "answer of the node";
        wait(what, START_LIMIT, || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.words());
            self.client.call("getblockcount", json!([])).is_ok()
        });
    }

    /// What it said on its standard error.
    pub(super) fn words(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(super) fn try_call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        self.client.call(method, params)
    }

    /// Calls a method that must succeed.
    pub(super) fn call(&self, method: &str, params: Value) -> Value {
        self.client
            .call(method, params)
            .unwrap_or_else(|error| panic!("{method}: {error}; {}", self.words()))
    }

    /// Calls a method that must succeed and answers with a text.
    pub(super) fn text(&self, method: &str, params: Value) -> String {
        self.call(method, params).as_str().unwrap().to_owned()
    }

    pub(super) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of a node that was killed.
    pub(super) fn reap(mut self) {
        self.child.wait().unwrap();
    }

    /// Stops it cleanly.
    pub(super) fn stop(mut self) {
        self.call("stop", json!([]));
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.words());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
