//! The node itself.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};

/// The methods on the node itself.
#[rpc(server)]
pub(crate) trait Control {
    /// The methods, or one of them.
    #[method(name = "help")]
    fn help(&self, command: Option<String>) -> CallResult<String>;

    /// The memory that is locked.
    #[method(name = "getmemoryinfo")]
    fn get_memory_info(&self, mode: Option<String>) -> CallResult<Value>;

    /// How long the node runs.
    #[method(name = "uptime")]
    fn uptime(&self) -> CallResult<u64>;

    /// What the server is doing.
    #[method(name = "getrpcinfo")]
    fn get_rpc_info(&self) -> CallResult<Value>;

    /// All methods as an OpenRPC document.
    #[method(name = "rpc.discover")]
    fn discover(&self) -> CallResult<Box<RawValue>>;

    /// Stops the node.
    #[method(name = "stop")]
    async fn stop(&self, wait: Option<i64>) -> CallResult<String>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getmemoryinfo",
        family: Family::Control,
        summary: "Returns how much memory is locked, so that it is never written to a disk: none, for \
                  here no key stays in memory.",
        params: &[optional(
            "mode",
            Kind::Text,
            "stats",
            "\"stats\"; \"mallocinfo\" is not available.",
        )],
        result: "(json object) locked: used, free, total, locked, chunks_used, chunks_free",
    },
    MethodSpec {
        name: "getrpcinfo",
        family: Family::Control,
        summary: "Returns details of the RPC server.",
        params: &[],
        result: "{ \"active_commands\": [ { \"method\", \"duration\" (microseconds) }, ... ], \"logpath\" }",
    },
    MethodSpec {
        name: "help",
        family: Family::Control,
        summary: "Lists all methods, or describes one.",
        params: &[optional(
            "command",
            Kind::Text,
            "",
            "The method to describe.",
        )],
        result: "(string) the text",
    },
    MethodSpec {
        name: "rpc.discover",
        family: Family::Control,
        summary: "Returns all methods as an OpenRPC document, which programs can read.",
        params: &[],
        result: "(json object) an OpenRPC document, see https://spec.open-rpc.org",
    },
    MethodSpec {
        name: "stop",
        family: Family::Control,
        summary: "Asks the node to stop.",
        params: &[optional(
            "wait",
            Kind::Number,
            "0",
            "Milliseconds to wait before; at most a minute.",
        )],
        result: "(string) \"Pyrite stopping\"",
    },
    MethodSpec {
        name: "uptime",
        family: Family::Control,
        summary: "Returns how long the node has been running.",
        params: &[],
        result: "(numeric) the seconds",
    },
];
