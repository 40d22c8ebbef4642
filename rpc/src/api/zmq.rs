//! Notifications over ZMQ.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, MethodSpec};

/// The methods on notifications over ZMQ.
#[rpc(server)]
pub(crate) trait Zmq {
    /// What is published where.
    #[method(name = "getzmqnotifications")]
    fn get_zmq_notifications(&self) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "getzmqnotifications",
    family: Family::Zmq,
    summary: "Returns what is published over ZMQ.",
    params: &[],
    result: "(json array) for each topic and address: type (such as pubhashblock), address, hwm (how many messages \
             wait for a subscriber before new ones are left out for it)",
}];
