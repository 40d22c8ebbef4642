//! What a person may say about blocks.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, required};

/// The methods that steer the choice of the best chain.
#[rpc(server)]
pub(crate) trait ChainControl {
    /// Holds a block for invalid.
    #[method(name = "invalidateblock", blocking)]
    fn invalidate_block(&self, blockhash: String) -> CallResult<Value>;

    /// Prefers a block to others of the same work.
    #[method(name = "preciousblock", blocking)]
    fn precious_block(&self, blockhash: String) -> CallResult<Value>;

    /// Takes back that blocks are invalid.
    #[method(name = "reconsiderblock", blocking)]
    fn reconsider_block(&self, blockhash: String) -> CallResult<Value>;
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
        name: "reconsiderblock",
        family: Family::Blockchain,
        summary: "Takes the mark of invalidity from a block, its ancestors and its descendants, and \
                  considers them again for the best chain. Undoes invalidateblock.",
        params: &[required("blockhash", Kind::Hex, "The block's hash.")],
        result: "null",
    },
];
