//! Figures of blocks and of the chain.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods that add up blocks.
#[rpc(server)]
pub(crate) trait ChainStats {
    /// The figures of a block.
    #[method(name = "getblockstats", blocking)]
    fn get_block_stats(
        &self,
        hash_or_height: Value,
        stats: Option<Vec<Value>>,
    ) -> CallResult<Value>;

    /// Number and rate of transactions.
    #[method(name = "getchaintxstats", blocking)]
    fn get_chain_tx_stats(
        &self,
        nblocks: Option<i64>,
        blockhash: Option<String>,
    ) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getblockstats",
        family: Family::Blockchain,
        summary: "Returns figures of a block: fees, fee rates, sizes, inputs and outputs. Amounts are in \
                  satoshi, fee rates in satoshi for each virtual byte.",
        params: &[
            required(
                "hash_or_height",
                Kind::HashOrHeight,
                "The block's hash, or its height in the best chain.",
            ),
            optional(
                "stats",
                Kind::Array,
                "all of them",
                "The names of the figures to return.",
            ),
        ],
        result: "(json object) avgfee, avgfeerate, avgtxsize, blockhash, feerate_percentiles (at 10, 25, \
                 50, 75 and 90 percent of the weight), height, ins, maxfee, maxfeerate, maxtxsize, \
                 medianfee, mediantime, mediantxsize, minfee, minfeerate, mintxsize, outs, subsidy, \
                 swtotal_size, swtotal_weight, swtxs, time, total_out, total_size, total_weight, \
                 totalfee, txs, utxo_increase, utxo_size_inc, utxo_increase_actual, \
                 utxo_size_inc_actual",
    },
    MethodSpec {
        name: "getchaintxstats",
        family: Family::Blockchain,
        summary: "Returns the number of transactions in the chain, and their number and rate in a window \
                  of blocks.",
        params: &[
            optional(
                "nblocks",
                Kind::Number,
                "one month",
                "How many blocks the window has.",
            ),
            optional(
                "blockhash",
                Kind::Hex,
                "the tip",
                "The block that ends the window.",
            ),
        ],
        result: "(json object) time, txcount, window_final_block_hash, window_final_block_height, \
                 window_block_count, window_interval, window_tx_count, txrate",
    },
];
