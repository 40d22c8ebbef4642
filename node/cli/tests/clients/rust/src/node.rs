//! A `regtest` node in drop-in mode, of one test alone.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use corepc_client::client_sync::{Auth, v31::Client};
use tempfile::TempDir;

use crate::port::unshared_port;

/// The longest that a node may take to answer its first call, on a machine that is busy.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How often to look.
const POLL: Duration = Duration::from_millis(50);

/// The program under the name `bitcoind`, as `make clients` links it.
///
/// # Panics
/// `BITCOIND_EXE` is not set.
#[must_use]
pub fn bitcoind() -> PathBuf {
    std::env::var_os("BITCOIND_EXE")
        .expect("BITCOIND_EXE names the program (`make clients` sets it)")
        .into()
}

/// Whom a node speaks with.
#[derive(Clone, Copy, Debug)]
pub enum Peers {
    /// Nobody.
    None,
    /// Whoever connects.
    Listen,
    /// This node, and whoever connects.
    Connect(SocketAddrV4),
}

/// A running node. It ends, and its data directory goes, when this is dropped.
#[derive(Debug)]
pub struct Node {
    process: Child,
    directory: TempDir,
    rpc: SocketAddrV4,
    /// Where peers connect, if it listens for them.
    pub listen: Option<SocketAddrV4>,
}

impl Node {
    /// Starts a node without peers.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with_peers(arguments, Peers::None)
    }

    /// Starts a node, and returns when it answers calls.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_with_peers(arguments: &[&str], peers: Peers) -> Self {
        let address = || {
            let port = unshared_port().expect("a port is free");
            SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
        };
        let directory = tempfile::tempdir().expect("a directory for the node");
        let rpc = address();
        let mut command = Command::new(bitcoind());
        command
            .arg("-regtest")
            .arg(format!("-datadir={}", directory.path().display()))
            .arg(format!("-rpcport={}", rpc.port()))
            .args(arguments)
            .stdout(Stdio::null());
        let listen = match peers {
            Peers::None => None,
            Peers::Listen | Peers::Connect(_) => Some(address()),
        };
        match listen {
            None => command.arg("-listen=0"),
            Some(listen) => command.arg(format!("-bind={listen}")),
        };
        if let Peers::Connect(peer) = peers {
            command.arg(format!("-addnode={peer}"));
        }
        let process = command.spawn().expect("the program starts");
        let mut node = Self {
            process,
            directory,
            rpc,
            listen,
        };
        node.wait_until_it_answers();
        node
    }

    fn wait_until_it_answers(&mut self) {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Some(status) = self.process.try_wait().expect("the process can be asked") {
                panic!("the node ended at its start: {status}");
            }
            if self.cookie_file().exists() && self.client().get_block_count().is_ok() {
                return;
            }
            assert!(Instant::now() < deadline, "the node took too long to start");
            thread::sleep(POLL);
        }
    }

    /// The address of its JSON-RPC.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.rpc)
    }

    /// Where the file with name and password of its local user is.
    #[must_use]
    pub fn cookie_file(&self) -> PathBuf {
        self.directory.path().join("regtest").join(".cookie")
    }

    /// A path for a file that goes with the node.
    #[must_use]
    pub fn scratch(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The client of `corepc-client`, for the newest version of Bitcoin Core.
    ///
    /// # Panics
    /// The file with the password is gone.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new_with_auth(&self.url(), Auth::CookieFile(self.cookie_file()))
            .expect("the cookie file can be read")
    }

    /// Waits until the node has ended by itself, and says whether it ended well.
    ///
    /// # Panics
    /// It goes on.
    pub fn ended_well(&mut self) -> bool {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Some(status) = self.process.try_wait().expect("the process can be asked") {
                return status.success();
            }
            assert!(Instant::now() < deadline, "the node does not end");
            thread::sleep(POLL);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nothing of a test's node is worth keeping.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
