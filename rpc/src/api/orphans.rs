//! Transactions that wait for their parents.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};

/// The method on orphans.
#[rpc(server)]
pub(crate) trait Orphans {
    /// The transactions of peers that wait for their parents.
    #[method(name = "getorphantxs", blocking)]
    fn get_orphan_txs(&self, verbosity: Option<Value>) -> CallResult<Value>;
}

/// What `help` says of it.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "getorphantxs",
    family: Family::Hidden,
    summary: "Returns the transactions of peers that wait for their parents.",
    params: &[optional(
        "verbosity",
        Kind::Any,
        "0",
        "0 for ids, 1 for objects, 2 for objects with the transactions' bytes.",
    )],
    result: "(json array) the ids for verbosity 0\n(json array) objects of txid, wtxid, bytes, vsize, \
             weight, from (the numbers of the peers that gave it) and, for verbosity 2, hex",
}];
