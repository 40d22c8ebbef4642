//! What spends outputs.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The method on transactions that spend outputs.
#[rpc(server)]
pub(crate) trait Spenders {
    /// The transactions that spend outputs.
    #[method(name = "gettxspendingprevout", blocking)]
    fn get_tx_spending_prevout(
        &self,
        outputs: Vec<Value>,
        options: Option<Value>,
    ) -> CallResult<Value>;
}

/// What `help` says of it.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "gettxspendingprevout",
    family: Family::Blockchain,
    summary: "Returns the transactions that spend outputs: those of the mempool, and with \
              --txospenderindex those of blocks.",
    params: &[
        required("outputs", Kind::Array, "Objects of txid and vout."),
        optional(
            "options",
            Kind::Options(&["mempool_only", "return_spending_tx"]),
            "",
            "mempool_only (by default true without the index) looks into the mempool alone; \
             return_spending_tx (by default false) returns the transactions' bytes, too.",
        ),
    ],
    result: "(json array) objects of txid, vout and, where something spends the output: spendingtxid, \
             spendingtx (if that was asked for), blockhash (of a transaction of a block)",
}];
