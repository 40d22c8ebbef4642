//! The indexes.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};

/// The methods on indexes as such.
#[rpc(server)]
pub(crate) trait Indexes {
    /// Where the indexes stand.
    #[method(name = "getindexinfo")]
    fn get_index_info(&self, index_name: Option<String>) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "getindexinfo",
    family: Family::Util,
    summary: "Returns where the indexes stand that are on.",
    params: &[optional(
        "index_name",
        Kind::Text,
        "",
        "Only the index of that name: txindex, coinstatsindex, txospenderindex, \"basic block filter \
         index\" or addressindex.",
    )],
    result: "(json object) for each index, by its name: synced (whether it came to the tip), \
             best_block_height (the last block that it has seen)",
}];
