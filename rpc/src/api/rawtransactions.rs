//! Transactions as bytes.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on transactions as bytes.
#[rpc(server)]
pub(crate) trait RawTransactions {
    /// A transaction of the mempool, or of a block.
    #[method(name = "getrawtransaction", blocking, with_extensions)]
    fn get_raw_transaction(
        &self,
        txid: String,
        verbosity: Option<Value>,
        blockhash: Option<String>,
    ) -> CallResult<Value>;

    /// A transaction's content.
    #[method(name = "decoderawtransaction", blocking, with_extensions)]
    fn decode_raw_transaction(
        &self,
        hexstring: String,
        iswitness: Option<bool>,
    ) -> CallResult<Value>;

    /// Sends a transaction to the network.
    #[method(name = "sendrawtransaction", blocking)]
    fn send_raw_transaction(
        &self,
        hexstring: String,
        maxfeerate: Option<Value>,
        maxburnamount: Option<Value>,
    ) -> CallResult<String>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "decoderawtransaction",
        family: Family::RawTransactions,
        summary: "Returns the content of a transaction given as bytes.",
        params: &[
            required("hexstring", Kind::Hex, "The transaction's bytes."),
            optional(
                "iswitness",
                Kind::Boolean,
                "",
                "Whether they are in the encoding with witnesses; by default both are tried.",
            ),
        ],
        result: "(json object) txid, hash, version, size, vsize, weight, locktime, vin, vout",
    },
    MethodSpec {
        name: "getrawtransaction",
        family: Family::RawTransactions,
        summary: "Returns a transaction of the mempool, of the block that is named, or with --txindex of \
                  any block: its bytes (verbosity 0), an object (1), or an object with fee and spent outputs (2).",
        params: &[
            required("txid", Kind::Hex, "The transaction's id."),
            optional(
                "verbosity|verbose",
                Kind::Any,
                "0",
                "0, 1 or 2; false is 0, true is 1.",
            ),
            optional("blockhash", Kind::Hex, "", "The block to look in."),
        ],
        result: "(string, hex) the transaction for verbosity 0\n(json object) the transaction \
                 otherwise",
    },
    MethodSpec {
        name: "sendrawtransaction",
        family: Family::RawTransactions,
        summary: "Puts a transaction into the mempool and sends it to the peers.",
        params: &[
            required("hexstring", Kind::Hex, "The transaction's bytes."),
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
        result: "(string, hex) the transaction's id",
    },
];
