//! Whether the files of a closed database are whole.

use std::path::Path;

use pyrite_consensus::ChainSpec;
use pyrite_storage::{CHAIN_SCHEMA, TableCount, check_database};

use crate::ChainError;

/// Reads all files of the chain's database in the directory `path`, whether their records fit together or
/// not. `progress` is told how far it is with each table.
///
/// # Errors
/// Something is damaged, and the error names the file; or it is another chain's, in use, or can't be read.
pub fn check_files(
    spec: &ChainSpec,
    path: &Path,
    progress: &mut dyn FnMut(TableCount),
) -> Result<Vec<TableCount>, ChainError> {
    let (name, genesis) = (&spec.name, spec.genesis_hash());
    Ok(check_database(
        path,
        &CHAIN_SCHEMA,
        name,
        genesis,
        progress,
    )?)
}
