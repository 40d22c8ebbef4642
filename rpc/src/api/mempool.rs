//! Unconfirmed transactions.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on unconfirmed transactions.
#[rpc(server)]
pub(crate) trait Mempool {
    /// All transactions.
    #[method(name = "getrawmempool", blocking)]
    fn get_raw_mempool(
        &self,
        verbose: Option<bool>,
        mempool_sequence: Option<bool>,
    ) -> CallResult<Value>;

    /// The mempool in figures.
    #[method(name = "getmempoolinfo", blocking)]
    fn get_mempool_info(&self) -> CallResult<Value>;

    /// One transaction.
    #[method(name = "getmempoolentry", blocking)]
    fn get_mempool_entry(&self, txid: String) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getmempoolentry",
        family: Family::Mempool,
        summary: "Returns what the mempool knows of a transaction.",
        params: &[required("txid", Kind::Hex, "The transaction's id.")],
        result: "(json object) vsize, weight, time, height, descendantcount, descendantsize, \
                 ancestorcount, ancestorsize, chunkweight, wtxid, fees (base, modified, ancestor, \
                 descendant, chunk), depends, spentby, bip125-replaceable, unbroadcast",
    },
    MethodSpec {
        name: "getmempoolinfo",
        family: Family::Mempool,
        summary: "Returns the mempool in figures.",
        params: &[],
        result: "(json object) loaded, size, bytes, usage, total_fee, maxmempool, mempoolminfee, \
                 minrelaytxfee, incrementalrelayfee, unbroadcastcount, fullrbf, permitbaremultisig, \
                 maxdatacarriersize, limitclustercount, limitclustersize, optimal",
    },
    MethodSpec {
        name: "getrawmempool",
        family: Family::Mempool,
        summary: "Returns the mempool's transactions.",
        params: &[
            optional(
                "verbose",
                Kind::Boolean,
                "false",
                "Objects as of getmempoolentry, by id.",
            ),
            optional(
                "mempool_sequence",
                Kind::Boolean,
                "false",
                "If not verbose: an object of the ids and the mempool's sequence number.",
            ),
        ],
        result: "(json array) the ids\n(json object) an object for each id if verbose\n(json object) \
                 txids and mempool_sequence if that is asked for",
    },
];
