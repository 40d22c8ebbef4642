//! Empties tables in steps, each a batch of bounded size.

use pyrite_storage::schema::Meta;
use pyrite_storage::{Database, Durability, MetaKey, Table};

use crate::IndexError;

/// Records that one batch removes.
const STEP_RECORDS: usize = 10_000;

/// Forgets how far the index had come. From here on it is empty, even if a kill comes before the tables are.
pub(crate) fn forget_cursor(database: &Database) -> Result<(), IndexError> {
    let mut batch = database.batch();
    batch.delete::<Meta>(&MetaKey::Tip);
    Ok(database.commit(batch, Durability::Synced)?)
}

/// Empties a table.
pub(crate) fn clear_table<T: Table>(database: &Database) -> Result<(), IndexError> {
    loop {
        let mut batch = database.batch();
        for record in database.scan::<T>().take(STEP_RECORDS) {
            let (key, _) = record?;
            batch.delete::<T>(&key);
        }
        if batch.is_empty() {
            return Ok(());
        }
        database.commit(batch, Durability::Buffered)?;
    }
}
