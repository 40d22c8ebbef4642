//! What goes over the network, and where other nodes are.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};

/// The methods on the network's traffic.
#[rpc(server)]
pub(crate) trait Traffic {
    /// Bytes sent and received.
    #[method(name = "getnettotals")]
    fn get_net_totals(&self) -> CallResult<Value>;

    /// Where other nodes are.
    #[method(name = "getnodeaddresses")]
    fn get_node_addresses(&self, count: Option<i64>, network: Option<String>) -> CallResult<Value>;

    /// Asks for the peers' round-trip times.
    #[method(name = "ping")]
    fn ping(&self) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getnettotals",
        family: Family::Network,
        summary: "Returns the bytes that were sent and received since the start.",
        params: &[],
        result: "(json object) totalbytesrecv, totalbytessent, timemillis, uploadtarget (there is none: \
                 timeframe, target, target_reached, serve_historical_blocks, bytes_left_in_cycle, \
                 time_left_in_cycle)",
    },
    MethodSpec {
        name: "getnodeaddresses",
        family: Family::Network,
        summary: "Returns addresses of other nodes: those that this one is connected to.",
        params: &[
            optional("count", Kind::Number, "1", "The most addresses; 0 for all."),
            optional(
                "network",
                Kind::Text,
                "all networks",
                "Only addresses of this one: ipv4, ipv6, onion, i2p or cjdns.",
            ),
        ],
        result: "(json array) objects of time, services, address, port, network",
    },
    MethodSpec {
        name: "ping",
        family: Family::Network,
        summary: "Asks for the round-trip times of all peers, which getpeerinfo shows. They are \
                  measured all the time, so nothing more is sent.",
        params: &[],
        result: "null",
    },
];
