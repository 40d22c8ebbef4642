//! Compact filters of blocks.

#![allow(clippy::too_many_arguments)] // Bitcoin Core's parameters.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on compact filters.
#[rpc(server)]
pub(crate) trait BlockFilters {
    /// The filter of a block.
    #[method(name = "getblockfilter", blocking)]
    fn get_block_filter(&self, blockhash: String, filtertype: Option<String>) -> CallResult<Value>;

    /// The blocks of descriptors.
    #[method(name = "scanblocks", blocking, with_extensions)]
    fn scan_blocks(
        &self,
        action: String,
        scanobjects: Option<Vec<Value>>,
        start_height: Option<i64>,
        stop_height: Option<i64>,
        filtertype: Option<String>,
        options: Option<Value>,
    ) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getblockfilter",
        family: Family::Blockchain,
        summary: "Returns the compact filter of a block (BIP-0157). Needs --blockfilterindex.",
        params: &[
            required("blockhash", Kind::Hex, "The block's hash."),
            optional(
                "filtertype",
                Kind::Text,
                "basic",
                "The kind of filter: basic.",
            ),
        ],
        result: "(json object) filter, header",
    },
    MethodSpec {
        name: "scanblocks",
        family: Family::Blockchain,
        summary: "Searches the compact filters for the blocks of descriptors, such as scantxoutset takes. \
                  Needs --blockfilterindex. One search runs at a time.",
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
            optional(
                "start_height",
                Kind::Number,
                "0",
                "The first block's height.",
            ),
            optional(
                "stop_height",
                Kind::Number,
                "the tip",
                "The last block's height.",
            ),
            optional(
                "filtertype",
                Kind::Text,
                "basic",
                "The kind of filter: basic.",
            ),
            optional(
                "options",
                Kind::Options(&["filter_false_positives"]),
                "",
                "filter_false_positives (by default false) reads the blocks, and leaves out those that \
                 the filters matched by chance.",
            ),
        ],
        result: "(json object) start: from_height, to_height, relevant_blocks (hashes), completed\n\
                 (boolean) abort: whether there was a search\n\
                 (json object) status: progress, in percent, and current_height; null if there is no \
                 search",
    },
];
