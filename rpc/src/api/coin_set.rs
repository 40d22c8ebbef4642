//! The set of all coins.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};

/// The methods that walk through all coins.
#[rpc(server)]
pub(crate) trait CoinSet {
    /// The figures of all coins.
    #[method(name = "gettxoutsetinfo", blocking)]
    fn get_tx_out_set_info(
        &self,
        hash_type: Option<String>,
        hash_or_height: Option<Value>,
        use_index: Option<bool>,
    ) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "gettxoutsetinfo",
    family: Family::Blockchain,
    summary: "Returns figures of the set of all unspent transaction outputs. Walks through all of them, \
                  which can take a while.",
    params: &[
        optional(
            "hash_type",
            Kind::Text,
            "hash_serialized_3",
            "Which hash of the set to compute: hash_serialized_3, muhash or none.",
        ),
        optional(
            "hash_or_height",
            Kind::HashOrHeight,
            "the tip",
            "Another block than the tip needs an index, which there is not.",
        ),
        optional(
            "use_index",
            Kind::Boolean,
            "true",
            "Whether to use an index, if there is one.",
        ),
    ],
    result: "(json object) height, bestblock, txouts, bogosize, hash_serialized_3 or muhash, total_amount, \
                 transactions, disk_size",
}];
