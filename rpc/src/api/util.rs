//! Addresses.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, required};

/// The methods on addresses.
#[rpc(server)]
pub(crate) trait Util {
    /// Whether an address is one of this chain.
    #[method(name = "validateaddress")]
    fn validate_address(&self, address: String) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "validateaddress",
    family: Family::Util,
    summary: "Returns whether an address is one of this chain, and what it stands for.",
    params: &[required("address", Kind::Text, "The address.")],
    result: "(json object) isvalid, and address, scriptPubKey, isscript, iswitness, \
             witness_version, witness_program or error_locations, error",
}];
