//! Estimates of fees.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on estimates of fees.
#[rpc(server)]
pub(crate) trait Fees {
    /// What a transaction should pay.
    #[method(name = "estimatesmartfee", blocking)]
    fn estimate_smart_fee(
        &self,
        conf_target: i64,
        estimate_mode: Option<String>,
    ) -> CallResult<Value>;

    /// What each horizon of the estimator says.
    #[method(name = "estimaterawfee", blocking)]
    fn estimate_raw_fee(&self, conf_target: i64, threshold: Option<Value>) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "estimaterawfee",
        family: Family::Util,
        summary: "Returns what each horizon of the fee estimator says, and from which transactions. The \
                  form of the result may change with the estimator.",
        params: &[
            required("conf_target", Kind::Number, TARGET),
            optional(
                "threshold",
                Kind::Number,
                "0.95",
                "The part of the transactions of a range of fee rates that must have been confirmed in \
                 time.",
            ),
        ],
        result: "(json object) short, medium and long, as far as they reach the target: objects of \
                 feerate (coins for 1,000 virtual bytes), decay, scale, pass and fail (startrange, \
                 endrange, withintarget, totalconfirmed, inmempool, leftmempool), errors",
    },
    MethodSpec {
        name: "estimatesmartfee",
        family: Family::Util,
        summary: "Estimates the fee rate at which a transaction is confirmed within a number of blocks, \
                  from what the mempool and the blocks have shown. A node with --fee-fallback that has \
                  seen too little answers what it takes to be among the next blocks' transactions by \
                  what waits in its mempool now.",
        params: &[
            required("conf_target", Kind::Number, TARGET),
            optional(
                "estimate_mode",
                Kind::Text,
                "economical",
                "\"economical\", \"conservative\" (lulls lower the estimate less), or \"unset\" for the \
                 default; in any case of letters.",
            ),
        ],
        result: "(json object) feerate (coins for 1,000 virtual bytes) or errors, and blocks: the target \
                 that the estimate is for",
    },
];

const TARGET: &str = "Within how many blocks, from 1 to 1008.";
