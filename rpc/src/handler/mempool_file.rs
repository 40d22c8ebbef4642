//! Files of the mempool.

use pyrite_mempool::{ImportOptions, MempoolFileError};
use serde_json::{Value, json};

use super::Handler;
use crate::api::mempool_file::MempoolFilesServer;
use crate::call::{CallError, CallResult};
use crate::error::stopping;
use crate::params;

impl MempoolFilesServer for Handler {
    fn save_mempool(&self) -> CallResult<Value> {
        let file = &self.context.mempool_file;
        file.save().map_err(|error| match error {
            MempoolFileError::NotLoaded => CallError::misc("The mempool was not loaded yet"),
            error => {
                tracing::error!(%error, "the mempool can't be written");
                CallError::misc("Unable to dump mempool to disk")
            }
        })?;
        Ok(json!({ "filename": file.path().display().to_string() }))
    }

    fn import_mempool(&self, filepath: String, options: Option<Value>) -> CallResult<Value> {
        let options = import_options(options.as_ref())?;
        let path = self.context.data_dir.join(filepath);
        let imported = self
            .context
            .mempool_file
            .import(&path, options, &|| self.stop.is_stopping());
        let restored = imported.map_err(|error| match error {
            MempoolFileError::Interrupted => stopping(),
            error => {
                tracing::error!(%error, "a mempool file can't be imported");
                CallError::misc("Unable to import mempool file, see debug log for details.")
            }
        })?;
        for transaction in restored.unbroadcast {
            self.context.network.announce_transaction(transaction);
        }
        Ok(json!({}))
    }
}

/// The options that a caller gave, and Bitcoin Core's defaults: a file of somebody else says nothing of this node's wishes.
fn import_options(options: Option<&Value>) -> CallResult<ImportOptions> {
    let option = |name, default| match options.and_then(|options| options.get(name)) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => params::boolean(value),
    };
    Ok(ImportOptions {
        use_current_time: option("use_current_time", true)?,
        apply_fee_deltas: option("apply_fee_delta_priority", false)?,
        apply_unbroadcast: option("apply_unbroadcast_set", false)?,
    })
}
