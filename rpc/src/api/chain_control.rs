//! What a person may say about blocks, and may want to know of their state on disk.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods that steer the choice of the best chain, and the one that verifies it.
#[rpc(server)]
pub(crate) trait ChainControl {
    /// Holds a block for invalid.
    #[method(name = "invalidateblock", blocking)]
    fn invalidate_block(&self, blockhash: String) -> CallResult<Value>;

    /// Prefers a block to others of the same work.
    #[method(name = "preciousblock", blocking)]
    fn precious_block(&self, blockhash: String) -> CallResult<Value>;

    /// Deletes old blocks.
    #[method(name = "pruneblockchain", blocking)]
    fn prune_blockchain(&self, height: i64) -> CallResult<i64>;

    /// Takes back that blocks are invalid.
    #[method(name = "reconsiderblock", blocking)]
    fn reconsider_block(&self, blockhash: String) -> CallResult<Value>;

    /// Verifies what is stored of the last blocks.
    #[method(name = "verifychain", blocking, with_extensions)]
    fn verify_chain(&self, checklevel: Option<i64>, nblocks: Option<i64>) -> CallResult<bool>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "invalidateblock",
        family: Family::Blockchain,
        summary: "Marks a block as invalid, as if it broke a rule, until reconsiderblock is called: the \
                  best chain does without it and all that follow it.",
        params: &[required("blockhash", Kind::Hex, "The block's hash.")],
        result: "null",
    },
    MethodSpec {
        name: "preciousblock",
        family: Family::Blockchain,
        summary: "Treats a block as if it had been received before others with the same work. A later \
                  call can override the effect of an earlier one.",
        params: &[required("blockhash", Kind::Hex, "The block's hash.")],
        result: "null",
    },
    MethodSpec {
        name: "pruneblockchain",
        family: Family::Blockchain,
        summary: "Deletes the blocks up to a height, and what they spent, to save room. The last 288 blocks \
                  stay, and those that an index still has to read. The node must prune: --prune.",
        params: &[required(
            "height",
            Kind::Number,
            "The height, or a time in Unix seconds: blocks that are two hours older are deleted.",
        )],
        result: "(numeric) the height of the last block that is deleted, -1 if none is",
    },
    MethodSpec {
        name: "reconsiderblock",
        family: Family::Blockchain,
        summary: "Takes the mark of invalidity from a block, its ancestors and its descendants, and \
                  considers them again for the best chain. Undoes invalidateblock.",
        params: &[required("blockhash", Kind::Hex, "The block's hash.")],
        result: "null",
    },
    MethodSpec {
        name: "verifychain",
        family: Family::Blockchain,
        summary: "Verifies what is stored of the best chain's last blocks. Nothing is changed, and the node \
                  goes on meanwhile.",
        params: &[
            optional(
                "checklevel",
                Kind::Number,
                "3",
                "0 reads the blocks, 1 checks them by themselves, 2 reads their undo data, 3 disconnects \
                 them in memory, 4 connects them again by all rules. Each does what those before it do.",
            ),
            optional("nblocks", Kind::Number, "6", "How many blocks; 0 for all."),
        ],
        result: "(boolean) whether all is well; if not, the log says what is wrong",
    },
];
