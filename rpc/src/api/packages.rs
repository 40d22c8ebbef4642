//! Transactions that come together.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on several transactions.
#[rpc(server)]
pub(crate) trait Packages {
    /// Whether the mempool would take transactions.
    #[method(name = "testmempoolaccept", blocking)]
    fn test_mempool_accept(
        &self,
        rawtxs: Vec<Value>,
        maxfeerate: Option<Value>,
    ) -> CallResult<Value>;

    /// Sends a child with its parents to the network.
    #[method(name = "submitpackage", blocking)]
    fn submit_package(
        &self,
        package: Vec<Value>,
        maxfeerate: Option<Value>,
        maxburnamount: Option<Value>,
    ) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "submitpackage",
        family: Family::RawTransactions,
        summary: "Puts a transaction into the mempool together with parents of it, for which it may pay, and sends what was \
                  taken to the peers.",
        params: &[
            required(
                "package",
                Kind::Array,
                "The transactions' bytes in hexadecimal, at most 25: parents that don't spend each other, and their \
                 child at the end. A transaction alone will do.",
            ),
            optional(
                "maxfeerate",
                Kind::Amount,
                "0.10",
                "The highest fee rate to accept, in coins per 1,000 virtual bytes; 0 accepts any.",
            ),
            optional(
                "maxburnamount",
                Kind::Amount,
                "0.00",
                "The most coins to accept in an output that can't be spent.",
            ),
        ],
        result: "(json object) package_msg (\"success\" if all are in the mempool), tx-results (by wtxid: txid, \
                 other-wtxid, vsize, fees (base, effective-feerate, effective-includes), error), replaced-transactions",
    },
    MethodSpec {
        name: "testmempoolaccept",
        family: Family::RawTransactions,
        summary: "Returns whether the mempool would take each of some transactions, as it is now.",
        params: &[
            required(
                "rawtxs",
                Kind::Array,
                "The transactions' bytes in hexadecimal, at most 25.",
            ),
            optional(
                "maxfeerate",
                Kind::Amount,
                "0.10",
                "The highest fee rate to accept, in coins per 1,000 virtual bytes; 0 accepts any.",
            ),
        ],
        result: "(json array) objects of txid, wtxid, package-error, allowed, vsize, fees (base, effective-feerate, \
                 effective-includes), reject-reason, reject-details; without allowed where another transaction of the \
                 list failed first",
    },
];
