//! The command: its arguments, its threads, and its end.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use pyrite_consensus::bitcoin::address::NetworkUnchecked;
use pyrite_consensus::bitcoin::{Address, ScriptBuf};
use pyrite_miner::{MinerError, MinerHandle, MinerSettings, UnixClock, WorkSource};
use pyrite_node::MiningOptions;

use super::event::Verdict;
use super::link::{Link, unix_time};
use super::remote_work::RemoteWork;
use super::server::{Server, has_user};
use super::view::{LineView, View};
use super::{json::JsonView, screen::ScreenView};
use crate::interrupt::Interrupt;

/// How soon events, signals and keys are noticed.
const TICK: Duration = Duration::from_millis(100);

/// Arguments of `pyrite mine`.
#[derive(Args)]
pub(crate) struct MineArgs {
    /// A node's JSON-RPC, as http://USER:PASSWORD@HOST:PORT, with / , @ and % in user or password as %2F %2C %40 and %25; given
    /// several times, the later ones step in while the earlier ones give no work or are behind. In the environment it does not show
    /// in the list of processes
    #[arg(
        long,
        value_name = "URL",
        env = "PYRITE_MINE_URL",
        hide_env_values = true,
        value_delimiter = ',',
        required = true
    )]
    url: Vec<String>,
    /// Whom the blocks pay: an address of the nodes' chain
    #[arg(long, value_name = "ADDRESS", env = "PYRITE_MINE_ADDRESS")]
    address: String,
    /// A node's cookie file, for a URL without user and password; given several times, one for each such URL in turn, the last
    /// for all further ones
    #[arg(
        long,
        value_name = "FILE",
        env = "PYRITE_MINE_COOKIE",
        value_delimiter = ','
    )]
    cookie: Vec<PathBuf>,
    #[command(flatten)]
    mining: MiningOptions,
    /// Show devices, servers and blocks on the whole terminal; q or Ctrl-C ends it
    #[arg(long, conflicts_with = "json")]
    full_screen: bool,
    /// Print a line of JSON for everything that happens, and the state every so often
    #[arg(long)]
    json: bool,
    /// How often the state is printed where there is no terminal, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
}

impl MineArgs {
    fn servers(&self) -> Result<Vec<Server>> {
        let mut cookies = self.cookie.iter();
        let mut server = |url: &String| {
            if has_user(url) {
                return Server::parse(url, None);
            }
            let last = self.cookie.last();
            Server::parse(url, cookies.next().or(last).map(PathBuf::as_path))
        };
        self.url.iter().map(&mut server).collect()
    }
}

/// Mines until Ctrl-C.
pub(crate) fn run(args: &MineArgs) -> Result<()> {
    let settings = args.mining.resolve()?;
    let servers = args.servers()?;
    let payout = payout(&args.address)?;
    let every = Duration::from_secs(args.interval);
    let interrupt = Interrupt::watch()?;
    let work = RemoteWork::new(servers, args.address.clone(), payout);
    for index in 0..work.servers.len() {
        let link = Link::new(Arc::clone(&work), index);
        spawn(&format!("link-{index}"), move || link.run())?;
    }
    let submissions = Arc::clone(&work);
    spawn("submissions", move || submissions.run_submissions())?;
    let source: Arc<dyn WorkSource> = work.clone();
    let miner = MinerHandle::new(source, node_clock(&work));
    let starting = start(&miner, settings)?;
    let mut view: Box<dyn View> = if args.json {
        Box::new(JsonView::new(every))
    } else if args.full_screen {
        if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
            bail!("--full-screen needs a terminal");
        }
        Box::new(ScreenView::new()?)
    } else {
        Box::new(LineView::new(every))
    };
    let result = watch(&work, &miner, &starting, view.as_mut(), &interrupt);
    miner.shutdown();
    work.stop.stop();
    let saved = work.save_pending(Path::new("."));
    for event in work.events.take() {
        view.event(&event)?;
    }
    view.end(&miner.status(), &work)?;
    drop(view);
    for path in saved {
        eprintln!(
            "pyrite: no node could be asked about a block: it is in {}; bring it with: pyrite rpc submitblock \"$(cat \
             {})\"",
            path.display(),
            path.display()
        );
    }
    result
}

/// Starts the miner on a thread of its own: OpenCL may take long to list its devices.
fn start(miner: &MinerHandle, settings: MinerSettings) -> Result<Receiver<Result<(), MinerError>>> {
    let (started, starting) = sync_channel(1);
    let miner = miner.clone();
    spawn("start", move || {
        // At the end of the program nobody waits for it.
        let _ = started.send(miner.start(settings));
    })?;
    Ok(starting)
}

/// Shows what happens, until the end.
fn watch(
    work: &RemoteWork,
    miner: &MinerHandle,
    starting: &Receiver<Result<(), MinerError>>,
    view: &mut dyn View,
    interrupt: &Interrupt,
) -> Result<()> {
    while interrupt.flow().is_continue() {
        if let Ok(started) = starting.try_recv() {
            started?;
        }
        for event in work.events.take() {
            view.event(&event)?;
        }
        if let Some(reasons) = work.hopeless() {
            return Err(anyhow!("{reasons}"));
        }
        if view.show(&miner.status(), work, Instant::now())?.is_break() {
            break;
        }
        thread::sleep(TICK);
    }
    Ok(())
}

/// The script of an address of any chain: which one it is, the nodes are asked.
fn payout(text: &str) -> Result<ScriptBuf> {
    let address: Address<NetworkUnchecked> = text
        .parse()
        .with_context(|| format!("--address: {text} is not an address"))?;
    Ok(address.assume_checked().script_pubkey())
}

/// The time as the node has it: headers are judged by that.
fn node_clock(work: &Arc<RemoteWork>) -> UnixClock {
    let work = Arc::downgrade(work);
    Arc::new(move || {
        let now = unix_time();
        work.upgrade().map_or(now, |work| work.node_time(now))
    })
}

/// These threads end with the program: they may be waiting for a server.
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .context("can't start a thread")?;
    Ok(())
}

/// A verdict in words.
pub(super) fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted => "accepted".to_owned(),
        Verdict::Stale => "stale: another block came first".to_owned(),
        Verdict::Rejected { reason } => format!("rejected: {reason}"),
        Verdict::Kept { reason } => format!("kept, to be brought again: {reason}"),
        Verdict::Lost { reason } => format!("lost: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_chain_are_read() {
        for address in [
            "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        ] {
            let script = payout(address).unwrap();
            assert_eq!(
                script.to_hex_string(),
                "0014751e76e8199196d454941c45d1b3a323f1433bd6"
            );
        }
        let error = payout("nobody").unwrap_err().to_string();
        assert_eq!(error, "--address: nobody is not an address");
    }
}
