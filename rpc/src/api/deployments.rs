//! The rules that apply at a block.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};

/// The method on soft forks.
#[rpc(server)]
pub(crate) trait Deployments {
    /// The soft forks at a block.
    #[method(name = "getdeploymentinfo", blocking)]
    fn get_deployment_info(&self, blockhash: Option<String>) -> CallResult<Value>;
}

/// What `help` says of it.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "getdeploymentinfo",
    family: Family::Blockchain,
    summary: "Returns the soft forks of the chain, and which of them apply to the block after this one.",
    params: &[optional(
        "blockhash",
        Kind::Hex,
        "the best chain's last block",
        "The block's hash.",
    )],
    result: "(json object) hash, height, script_flags (of the block itself), deployments: for each its \
             type, height and active",
}];
