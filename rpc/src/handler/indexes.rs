//! The indexes.

use pyrite_index::{IndexKind, IndexStatus};
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::indexes::IndexesServer;
use crate::call::CallResult;

/// The order in which Bitcoin Core lists them.
const ORDER: [IndexKind; 5] = [
    IndexKind::Transactions,
    IndexKind::CoinStats,
    IndexKind::Spenders,
    IndexKind::Filters,
    IndexKind::Addresses,
];

impl IndexesServer for Handler {
    fn get_index_info(&self, index_name: Option<String>) -> CallResult<Value> {
        let wanted = index_name.unwrap_or_default();
        let mut form = Map::new();
        for kind in ORDER {
            if !wanted.is_empty() && wanted != kind.name() {
                continue;
            }
            if let Some(status) = self.context.indexes.status(kind) {
                form.insert(kind.name().to_owned(), status_json(&status));
            }
        }
        Ok(Value::Object(form))
    }
}

fn status_json(status: &IndexStatus) -> Value {
    json!({
        "synced": status.synced,
        "best_block_height": status.best_height().0,
    })
}
