//! Start and end, in Bitcoin Core's order, with its errors and exit codes.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use pyrite_node::{Console, DebugLog, Node, NodeConfig, NodeError, StopHandle, init_debug_log};
use tokio::signal::unix::{SignalKind, signal};

use super::chain::choose_chain;
use super::config_file::{ConfigFile, read_config_files};
use super::daemon::{self, Place, Until};
use super::directory::{self, PidFile};
use super::documentation::{help, version};
use super::logging::log_config;
use super::mapping;
use super::settings::Settings;
use crate::one_line;

/// The name by which the program is `bitcoind`.
pub(super) const NAME: &str = "bitcoind";

/// The arguments of `bitcoind`, if that is what was started: by its name, or as the first argument.
pub(crate) fn is_asked_for(arguments: &[OsString]) -> Option<&[OsString]> {
    let (program, rest) = arguments.split_first()?;
    if Path::new(program).file_name()? == NAME {
        return Some(rest);
    }
    let (first, rest) = rest.split_first()?;
    (first == NAME).then_some(rest)
}

/// Runs `bitcoind` until a signal or `stop` ends it.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[OsString]) -> Result<()> {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let (place, arguments) = daemon::place(&arguments);
    let mut settings = Settings::parse(arguments)
        .map_err(|error| anyhow!("Error parsing command line arguments: {error}"))?;
    directory::check_named_directory(&settings)?;
    let config_file = read_config_files(&mut settings)
        .map_err(|error| anyhow!("Error reading configuration file: {error}"))?;
    if let Some(token) = arguments.iter().find(|text| !text.starts_with('-')) {
        bail!(
            "Command line contains unexpected token '{token}', see bitcoind -h for a list of options."
        );
    }
    if settings.switch("version").unwrap_or(false) {
        print(&version());
        return Ok(());
    }
    if ["?", "h", "help", "help-debug"]
        .iter()
        .any(|name| settings.is_set(name))
    {
        print(&help());
        return Ok(());
    }
    let chain = choose_chain(&settings)?;
    settings.select_network(chain.section());
    mapping::imply(&mut settings);
    check_sections(&settings, chain.section())?;
    mapping::check_refused(&settings)?;
    let config = mapping::node_config(&settings, chain)?;
    let process = Process { place, arguments };
    start_node(&process, &settings, &config_file, config)
}

/// Prints a text, of which whoever reads it may have had enough.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// How the program was started.
struct Process<'a> {
    place: Place,
    arguments: &'a [String],
}

/// Takes the data directory, goes to the background if that is asked for, and runs the node.
fn start_node(
    process: &Process<'_>,
    settings: &Settings,
    config_file: &ConfigFile,
    config: NodeConfig,
) -> Result<()> {
    let mut log_config = log_config(settings, config.data_dir.chain())?;
    config.data_dir.create()?;
    // Whether somebody has it is better said before the terminal is left.
    let locks = directory::lock(&config.data_dir)?;
    let until = match (settings.switch("daemonwait"), settings.switch("daemon")) {
        (Some(true), _) => Some(Until::Ready),
        (_, Some(true)) => Some(Until::Started),
        _ => None,
    };
    if let Some(until) = until.filter(|_| process.place == Place::Foreground) {
        drop(locks);
        return daemon::start(process.arguments, until);
    }
    if until.is_some() {
        daemon::detach();
        log_config.console = Console::Off;
    }
    let pid_file = PidFile::create(settings, &config.data_dir)?;
    let log = init_debug_log(&log_config).map_err(|error| match error {
        NodeError::DataDir { path, .. } => {
            anyhow!("Could not open debug log file {}", path.display())
        }
        error => error.into(),
    })?;
    log_start(settings, config_file, &config);
    let result = serve(config, log, until);
    drop(pid_file);
    drop(locks);
    result
}

/// Settings that stand in the wrong section are errors, sections that nobody knows are told of.
fn check_sections(settings: &Settings, chain: &str) -> Result<()> {
    let wrong = settings.in_wrong_section();
    if !wrong.is_empty() {
        let lines = wrong.iter().map(|name| {
            format!("Config setting for -{name} only applied on {chain} network when in [{chain}] section.")
        });
        bail!("{}", lines.collect::<Vec<_>>().join("\n"));
    }
    let known = ["main", "test", "testnet4", "signet", "regtest"];
    for section in &settings.sections {
        if !known.contains(&section.name.as_str()) {
            eprintln!(
                "Warning: {}:{} Section [{}] is not recognized.",
                section.file, section.line, section.name
            );
        }
    }
    for (name, what) in [
        ("limitancestorsize", "ancestor"),
        ("limitdescendantsize", "descendant"),
    ] {
        if settings.is_set(name) {
            eprintln!(
                "Warning: Option '-{name}' is given but {what} size limits have been replaced with cluster size limits \
                 (see -limitclustersize). This option has no effect."
            );
        }
    }
    if settings.is_set("checkpoints") {
        eprintln!(
            "Warning: Option '-checkpoints' is set but checkpoints were removed. This option has no effect."
        );
    }
    Ok(())
}

fn log_start(settings: &Settings, file: &ConfigFile, config: &NodeConfig) {
    tracing::info!("Pyrite {} in place of bitcoind", env!("CARGO_PKG_VERSION"));
    tracing::info!("Using data directory {}", config.data_dir.chain().display());
    match file {
        ConfigFile::Off => tracing::info!("Config file: <disabled>"),
        ConfigFile::Read(path) => tracing::info!("Config file: {}", path.display()),
        ConfigFile::Missing(path) => {
            tracing::info!("Config file: {} (not found, skipping)", path.display());
        }
    }
    for name in &settings.unknown {
        tracing::warn!("Ignoring unknown configuration value {name}");
    }
    if !settings.list("rpcbind").is_empty() && settings.list("rpcallowip").is_empty() {
        tracing::warn!(
            "option -rpcbind was ignored because -rpcallowip was not specified, refusing to allow everyone to connect"
        );
    }
}

/// Runs the node.
fn serve(config: NodeConfig, log: DebugLog, until: Option<Until>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    let result: Result<()> = runtime.block_on(async {
        let stop = StopHandle::new();
        watch_signals(stop.clone(), log)?;
        let node = Node::start_with(config, stop).await.map_err(core_error)?;
        tracing::info!("Done loading");
        if until == Some(Until::Ready) {
            daemon::tell_ready();
        }
        Ok(node.run().await?)
    });
    match result {
        // It was asked to stop before it was ready: that is no failure.
        Err(error) if matches!(error.downcast_ref(), Some(NodeError::Interrupted { .. })) => Ok(()),
        result => result,
    }
}

/// SIGINT and SIGTERM stop the node; SIGHUP means that the log file was moved away.
fn watch_signals(stop: StopHandle, log: DebugLog) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("can't watch for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("can't watch for SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).context("can't watch for SIGHUP")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = hangup.recv() => {
                    if let Err(error) = log.reopen() {
                        tracing::warn!(%error, "the log file can't be opened anew");
                    }
                }
            }
        }
        stop.stop();
    });
    Ok(())
}

/// A failed start in Bitcoin Core's words, where it has some.
fn core_error(error: NodeError) -> anyhow::Error {
    tracing::error!("{error}");
    let text = error.to_string();
    match error {
        NodeError::Rpc(_) => {
            anyhow!("Unable to start HTTP server. See debug log for details. ({text})")
        }
        NodeError::Network(_) if text.contains("cannot listen for peers") => {
            anyhow!("Failed to listen on any port. Use -listen=0 if you want this. ({text})")
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_bitcoind_by_name_or_by_argument() {
        let asked = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            is_asked_for(&arguments).map(<[OsString]>::len)
        };
        assert_eq!(asked(&["/usr/bin/bitcoind", "-regtest"]), Some(1));
        assert_eq!(asked(&["pyrite", "bitcoind", "-a", "-b"]), Some(2));
        assert_eq!(asked(&["pyrite", "node", "bitcoind"]), None);
        assert_eq!(asked(&["pyrite"]), None);
        assert_eq!(asked(&[]), None);
    }
}
