//! The log of a node in Bitcoin Core's place: one file that grows, is cut down at the start, and is opened anew when it was
//! moved away; and the console.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::NodeError;

/// What is kept of a long file (`RECENT_DEBUG_HISTORY_SIZE`).
const KEPT_BYTES: u64 = 10_000_000;
/// A file that is longer is cut down.
const LONG_BYTES: u64 = KEPT_BYTES / 10 * 11;

/// Where the log goes, and what is in it.
#[derive(Clone, Debug)]
pub struct DebugLogConfig {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// Whether a long file is cut down first.
    pub long_file: LongFile,
    /// Whether it goes to standard output, too.
    pub console: Console,
    /// What is logged, in the syntax of `tracing`'s `EnvFilter`.
    pub filter: String,
}

/// What becomes of a long log file at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongFile {
    /// Its end stays.
    Cut,
    /// All of it stays.
    Keep,
}

/// Whether the log goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// The log file in use.
#[derive(Clone, Debug)]
pub struct DebugLog {
    open: Option<(PathBuf, SharedFile)>,
}

/// A file that everybody writes to, and that may be replaced by another.
#[derive(Clone, Debug)]
struct SharedFile(Arc<Mutex<File>>);

impl SharedFile {
    fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl DebugLog {
    /// Opens the file anew at its path: it was moved away.
    ///
    /// # Errors
    /// What the system said; then the log goes on in the old file.
    pub fn reopen(&self) -> io::Result<()> {
        if let Some((path, file)) = &self.open {
            let new = open(path)?;
            *file.file() = new;
        }
        Ok(())
    }
}

/// Starts logging. `PYRITE_LOG` overrules the filter.
///
/// # Errors
/// The file can't be opened, or the filter is not one.
pub fn init_debug_log(config: &DebugLogConfig) -> Result<DebugLog, NodeError> {
    let (text, setting) = match std::env::var("PYRITE_LOG") {
        Ok(text) => (text, "PYRITE_LOG"),
        Err(_) => (config.filter.clone(), "debug"),
    };
    let filter = EnvFilter::try_new(&text).map_err(|error| NodeError::Setting {
        setting,
        detail: format!("{text}: {error}"),
    })?;
    let open = match &config.file {
        Some(path) => {
            let file = open_for_the_start(path, config.long_file);
            let file = file.map_err(|source| NodeError::DataDir {
                path: path.clone(),
                source,
            })?;
            Some((path.clone(), SharedFile::new(file)))
        }
        None => None,
    };
    let in_file = open.as_ref().map(|(_, file)| {
        tracing_subscriber::fmt::layer()
            .with_writer({
                let file = file.clone();
                move || file.clone()
            })
            .with_ansi(false)
    });
    let on_console = (config.console == Console::On).then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(io::stdout)
            .with_ansi(io::IsTerminal::is_terminal(&io::stdout()))
    });
    // A second call, in a process that hosts several nodes, keeps the first subscriber.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(in_file)
        .with(on_console)
        .try_init();
    Ok(DebugLog { open })
}

fn open_for_the_start(path: &Path, long_file: LongFile) -> io::Result<File> {
    if long_file == LongFile::Cut {
        cut_down(path)?;
    }
    open(path)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Leaves the end of a long file, from the beginning of a line.
fn cut_down(path: &Path) -> io::Result<()> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() <= LONG_BYTES {
        return Ok(());
    }
    file.seek(SeekFrom::Start(metadata.len() - KEPT_BYTES))?;
    let mut end = Vec::new();
    file.take(KEPT_BYTES).read_to_end(&mut end)?;
    let line = end.iter().position(|byte| *byte == b'\n');
    let kept = end.get(line.map_or(0, |newline| newline + 1)..);
    // The same file, so that whoever reads along goes on.
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(kept.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_cut_at_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("debug.log");
        cut_down(&path).unwrap();
        std::fs::write(&path, "short\n").unwrap();
        cut_down(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"short\n");
        let line = [b"x".repeat(99), b"\n".to_vec()].concat();
        std::fs::write(&path, line.repeat(120_000)).unwrap();
        cut_down(&path).unwrap();
        let left = std::fs::read(&path).unwrap();
        assert!(
            left.len() <= 10_000_000 && left.len() > 9_999_800,
            "{}",
            left.len()
        );
        assert!(left.starts_with(b"x") && left.len().is_multiple_of(100));
    }

    #[test]
    fn a_file_that_was_moved_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("debug.log");
        let file = SharedFile::new(open(&path).unwrap());
        let log = DebugLog {
            open: Some((path.clone(), file.clone())),
        };
        std::fs::rename(&path, directory.path().join("old")).unwrap();
        log.reopen().unwrap();
        file.file().write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
