//! Waiting for blocks.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, optional, required};

/// The methods that answer when the tip has moved.
#[rpc(server)]
pub(crate) trait ChainWait {
    /// Waits for a certain block to be the tip.
    #[method(name = "waitforblock")]
    async fn wait_for_block(&self, blockhash: String, timeout: Option<i64>) -> CallResult<Value>;

    /// Waits for the tip to reach a height.
    #[method(name = "waitforblockheight")]
    async fn wait_for_block_height(&self, height: i64, timeout: Option<i64>) -> CallResult<Value>;

    /// Waits for any new tip.
    #[method(name = "waitfornewblock")]
    async fn wait_for_new_block(
        &self,
        timeout: Option<i64>,
        current_tip: Option<String>,
    ) -> CallResult<Value>;
}

/// How long a call waits.
const TIMEOUT: ParamSpec = optional(
    "timeout",
    Kind::Number,
    "0",
    "How long to wait, in milliseconds; 0 means for ever.",
);

/// What all of them return.
const RESULT: &str = "(json object) hash and height of the tip";

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "waitforblock",
        family: Family::Blockchain,
        summary: "Waits for a block to be the tip. Returns the present tip when the time is over or the \
                  node stops.",
        params: &[
            required("blockhash", Kind::Hex, "The block's hash."),
            TIMEOUT,
        ],
        result: RESULT,
    },
    MethodSpec {
        name: "waitforblockheight",
        family: Family::Blockchain,
        summary: "Waits for the tip to be at a height or above it. Returns the present tip when the time \
                  is over or the node stops.",
        params: &[required("height", Kind::Number, "The height."), TIMEOUT],
        result: RESULT,
    },
    MethodSpec {
        name: "waitfornewblock",
        family: Family::Blockchain,
        summary: "Waits for the tip to change. Returns the present tip when the time is over or the node \
                  stops.",
        params: &[
            TIMEOUT,
            optional(
                "current_tip",
                Kind::Hex,
                "the present tip",
                "The tip that the caller knows: if it is another one already, there is no wait.",
            ),
        ],
        result: RESULT,
    },
];
