//! What happened to the outputs of descriptors.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The method on what happened to the outputs of descriptors.
#[rpc(server)]
pub(crate) trait Activity {
    /// What some blocks and the mempool did with the outputs of descriptors.
    #[method(name = "getdescriptoractivity", blocking, with_extensions)]
    fn get_descriptor_activity(
        &self,
        blockhashes: Option<Vec<Value>>,
        scanobjects: Option<Vec<Value>>,
        include_mempool: Option<bool>,
    ) -> CallResult<Value>;
}

/// What `help` says of it.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "getdescriptoractivity",
    family: Family::Blockchain,
    summary: "Returns what some blocks, and the mempool, pay to the outputs of descriptors, and spend of \
              them.",
    params: &[
        required(
            "blockhashes",
            Kind::Array,
            "The blocks' hashes; scanblocks tells which are of interest.",
        ),
        required(
            "scanobjects",
            Kind::Array,
            "Descriptors, or objects of desc and range.",
        ),
        optional(
            "include_mempool",
            Kind::Boolean,
            "true",
            "Whether the mempool's transactions count.",
        ),
    ],
    result: "(json object) activity: objects of type \"spend\" (amount, blockhash, height, spend_txid, \
             spend_vin, prevout_txid, prevout_vout, prevout_spk) or \"receive\" (amount, blockhash, \
             height, txid, vout, output_spk)",
}];
