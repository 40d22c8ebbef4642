//! The set of all coins.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods that walk through all coins.
#[rpc(server)]
pub(crate) trait CoinSet {
    /// The figures of all coins.
    #[method(name = "gettxoutsetinfo", blocking, with_extensions)]
    fn get_tx_out_set_info(
        &self,
        hash_type: Option<String>,
        hash_or_height: Option<Value>,
        use_index: Option<bool>,
    ) -> CallResult<Value>;

    /// The coins of descriptors.
    #[method(name = "scantxoutset", blocking, with_extensions)]
    fn scan_tx_out_set(&self, action: String, scanobjects: Option<Vec<Value>>)
    -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "gettxoutsetinfo",
        family: Family::Blockchain,
        summary: "Returns figures of the set of all unspent transaction outputs. Walks through all of them, \
                  which can take a while, unless --coinstatsindex has the figures.",
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
                "The block after which the coins are looked at; needs --coinstatsindex.",
            ),
            optional(
                "use_index",
                Kind::Boolean,
                "true",
                "Whether to use an index, if there is one.",
            ),
        ],
        result: "(json object) height, bestblock, txouts, bogosize, hash_serialized_3 or muhash, total_amount; \
                 transactions and disk_size, or by the index total_unspendable_amount and block_info \
                 (prevout_spent, coinbase, new_outputs_ex_coinbase, unspendable, unspendables)",
    },
    MethodSpec {
        name: "scantxoutset",
        family: Family::Blockchain,
        summary: "Searches all unspent transaction outputs for those of descriptors: addr(), raw(), pk(), \
                  pkh(), wpkh(), sh(), wsh(), tr(), rawtr(), combo(), multi(), sortedmulti(). One search \
                  runs at a time.",
        params: &[
            required(
                "action",
                Kind::Text,
                "\"start\" a search, \"abort\" it, or ask for its \"status\".",
            ),
            optional(
                "scanobjects",
                Kind::Array,
                "",
                "For \"start\": descriptors, or objects of \"desc\" and \"range\" (the end of a \
                 wildcard's indexes or both ends; by default 1000).",
            ),
        ],
        result: "(json object) start: success, txouts, height, bestblock, unspents (objects of txid, vout, \
                 scriptPubKey, desc, amount, coinbase, height, blockhash, confirmations), total_amount\n\
                 (boolean) abort: whether there was a search\n\
                 (json object) status: progress, in percent; null if there is no search",
    },
];
