//! Why a mempool file can't be read or written.

use std::io;
use std::path::PathBuf;

/// Why a mempool file can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MempoolFileError {
    /// The system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no mempool file, or damaged.
    #[error("{}: {detail}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        detail: String,
    },
    /// The mempool was not read yet: writing it now would lose what is in the file.
    #[error("the mempool was not loaded yet")]
    NotLoaded,
    /// The node is stopping.
    #[error("interrupted")]
    Interrupted,
}
