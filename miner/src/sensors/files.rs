//! Small files of the system.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files of sensors hold a number or a word; `/proc/stat` has a line for each processor, of which the first counts.
const MAX_BYTES: u64 = 4_096;

/// The most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 1_024;

/// The first bytes of a text file.
pub(super) fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The word in a file.
pub(super) fn word(path: &Path) -> Option<String> {
    text(path).map(|text| text.trim().to_owned())
}

/// The number in a file.
pub(super) fn number<T: std::str::FromStr>(path: &Path) -> Option<T> {
    text(path)?.trim().parse().ok()
}

/// What is in a folder, in the order of the names; nothing if it is not there.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let entries = entries.take(MAX_ENTRIES).filter_map(Result::ok);
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

/// The name of a file or folder.
pub(super) fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}
