//! Files of all coins.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods that write and load files of all coins.
#[rpc(server)]
pub(crate) trait Snapshot {
    /// Writes all coins to a file.
    #[method(name = "dumptxoutset", blocking)]
    fn dump_tx_out_set(
        &self,
        path: String,
        kind: Option<String>,
        options: Option<Value>,
        rollback: Option<Value>,
    ) -> CallResult<Value>;

    /// Goes on from a file of all coins.
    #[method(name = "loadtxoutset", blocking)]
    fn load_tx_out_set(&self, path: String) -> CallResult<Value>;

    /// The chains that there are: one, or two while the blocks below a file of coins are validated.
    #[method(name = "getchainstates")]
    fn get_chain_states(&self) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "dumptxoutset",
        family: Family::Blockchain,
        summary: "Writes the set of all unspent transaction outputs to a file, which loadtxoutset takes where the \
                  chain's spec lists the block. The node goes on meanwhile.",
        params: &[
            required(
                "path",
                Kind::Text,
                "The file, from the chain's directory if it is relative. It must not be there yet.",
            ),
            optional(
                "type",
                Kind::Text,
                "",
                "\"latest\" for the tip, \"rollback\" for an earlier block: the highest that the chain's spec lists, \
                 unless the next parameter says which.",
            ),
            optional(
                "options",
                Kind::Object,
                "{}",
                "rollback: the height or the hash of the block.",
            ),
            optional(
                "rollback",
                Kind::HashOrHeight,
                "",
                "The same, by its own name.",
            ),
        ],
        result: "(json object) coins_written, base_hash, base_height, path, txoutset_hash, nchaintx",
    },
    MethodSpec {
        name: "loadtxoutset",
        family: Family::Blockchain,
        summary: "Takes the set of unspent transaction outputs from a file that dumptxoutset wrote, if the chain's \
                  spec lists its block, and goes on from that block at once. The blocks up to it are fetched and \
                  validated in the background.",
        params: &[required(
            "path",
            Kind::Text,
            "The file, from the chain's directory if it is relative.",
        )],
        result: "(json object) coins_loaded, tip_hash, base_height, path",
    },
    MethodSpec {
        name: "getchainstates",
        family: Family::Blockchain,
        summary: "Returns the chains that there are: one, or two while the blocks below a file of unspent \
                  transaction outputs are validated, that one first.",
        params: &[],
        result: "(json object) headers, chainstates (objects of blocks, bestblockhash, bits, target, difficulty, \
                 verificationprogress, snapshot_blockhash, coins_db_cache_bytes, coins_tip_cache_bytes, validated)",
    },
];
