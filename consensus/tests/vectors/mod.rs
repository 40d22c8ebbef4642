//! Reads published test data, which is not part of this repository.

use std::path::PathBuf;

/// The folder with the data: `PYRITE_VECTORS`, or `shared/vectors` beside the workspace.
fn folder() -> PathBuf {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors"));
    std::env::var_os("PYRITE_VECTORS").map_or_else(default, PathBuf::from)
}

/// The bytes of a file; `None` when the data is not on this machine.
///
/// # Panics
/// When it is missing in CI.
pub(crate) fn read(name: &str) -> Option<Vec<u8>> {
    let path = folder().join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "{}: {error}",
                path.display()
            );
            println!("skipped: {} can't be read: {error}", path.display());
            None
        }
    }
}

/// A file that holds JSON.
///
/// # Panics
/// When it is missing in CI, or holds something else.
pub(crate) fn read_json(name: &str) -> Option<serde_json::Value> {
    let bytes = read(name)?;
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}")))
}
