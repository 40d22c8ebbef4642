//! What tests ask of a node: another time, its ends of work, and their own words back.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, optional, required};

/// The methods for tests.
#[rpc(server)]
pub(crate) trait TestAids {
    /// Sets the node's clock.
    #[method(name = "setmocktime")]
    async fn set_mock_time(&self, timestamp: i64) -> CallResult<Value>;

    /// Does now what is done from time to time.
    #[method(name = "mockscheduler", blocking)]
    fn mock_scheduler(&self, delta_time: i64) -> CallResult<Value>;

    /// Waits until all that follows the chain has caught up.
    #[method(name = "syncwithvalidationinterfacequeue", blocking)]
    fn sync_with_validation_interface_queue(&self) -> CallResult<Value>;
}

/// An argument that comes back.
const fn arg(name: &'static str) -> ParamSpec {
    optional(name, Kind::Described("any"), "", "Comes back.")
}

/// The arguments that come back.
const ARGS: &[ParamSpec] = &[
    arg("arg0"),
    arg("arg1"),
    arg("arg2"),
    arg("arg3"),
    arg("arg4"),
    arg("arg5"),
    arg("arg6"),
    arg("arg7"),
    arg("arg8"),
    arg("arg9"),
];

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "echo",
        family: Family::Hidden,
        summary: "Returns its arguments.",
        params: ARGS,
        result: "(json array) the arguments",
    },
    MethodSpec {
        name: "echojson",
        family: Family::Hidden,
        summary: "Returns its arguments; on the command line each is JSON.",
        params: ARGS,
        result: "(json array) the arguments",
    },
    MethodSpec {
        name: "mockscheduler",
        family: Family::Hidden,
        summary: "Does now what the node does from time to time. On chains for tests alone.",
        params: &[required(
            "delta_time",
            Kind::Number,
            "The seconds to skip, 1 to 3600.",
        )],
        result: "null",
    },
    MethodSpec {
        name: "setmocktime",
        family: Family::Hidden,
        summary: "Sets the node's clock, which then stands still. On chains for tests alone.",
        params: &[required(
            "timestamp",
            Kind::Number,
            "The time, Unix seconds; 0 for the system's clock again.",
        )],
        result: "null",
    },
    MethodSpec {
        name: "syncwithvalidationinterfacequeue",
        family: Family::Hidden,
        summary: "Waits until the mempool, the wallet and the indexes have followed the chain to where \
                  it is now.",
        params: &[],
        result: "null",
    },
];
