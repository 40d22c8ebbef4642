//! The node that is measured: a process of its own, so that its memory is its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pyrite_node::find_running;
use pyrite_rpc::RpcClient;
use serde_json::json;

/// How long a node may take to start or to stop.
const LIMIT: Duration = Duration::from_secs(120);

/// A running node; it ends when this is dropped.
pub(super) struct BenchNode {
    process: Child,
    pub(super) address: SocketAddr,
    /// What a request has in its `Authorization` header.
    pub(super) authorization: String,
    pub(super) client: RpcClient,
}

impl BenchNode {
    /// Starts one on regtest, without peers, on free ports.
    pub(super) fn start(dir: &Path) -> Result<Self> {
        let program = std::env::current_exe().context("can't find this program")?;
        let process = Command::new(program)
            .args([
                "node",
                "--chain",
                "regtest",
                "--quiet",
                "--rpc-bind",
                "127.0.0.1:0",
            ])
            .args(["--listen", "/ip4/127.0.0.1/tcp/0", "--data-dir"])
            .arg(dir)
            .stdin(Stdio::null())
            .spawn()
            .context("can't start a node")?;
        // From here on the process ends with this value.
        let mut starting = Starting(Some(process));
        let deadline = Instant::now() + LIMIT;
        let (data_dir, info) = loop {
            if let Some(status) = starting.process()?.try_wait()? {
                bail!("the node ended: {status}");
            }
            let own = starting.process()?.id();
            match find_running(dir, Some("regtest")) {
                Ok((data_dir, info)) if info.pid == own => break (data_dir, info),
                _ if Instant::now() > deadline => bail!("the node does not start"),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let address = info.rpc_url.trim_start_matches("http://").parse()?;
        let cookie = std::fs::read_to_string(data_dir.cookie()).context("the cookie")?;
        let client = RpcClient::new(info.rpc_url, data_dir.cookie(), LIMIT);
        Ok(Self {
            process: starting.0.take().context("no process")?,
            address,
            authorization: format!("Basic {}", STANDARD.encode(cookie.trim())),
            client,
        })
    }

    /// Bytes of memory that the node has in RAM.
    pub(super) fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|text| {
            text.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<u64>()
                .ok()
        });
        Ok(kib.context("no VmRSS")? << 10)
    }
}

impl Drop for BenchNode {
    fn drop(&mut self) {
        let _ = self.client.call("stop", json!([]));
        let deadline = Instant::now() + LIMIT;
        while matches!(self.process.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A process that ends if the node does not get ready.
struct Starting(Option<Child>);

impl Starting {
    fn process(&mut self) -> Result<&mut Child> {
        self.0.as_mut().context("no process")
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(mut process) = self.0.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
