//! Blocks and coins.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on blocks and coins.
#[rpc(server)]
pub(crate) trait Blockchain {
    /// The state of the chain.
    #[method(name = "getblockchaininfo", blocking)]
    fn get_blockchain_info(&self) -> CallResult<Value>;

    /// The tip's height.
    #[method(name = "getblockcount")]
    fn get_block_count(&self) -> CallResult<u32>;

    /// The tip's hash.
    #[method(name = "getbestblockhash")]
    fn get_best_block_hash(&self) -> CallResult<String>;

    /// A block's hash by its height.
    #[method(name = "getblockhash")]
    fn get_block_hash(&self, height: i64) -> CallResult<String>;

    /// A block.
    #[method(name = "getblock", blocking, with_extensions)]
    fn get_block(&self, blockhash: String, verbosity: Option<Value>) -> CallResult<Value>;

    /// A header.
    #[method(name = "getblockheader", blocking)]
    fn get_block_header(&self, blockhash: String, verbose: Option<bool>) -> CallResult<Value>;

    /// The ends of all branches.
    #[method(name = "getchaintips", blocking)]
    fn get_chain_tips(&self) -> CallResult<Value>;

    /// The tip's difficulty.
    #[method(name = "getdifficulty")]
    fn get_difficulty(&self) -> CallResult<Value>;

    /// An unspent output.
    #[method(name = "gettxout", blocking)]
    fn get_tx_out(&self, txid: String, n: i64, include_mempool: Option<bool>) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getbestblockhash",
        family: Family::Blockchain,
        summary: "Returns the hash of the best chain's last block.",
        params: &[],
        result: "(string, hex) the block's hash",
    },
    MethodSpec {
        name: "getblock",
        family: Family::Blockchain,
        summary: "Returns a block: its bytes (verbosity 0), an object with the ids of its transactions \
                  (1), with the transactions and their fees (2), or with the outputs that they spend \
                  too (3).",
        params: &[
            required("blockhash", Kind::Hex, "The block's hash."),
            optional(
                "verbosity|verbose",
                Kind::Any,
                "1",
                "0, 1, 2 or 3; false is 0, true is 1.",
            ),
        ],
        result: "(string, hex) the block for verbosity 0\n(json object) the block otherwise",
    },
    MethodSpec {
        name: "getblockchaininfo",
        family: Family::Blockchain,
        summary: "Returns the state of the chain. \"chain\" names Bitcoin's network with the same \
                  addresses, which clients know; \"chain_name\" is the chain's own name.",
        params: &[],
        result: "(json object) chain, chain_name, blocks, headers, bestblockhash, bits, target, \
                 difficulty, time, mediantime, verificationprogress, initialblockdownload, chainwork, \
                 size_on_disk, pruned, warnings; on a node that prunes also pruneheight, \
                 automatic_pruning, and prune_target_size in bytes",
    },
    MethodSpec {
        name: "getblockcount",
        family: Family::Blockchain,
        summary: "Returns the height of the best chain's last block; the genesis block's is 0.",
        params: &[],
        result: "(numeric) the height",
    },
    MethodSpec {
        name: "getblockhash",
        family: Family::Blockchain,
        summary: "Returns the hash of the best chain's block at a height.",
        params: &[required("height", Kind::Number, "The height.")],
        result: "(string, hex) the block's hash",
    },
    MethodSpec {
        name: "getblockheader",
        family: Family::Blockchain,
        summary: "Returns a block's header.",
        params: &[
            required("blockhash", Kind::Hex, "The block's hash."),
            optional(
                "verbose",
                Kind::Boolean,
                "true",
                "An object if true, the 80 bytes if false.",
            ),
        ],
        result: "(json object) the header if verbose, otherwise (string, hex) its bytes",
    },
    MethodSpec {
        name: "getchaintips",
        family: Family::Blockchain,
        summary: "Returns the ends of all branches that the node knows, the best chain's among them.",
        params: &[],
        result: "(json array) objects of height, hash, branchlen, and status: active, valid-fork, \
                 valid-headers, headers-only or invalid",
    },
    MethodSpec {
        name: "getdifficulty",
        family: Family::Blockchain,
        summary: "Returns the difficulty of the best chain's last block, as a multiple of that of \
                  Bitcoin's first block.",
        params: &[],
        result: "(numeric) the difficulty",
    },
    MethodSpec {
        name: "gettxout",
        family: Family::Blockchain,
        summary: "Returns an unspent transaction output.",
        params: &[
            required("txid", Kind::Hex, "The transaction's id."),
            required("n", Kind::Number, "The output's number."),
            optional(
                "include_mempool",
                Kind::Boolean,
                "true",
                "Whether unconfirmed transactions count, as creators and as spenders.",
            ),
        ],
        result: "null if there is none, otherwise (json object) bestblock, confirmations, value, \
                 scriptPubKey, coinbase",
    },
];
