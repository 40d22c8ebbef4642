//! Logs: to stderr, and to a file that is rotated daily.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::NodeError;

/// Log files that are kept.
const MAX_LOG_FILES: usize = 7;

/// Where the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// To the file.
    File,
    /// To the file and to stderr.
    FileAndStderr,
}

/// Starts logging to `pyrite.<date>.log` in `directory`, and to stderr if `target` says so. `PYRITE_LOG` says what is logged, in
/// the syntax of `tracing`'s `EnvFilter` (default `info`). Keep the guard: it writes out the rest when dropped.
///
/// # Errors
/// The directory can't be written, or the filter is not one.
pub fn init_logging(directory: &Path, target: LogTarget) -> Result<WorkerGuard, NodeError> {
    let filter = match std::env::var("PYRITE_LOG") {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| NodeError::Setting {
            setting: "PYRITE_LOG",
            detail: format!("{text}: {error}"),
        })?,
        Err(_) => EnvFilter::new("info"),
    };
    std::fs::create_dir_all(directory).map_err(|source| NodeError::DataDir {
        path: directory.to_owned(),
        source,
    })?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("pyrite")
        .filename_suffix("log")
        .max_log_files(MAX_LOG_FILES)
        .build(directory)
        .map_err(|error| NodeError::DataDir {
            path: directory.to_owned(),
            source: std::io::Error::other(error),
        })?;
    let (file, guard) = tracing_appender::non_blocking(file);
    let stderr = (target == LogTarget::FileAndStderr).then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
    });
    let file = tracing_subscriber::fmt::layer()
        .with_writer(file)
        .with_ansi(false);
    // A second call, in a process that hosts several nodes, keeps the first subscriber.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(stderr)
        .with(file)
        .try_init();
    Ok(guard)
}
