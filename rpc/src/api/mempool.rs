//! Unconfirmed transactions.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, optional, required};

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

    /// What a transaction spends of the mempool, over any number of steps.
    #[method(name = "getmempoolancestors", blocking)]
    fn get_mempool_ancestors(&self, txid: String, verbose: Option<bool>) -> CallResult<Value>;

    /// What spends a transaction in the mempool, over any number of steps.
    #[method(name = "getmempooldescendants", blocking)]
    fn get_mempool_descendants(&self, txid: String, verbose: Option<bool>) -> CallResult<Value>;

    /// All transactions that are linked with one.
    #[method(name = "getmempoolcluster", blocking)]
    fn get_mempool_cluster(&self, txid: String) -> CallResult<Value>;

    /// Weight and fees of the best transactions together.
    #[method(name = "getmempoolfeeratediagram", blocking)]
    fn get_mempool_feerate_diagram(&self) -> CallResult<Value>;

    /// One transaction.
    #[method(name = "getmempoolentry", blocking)]
    fn get_mempool_entry(&self, txid: String) -> CallResult<Value>;
}

const FAMILY_PARAMS: &[ParamSpec] = &[
    required("txid", Kind::Hex, "The transaction's id."),
    optional(
        "verbose",
        Kind::Boolean,
        "false",
        "Objects as of getmempoolentry, by id.",
    ),
];

const FAMILY_RESULT: &str = "(json array) the ids\n(json object) an object for each id if verbose";

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getmempoolancestors",
        family: Family::Mempool,
        summary: "Returns the transactions of the mempool that a transaction spends, directly or not.",
        params: FAMILY_PARAMS,
        result: FAMILY_RESULT,
    },
    MethodSpec {
        name: "getmempoolcluster",
        family: Family::Mempool,
        summary: "Returns the transactions of the mempool that are linked with a transaction, in the order in which they are \
                  mined, and in the groups that are mined together.",
        params: &[required("txid", Kind::Hex, "The transaction's id.")],
        result: "(json object) clusterweight, txcount, chunks (objects of chunkfee, chunkweight, txs)",
    },
    MethodSpec {
        name: "getmempooldescendants",
        family: Family::Mempool,
        summary: "Returns the transactions of the mempool that spend a transaction, directly or not.",
        params: FAMILY_PARAMS,
        result: FAMILY_RESULT,
    },
    MethodSpec {
        name: "getmempoolfeeratediagram",
        family: Family::Hidden,
        summary: "Returns what blocks of growing size would earn from the mempool.",
        params: &[],
        result: "(json array) objects of weight and fee, from 0 on: the sums up to each group of transactions that are \
                 mined together",
    },
    MethodSpec {
        name: "getmempoolentry",
        family: Family::Mempool,
        summary: "Returns what the mempool knows of a transaction.",
        params: &[required("txid", Kind::Hex, "The transaction's id.")],
        result: "(json object) vsize, weight, time, height, descendantcount, descendantsize, \
                 ancestorcount, ancestorsize, wtxid, chunkweight, fees (base, modified, ancestor, \
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
