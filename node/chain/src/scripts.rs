//! Verifies the scripts of a block on several threads.

use pyrite_consensus::ScriptError;
use pyrite_consensus::script::ScriptCheck;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::ChainError;

/// The threads that verify scripts.
pub(crate) struct ScriptPool {
    /// `None` for one thread: the caller's own does it.
    pool: Option<ThreadPool>,
}

impl ScriptPool {
    pub(crate) fn new(threads: usize) -> Result<Self, ChainError> {
        if threads <= 1 {
            return Ok(Self { pool: None });
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("scripts-{n}"))
            .build()
            .map_err(|error| ChainError::Thread {
                detail: error.to_string(),
            })?;
        Ok(Self { pool: Some(pool) })
    }

    /// Verifies all checks.
    ///
    /// # Errors
    /// That of the first check, in their order, that fails: the verdict does not depend on the
    /// threads' timing.
    pub(crate) fn verify(&self, checks: &[ScriptCheck]) -> Result<(), ScriptError> {
        match &self.pool {
            Some(pool) if checks.len() > 1 => {
                let failure = pool.install(|| {
                    checks
                        .par_iter()
                        .find_map_first(|check| check.verify().err())
                });
                failure.map_or(Ok(()), Err)
            }
            _ => checks.iter().try_for_each(ScriptCheck::verify),
        }
    }
}
