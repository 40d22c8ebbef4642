//! Places where a test can make a write fail, or look at the files, before the write happens.

use std::sync::Arc;

use crate::StorageError;

/// A write that the database is about to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// A batch, to the log.
    Commit,
    /// The log, to the disk.
    Sync,
    /// What a table gathered in memory, to a file.
    Flush,
}

type Hook = dyn Fn(Write) -> Result<(), StorageError> + Send + Sync;

/// Is told of every write before it happens. Its error is taken for that of the write, which does not
/// happen then.
#[derive(Clone, Default)]
pub struct FaultPoints(Option<Arc<Hook>>);

impl FaultPoints {
    /// Every write happens.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Calls `hook` before each write.
    #[must_use]
    pub fn new(hook: impl Fn(Write) -> Result<(), StorageError> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    pub(crate) fn before(&self, write: Write) -> Result<(), StorageError> {
        self.0.as_ref().map_or(Ok(()), |hook| hook(write))
    }
}

impl std::fmt::Debug for FaultPoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FaultPoints")
            .field(&self.0.is_some())
            .finish()
    }
}
