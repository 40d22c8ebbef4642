//! The command itself: fields from flags or answers, the genesis block, and the file.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use pyrite_consensus::bitcoin::Target;
use pyrite_consensus::{ChainSpec, SpecError};
use pyrite_node::load_chain_spec;

use super::answers::ask;
use super::build::build;
use super::fields::Fields;

/// How often the progress line changes.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Arguments of `pyrite chain new`.
#[derive(Args)]
pub(crate) struct NewArgs {
    /// Where to write the spec [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The chain that everything is taken from that no flag says: a built-in chain, or the path of a spec
    #[arg(long, value_name = "SPEC", default_value = "pyrite")]
    base: String,
    /// Overwrite the file when it is there
    #[arg(long, requires = "file")]
    force: bool,
    #[command(flatten)]
    fields: Fields,
}

/// Makes a spec and writes it.
pub(in crate::chain) fn new(args: NewArgs) -> Result<()> {
    let base = load_chain_spec(&args.base)?;
    if let Some(path) = args
        .file
        .as_deref()
        .filter(|path| !args.force && path.exists())
    {
        bail!(
            "{}: the file is there; --force overwrites it",
            path.display()
        );
    }
    let fields = if args.fields == Fields::default() {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            bail!("say with flags how the chain is to be, such as --name, or answer on a terminal");
        }
        ask(&base, &mut stdin.lock(), &mut std::io::stderr())?
    } else {
        args.fields
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut spec = build(base, &fields, now)?;
    check_unmined(&spec)?;
    mine(&mut spec);
    spec.validate()?;
    write(&spec, args.file.as_deref())
}

/// Everything that is wrong but for the work, which is still to be done.
fn check_unmined(spec: &ChainSpec) -> Result<()> {
    let mut errors = spec.problems();
    errors.retain(|error| !matches!(error, SpecError::GenesisProofOfWork { .. }));
    for error in &errors {
        eprintln!("{error}");
    }
    match errors.len() {
        0 => Ok(()),
        1 => bail!("the chain can't be made: 1 error"),
        count => bail!("the chain can't be made: {count} errors"),
    }
}

/// Mines the genesis block, with a progress line on a terminal.
fn mine(spec: &mut ChainSpec) {
    let expected = millions(expected_tries(spec));
    let started = Instant::now();
    let mut shown: Option<Instant> = None;
    let on_terminal = std::io::stderr().is_terminal();
    spec.mine_genesis(|tried| {
        let due = shown.map_or(started, |shown| shown).elapsed() >= PROGRESS_EVERY;
        if on_terminal && due {
            shown = Some(Instant::now());
            let tried = millions(tried as f64);
            eprint!(
                "\rmining the genesis block: {tried} million hashes, {expected} million on average"
            );
            // Only a display.
            let _ = std::io::stderr().flush();
        }
    });
    if shown.is_some() {
        eprint!("\r\x1b[K");
    }
}

fn expected_tries(spec: &ChainSpec) -> f64 {
    let work = Target::from_compact(spec.genesis.bits).to_work();
    work.to_be_bytes()
        .iter()
        .fold(0.0, |number, byte| number * 256.0 + f64::from(*byte))
}

fn millions(hashes: f64) -> String {
    format!("{:.1}", hashes / 1e6)
}

fn write(spec: &ChainSpec, path: Option<&Path>) -> Result<()> {
    let text = spec.to_toml();
    let Some(path) = path else {
        print!("{text}");
        return Ok(());
    };
    let place = || path.display().to_string();
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .with_context(place)?;
    file.write_all(text.as_bytes()).with_context(place)?;
    println!(
        "{}: chain {}, genesis {}",
        path.display(),
        spec.name,
        spec.genesis_hash()
    );
    Ok(())
}
