//! A node of this program as a process of its own, in a fresh directory that goes with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pyrite_consensus::ChainSpec;
use pyrite_node::{DataDir, find_running};

use super::{Connection, Endpoint, Process};

/// How long a node may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it has.
const POLL: Duration = Duration::from_millis(20);

/// A node that runs. It is killed, and its directory removed, when this is dropped.
pub(in crate::bench) struct BenchNode {
    root: PathBuf,
    child: Option<Child>,
    endpoint: Option<Endpoint>,
}

impl BenchNode {
    /// A directory for a node, which must not exist yet.
    pub(in crate::bench) fn create(root: &Path) -> Result<Self> {
        std::fs::create_dir(root).with_context(|| root.display().to_string())?;
        Ok(Self {
            root: root.to_owned(),
            child: None,
            endpoint: None,
        })
    }

    /// Where its files are.
    pub(in crate::bench) fn data_dir(&self, spec: &ChainSpec) -> DataDir {
        DataDir::new(self.root.clone(), &spec.name)
    }

    /// Starts it with these arguments, on loopback and free ports, and waits until it answers.
    pub(in crate::bench) fn start(
        &mut self,
        spec: &Arc<ChainSpec>,
        extra: &[String],
    ) -> Result<()> {
        let binary = std::env::current_exe().context("where this program is")?;
        let output = self.root.join("output");
        let file = File::create(&output).with_context(|| output.display().to_string())?;
        let mut child = Command::new(binary)
            .args(["node", "--quiet", "--chain", &spec.name])
            .args(["--rpc-bind", "127.0.0.1:0"])
            .args(["--listen", "/ip4/127.0.0.1/tcp/0"])
            .arg("--data-dir")
            .arg(&self.root)
            .args(extra)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("can't start a node")?;
        let pid = child.id();
        let deadline = Instant::now() + PATIENCE;
        let endpoint = loop {
            if let Some(status) = child.try_wait()? {
                let said = std::fs::read_to_string(&output).unwrap_or_default();
                bail!("the node ended with {status}: {}", said.trim());
            }
            match find_running(&self.root, Some(&spec.name)) {
                Ok((data_dir, info)) if info.pid == pid => {
                    let cookie = std::fs::read_to_string(data_dir.cookie())?;
                    break Endpoint::new(&info.rpc_url, &cookie)?;
                }
                _ => {}
            }
            if Instant::now() > deadline {
                // Nothing is lost: the directory is ours.
                let _ = child.kill();
                bail!("the node does not start");
            }
            thread::sleep(POLL);
        };
        self.child = Some(child);
        self.endpoint = Some(endpoint);
        Ok(())
    }

    /// Where it answers.
    pub(in crate::bench) fn endpoint(&self) -> Result<&Endpoint> {
        self.endpoint.as_ref().context("the node does not run")
    }

    /// Its process.
    pub(in crate::bench) fn process(&self) -> Result<Process> {
        let child = self.child.as_ref().context("the node does not run")?;
        Ok(Process::of(child.id()))
    }

    /// Stops it as a user would.
    pub(in crate::bench) fn stop(mut self) -> Result<()> {
        Connection::open(self.endpoint()?)?.call("stop", "[]")?;
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                if !status.success() {
                    bail!("the node ended with {status}");
                }
                return Ok(());
            }
            thread::sleep(POLL);
        }
        self.child = Some(child);
        bail!("the node does not stop");
    }
}

impl Drop for BenchNode {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Err(error) = std::fs::remove_dir_all(&self.root) {
            eprintln!("{}: {error}", self.root.display());
        }
    }
}
