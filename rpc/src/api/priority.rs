//! What the operator adds to the fees of transactions.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on fee deltas.
#[rpc(server)]
pub(crate) trait Priority {
    /// Changes what a transaction counts as paying.
    #[method(name = "prioritisetransaction", blocking)]
    fn prioritise_transaction(
        &self,
        txid: String,
        dummy: Option<Value>,
        fee_delta: Value,
    ) -> CallResult<bool>;

    /// All such changes.
    #[method(name = "getprioritisedtransactions", blocking)]
    fn get_prioritised_transactions(&self) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getprioritisedtransactions",
        family: Family::Mining,
        summary: "Returns what was added to the fees of transactions with prioritisetransaction.",
        params: &[],
        result: "(json object) by txid: fee_delta in satoshi, in_mempool, modified_fee in satoshi if it is there",
    },
    MethodSpec {
        name: "prioritisetransaction",
        family: Family::Mining,
        summary: "Has this node treat a transaction as if it paid more, or less, than it does.",
        params: &[
            required("txid", Kind::Hex, "The transaction's id."),
            optional("dummy", Kind::Number, "", "0 or null; of an earlier time."),
            required(
                "fee_delta",
                Kind::Number,
                "What to add to its fee, in satoshi: negative to take away. It is added to what was said before.",
            ),
        ],
        result: "(boolean) true",
    },
];
