//! The program under the name `bitcoind`, as programs start it that start one in their tests.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pyrite_rpc::RpcClient;
use pyrite_testnet::unshared_port;
use serde_json::{Value, json};

use crate::support::{binary, wait};

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Where blocks pay whose coins nobody wants.
const NOBODY: &str = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202";

/// A `bitcoind` on regtest, in a directory of its own.
struct Bitcoind {
    directory: tempfile::TempDir,
    rpc_port: u16,
    port: u16,
    running: Option<Child>,
}

impl Bitcoind {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        symlink(binary(), directory.path().join("bitcoind")).unwrap();
        fs::create_dir(directory.path().join("data")).unwrap();
        Self {
            directory,
            rpc_port: unshared_port().unwrap(),
            port: unshared_port().unwrap(),
            running: None,
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data().join("regtest").join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.directory.path().join("bitcoind"));
        command
            .arg("-regtest")
            .arg(format!("-datadir={}", self.data().display()))
            .arg(format!("-rpcport={}", self.rpc_port))
            .arg(format!("-port={}", self.port))
            .args(arguments)
            .env_remove("PYRITE_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it answers.
    fn start(&mut self, arguments: &[&str]) {
        self.running = Some(self.command(arguments).spawn().unwrap());
        self.wait_ready();
    }

    fn wait_ready(&mut self) {
        let client = self.client();
        let mut running = self.running.take();
        wait("answer of bitcoind", PATIENCE, || {
            if let Some(child) = &mut running {
                assert!(
                    child.try_wait().unwrap().is_none(),
                    "it ended: {}",
                    self.log()
                );
            }
            client.call("getblockcount", json!([])).is_ok()
        });
        self.running = running;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("debug.log")).unwrap_or_default()
    }

    /// A client that reads the cookie at each call.
    fn client(&self) -> RpcClient {
        self.client_with(&self.file(".cookie"))
    }

    fn client_with(&self, cookie: &Path) -> RpcClient {
        let url = format!("http://127.0.0.1:{}", self.rpc_port);
        RpcClient::new(url, cookie.to_owned(), PATIENCE)
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let result = self.client().call(method, params);
        result.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Waits for the end of what runs, which must be a clean one.
    fn wait_end(&mut self) {
        let mut child = self.running.take().unwrap();
        wait("end of bitcoind", PATIENCE, || {
            child.try_wait().unwrap().is_some()
        });
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
    }

    fn stop(&mut self) {
        self.call("stop", json!([]));
        self.wait_end();
    }

    /// Runs it to its end, which must be an error, and returns what it says.
    fn failure(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            stderr(&output)
        );
        stderr(&output)
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // It is gone in any case.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn files_are_where_bitcoin_core_has_them_and_the_chain_stays() {
    let mut node = Bitcoind::new();
    node.start(&[
        "-server",
        "-fallbackfee=0.0001",
        "-txindex",
        "-printtoconsole=0",
    ]);
    for folder in ["blocks", "chainstate/database", "indexes", "wallets"] {
        assert!(node.file(folder).is_dir(), "{folder}");
    }
    let pid = fs::read_to_string(node.file("bitcoind.pid")).unwrap();
    let process = node.running.as_ref().unwrap().id();
    assert_eq!(pid, format!("{process}\n"));
    let cookie = fs::read_to_string(node.file(".cookie")).unwrap();
    assert!(cookie.starts_with("__cookie__:"), "{cookie}");
    assert!(node.log().contains("Done loading"));
    assert!(!node.data().join("settings.json").exists());
    let info = node.call("getnetworkinfo", json!([]));
    let name = info["subversion"].as_str().unwrap();
    assert!(name.starts_with("/Satoshi:31.0.0/Pyrite:"), "{name}");
    let info = node.call("getrpcinfo", json!([]));
    assert_eq!(info["logpath"], json!(node.file("debug.log")));
    node.call("generatetoaddress", json!([3, NOBODY]));
    let best = node.call("getbestblockhash", json!([]));

    let expected = format!(
        "Error: Cannot obtain a lock on directory {}. Pyrite is probably already running.\n",
        node.data().join("regtest").display()
    );
    assert_eq!(node.failure(&[]), expected);
    assert_eq!(node.call("getblockcount", json!([])), json!(3));

    node.stop();
    for file in ["bitcoind.pid", ".cookie"] {
        assert!(!node.file(file).exists(), "{file}");
    }
    node.start(&[]);
    assert_eq!(node.call("getbestblockhash", json!([])), best);
    let process = Pid::from_raw(node.running.as_ref().unwrap().id().try_into().unwrap());
    kill(process, Signal::SIGHUP).unwrap();
    fs::rename(node.file("debug.log"), node.file("old.log")).unwrap();
    kill(process, Signal::SIGHUP).unwrap();
    wait("new log file", PATIENCE, || node.file("debug.log").exists());
    kill(process, Signal::SIGTERM).unwrap();
    node.wait_end();
}

#[test]
fn a_bad_start_ends_as_bitcoin_cores() {
    let node = Bitcoind::new();
    for (arguments, error) in [
        (
            &["-foo"][..],
            "Error: Error parsing command line arguments: Invalid parameter -foo\n",
        ),
        (
            &["-chain=main"],
            "Error: Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.\n",
        ),
        (
            &["word"],
            "Error: Command line contains unexpected token 'word', see bitcoind -h for a list of options.\n",
        ),
        (
            &["-datadir=/nonexistent/there"],
            "Error: Specified data directory \"/nonexistent/there\" does not exist.\n",
        ),
        (
            &["-debug=foo"],
            "Error: Unsupported logging category -debug=foo.\n",
        ),
        (
            &["-rpcport=0"],
            "Error: Invalid port specified in -rpcport: '0'\n",
        ),
    ] {
        assert_eq!(node.failure(arguments), error);
    }
    let conf = node.data().join("bitcoin.conf");
    fs::write(&conf, "nonsense\n").unwrap();
    assert_eq!(
        node.failure(&[]),
        "Error: Error reading configuration file: parse error on line 1: nonsense, if you intended to specify a negated \
         option, use nonsense=1 instead\n"
    );
    fs::write(&conf, "rpcbind=127.0.0.1\n").unwrap();
    assert_eq!(
        node.failure(&[]),
        "Error: Config setting for -rpcbind only applied on regtest network when in [regtest] section.\n"
    );
    fs::remove_file(&conf).unwrap();
    // Nothing was made of it.
    assert!(!node.file("chainstate").exists());
}

#[test]
fn bitcoin_cores_own_directory_is_refused() {
    let node = Bitcoind::new();
    let file = node.file("blocks/blk00000.dat");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "block").unwrap();
    let error = node.failure(&[]);
    assert!(
        error.contains("is a data directory of Bitcoin Core"),
        "{error}"
    );
    let mut found: Vec<_> = fs::read_dir(node.file("")).unwrap().collect();
    assert_eq!(found.remove(0).unwrap().file_name(), "blocks");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn the_configuration_file_says_where_and_who() {
    let mut node = Bitcoind::new();
    let text = "regtest=1\nrpcuser=me\nrpcpassword=secret\nprinttoconsole=0\n[regtest]\nincludeconf=more.conf\n";
    fs::write(node.data().join("bitcoin.conf"), text).unwrap();
    let more = format!(
        "regtest.rpcport={}\nregtest.port={}\n",
        node.rpc_port, node.port
    );
    fs::write(node.data().join("more.conf"), more).unwrap();
    let password = node.directory.path().join("password");
    fs::write(&password, "me:secret").unwrap();
    let child = Command::new(node.directory.path().join("bitcoind"))
        .arg(format!("-datadir={}", node.data().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    node.running = Some(child.unwrap());
    let client = node.client_with(&password);
    wait("answer of bitcoind", PATIENCE, || {
        client.call("getblockcount", json!([])).is_ok()
    });
    assert!(!node.file(".cookie").exists());
    client.call("stop", json!([])).unwrap();
    node.wait_end();
}

#[test]
fn two_are_connected_by_address() {
    let mut first = Bitcoind::new();
    first.start(&["-uacomment=first"]);
    let mut second = Bitcoind::new();
    let peer = format!("127.0.0.1:{}", first.port);
    let arguments = [format!("-addnode={peer}"), "-uacomment=second".to_owned()];
    second.start(&arguments.each_ref().map(String::as_str));
    let mut third = Bitcoind::new();
    third.start(&[&format!("-connect={peer}")]);
    for (node, peers) in [(&first, 2), (&second, 1), (&third, 1)] {
        wait("connections", PATIENCE, || {
            node.call("getconnectioncount", json!([])) == json!(peers)
        });
    }
    let info = second.call("getpeerinfo", json!([]))[0].clone();
    assert!(
        info["subver"].as_str().unwrap().contains("(first)"),
        "{info}"
    );
    assert_eq!(info["inbound"], false);
    assert_eq!(info["addr"], peer);
    let seen = first.call("getpeerinfo", json!([]));
    let seen = seen.as_array().unwrap().iter();
    let of_second = |info: &&Value| info["subver"].as_str().unwrap().contains("(second)");
    assert_eq!(seen.clone().find(of_second).unwrap()["inbound"], true);

    first.call("generatetoaddress", json!([2, NOBODY]));
    for node in [&second, &third] {
        wait("blocks", PATIENCE, || {
            node.call("getblockcount", json!([])) == json!(2)
        });
    }
    for node in [&mut first, &mut second, &mut third] {
        node.stop();
    }
}

#[test]
fn it_runs_in_the_background() {
    let mut node = Bitcoind::new();
    let output = node
        .command(&["-daemonwait"])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(output.stdout, b"Pyrite starting\n");
    // It is ready at once.
    assert_eq!(node.call("getblockcount", json!([])), json!(0));
    let error = node.failure(&["-daemonwait"]);
    assert!(error.starts_with("Error: Cannot obtain a lock"), "{error}");
    node.call("stop", json!([]));
    wait("end of bitcoind", PATIENCE, || {
        !node.file("bitcoind.pid").exists()
    });
    node.wait_unlocked();
    let status = node.command(&["-daemon"]).status().unwrap();
    assert!(status.success());
    node.wait_ready();
    node.call("stop", json!([]));
    node.wait_unlocked();
}

#[test]
fn a_copy_of_the_program_runs_in_the_background_and_what_it_runs_is_its_own() {
    let node = Bitcoind::new();
    // The name is the file's own, and not that of a link to it.
    let program = node.directory.path().join("bitcoind");
    fs::remove_file(&program).unwrap();
    fs::copy(binary(), &program).unwrap();
    let seen = node.directory.path().join("seen");
    let part = seen.with_extension("part");
    // What a command prints is no news of the node, and its surroundings are those of the caller.
    let notify = format!(
        "-startupnotify=echo hi && env > {} && mv {} {}",
        part.display(),
        part.display(),
        seen.display()
    );
    let output = node
        .command(&["-daemonwait", &notify])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(node.call("getblockcount", json!([])), json!(0));
    wait("what the command saw", PATIENCE, || seen.exists());
    let environment = fs::read_to_string(&seen).unwrap();
    assert!(environment.contains("PATH="), "{environment}");
    assert!(!environment.contains("PYRITE_BITCOIND"), "{environment}");
    // The pipes of the one that was started are gone, which is nothing to the commands.
    let tip = node.directory.path().join("tip");
    node.call("stop", json!([]));
    node.wait_unlocked();
    let notify = format!("-blocknotify=echo tip && echo %s > {}", tip.display());
    let status = node.command(&["-daemon", &notify]).status().unwrap();
    assert!(status.success());
    wait("answer of bitcoind", PATIENCE, || {
        node.client().call("getblockcount", json!([])).is_ok()
    });
    node.call("generatetoaddress", json!([1, NOBODY]));
    wait("what the command was told", PATIENCE, || {
        fs::read_to_string(&tip).is_ok_and(|text| text.ends_with('\n'))
    });
    node.call("stop", json!([]));
    node.wait_unlocked();
}

#[test]
fn it_stops_at_a_height_with_a_clock_that_stands_still() {
    let mut node = Bitcoind::new();
    node.start(&[
        "-mocktime=1700000000",
        "-stopatheight=2",
        "-rpccookieperms=group",
    ]);
    let mode = fs::metadata(node.file(".cookie")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o640);
    let hash = node.call("generatetoaddress", json!([1, NOBODY]))[0].clone();
    let header = node.call("getblockheader", json!([hash]));
    assert_eq!(header["time"], 1_700_000_000);
    let size = |node: &Bitcoind| {
        let info = node.call("getblockchaininfo", json!([]));
        info["size_on_disk"].as_u64().unwrap()
    };
    let before = size(&node);
    fs::write(node.file("big"), vec![0; 8 << 20]).unwrap();
    assert!(size(&node) < before + (8 << 20));
    // Its answer may come, or the end before it.
    let _ = node.client().call("generatetoaddress", json!([1, NOBODY]));
    node.wait_end();
    // A node that is there already goes on.
    node.start(&["-stopatheight=2"]);
    assert_eq!(node.call("getblockcount", json!([])), json!(2));
    node.stop();
}

#[test]
fn help_and_version_start_nothing() {
    let node = Bitcoind::new();
    for (argument, text) in [
        ("-version", "Pyrite daemon version v31.0.0 bitcoind\n"),
        ("-?", "  -addnode=<ip>\n"),
        ("-help", "  -datadir=<dir>\n"),
    ] {
        let output = node
            .command(&[argument])
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains(text), "{shown}");
    }
    assert!(!node.file("").exists());
}

impl Bitcoind {
    /// Waits until nobody uses the data directory.
    fn wait_unlocked(&self) {
        let file = fs::File::options()
            .append(true)
            .open(self.file(".lock"))
            .unwrap();
        wait("end of bitcoind", PATIENCE, || file.try_lock().is_ok());
    }
}
