//! The data directory: where it is, that it is not Bitcoin Core's own, and that nobody else uses it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use pyrite_node::DataDir;

use super::chain::BitcoinChain;
use super::settings::Settings;

/// The file that is locked while a directory is in use.
const LOCK_FILE: &str = ".lock";

/// The directory that the settings name, or `~/.bitcoin`.
///
/// # Errors
/// The present directory is not known.
pub(crate) fn base_directory(settings: &Settings) -> Result<PathBuf> {
    let named = settings.text("datadir").filter(|path| !path.is_empty());
    if let Some(path) = named {
        return Ok(std::path::absolute(path)?);
    }
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    Ok(home.unwrap_or_else(|| PathBuf::from("/")).join(".bitcoin"))
}

/// Says so if a directory that was named is not there.
///
/// # Errors
/// Bitcoin Core's.
pub(crate) fn check_named_directory(settings: &Settings) -> Result<()> {
    let named = settings.text("datadir").unwrap_or_default();
    if !named.is_empty() && !Path::new(&named).is_dir() {
        bail!("Specified data directory \"{named}\" does not exist.");
    }
    Ok(())
}

/// The chain's files, whose directory is not one that Bitcoin Core keeps its blocks and coins in. Nothing is created.
///
/// # Errors
/// It is one.
pub(crate) fn chain_directory(settings: &Settings, chain: BitcoinChain) -> Result<DataDir> {
    let data_dir = DataDir::bitcoin_core(base_directory(settings)?, chain.spec());
    if let Some(file) = bitcoin_cores_file(data_dir.chain()) {
        bail!(
            "{} is a data directory of Bitcoin Core ({} is there), which Pyrite neither reads nor changes. Name another \
             one with -datadir.",
            data_dir.chain().display(),
            file.display()
        );
    }
    Ok(data_dir)
}

/// A file that only Bitcoin Core makes, in a chain's directory.
fn bitcoin_cores_file(directory: &Path) -> Option<PathBuf> {
    let named = [
        "chainstate/CURRENT",
        "blocks/index/CURRENT",
        "blocks/xor.dat",
        "peers.dat",
    ];
    let named = named.into_iter().map(|name| directory.join(name));
    let entries = fs::read_dir(directory.join("blocks"));
    let in_blocks = entries.into_iter().flatten().filter_map(Result::ok);
    let block_files = in_blocks.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("blk") && name.ends_with(".dat"))
    });
    named.filter(|path| path.exists()).chain(block_files).next()
}

/// What a directory in use keeps locked, until the process ends: the node itself has the chain's directory.
#[derive(Debug)]
pub(crate) struct Locks {
    _files: Vec<File>,
}

/// Takes the chain's directory, as Bitcoin Core does: it and its `blocks/`. The first one it lets go again, for the node takes
/// that.
///
/// # Errors
/// Bitcoin Core's: another process has it, or it can't be written.
pub(crate) fn lock(data_dir: &DataDir) -> Result<Locks> {
    let blocks = data_dir.chain().join("blocks");
    let directories = [data_dir.chain().to_owned(), blocks];
    let files = directories.iter().map(|directory| {
        let file = File::options()
            .append(true)
            .create(true)
            .open(directory.join(LOCK_FILE));
        let Ok(file) = file else {
            bail!(
                "Cannot write to directory '{}'; check permissions.",
                directory.display()
            );
        };
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "Cannot obtain a lock on directory {}. Pyrite is probably already running.",
                data_dir.chain().display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).context(format!("Cannot lock directory {}", directory.display()))
            }
        }
    });
    let mut files = files.collect::<Result<Vec<_>>>()?;
    files.remove(0);
    Ok(Locks { _files: files })
}

/// The file of the process id. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes it where the settings say, relative to the chain's directory; `None` with `-nopid`.
    ///
    /// # Errors
    /// Bitcoin Core's: it can't be written.
    pub(crate) fn create(settings: &Settings, data_dir: &DataDir) -> Result<Option<Self>> {
        if settings.is_negated("pid") {
            return Ok(None);
        }
        let named = settings.text("pid").filter(|name| !name.is_empty());
        let path = data_dir
            .chain()
            .join(named.as_deref().unwrap_or("bitcoind.pid"));
        if let Err(error) = fs::write(&path, format!("{}\n", std::process::id())) {
            bail!(
                "Unable to create the PID file '{}': {error}",
                path.display()
            );
        }
        Ok(Some(Self { path }))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "unable to remove the PID file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(directory: &Path) -> Settings {
        let argument = format!("-datadir={}", directory.display());
        Settings::parse(&[argument]).unwrap()
    }

    #[test]
    fn bitcoin_cores_own_directory_is_left_alone() {
        for file in [
            "chainstate/CURRENT",
            "blocks/blk00000.dat",
            "blocks/index/CURRENT",
            "blocks/xor.dat",
        ] {
            let directory = tempfile::tempdir().unwrap();
            let settings = settings(directory.path());
            chain_directory(&settings, BitcoinChain::Main).unwrap();
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            let error = chain_directory(&settings, BitcoinChain::Main).unwrap_err();
            assert!(error.to_string().contains(file), "{error}");
            // Another chain's files are elsewhere.
            chain_directory(&settings, BitcoinChain::Regtest).unwrap();
        }
    }

    #[test]
    fn a_directory_is_locked_once() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::bitcoin_core(directory.path().to_owned(), "regtest");
        data_dir.create().unwrap();
        let locks = lock(&data_dir).unwrap();
        let error = lock(&data_dir).unwrap_err().to_string();
        let expected = format!(
            "Cannot obtain a lock on directory {}. Pyrite is probably already running.",
            directory.path().join("regtest").display()
        );
        assert_eq!(error, expected);
        drop(locks);
        lock(&data_dir).unwrap();
    }

    #[test]
    fn the_pid_file_goes_with_the_node() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::bitcoin_core(directory.path().to_owned(), "mainnet");
        let path = directory.path().join("bitcoind.pid");
        let file = PidFile::create(&settings(directory.path()), &data_dir).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
    }
}
