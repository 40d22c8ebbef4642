//! Peers.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on peers.
#[rpc(server)]
pub(crate) trait Network {
    /// The state of the network.
    #[method(name = "getnetworkinfo", blocking)]
    fn get_network_info(&self) -> CallResult<Value>;

    /// The connected peers.
    #[method(name = "getpeerinfo", blocking)]
    fn get_peer_info(&self) -> CallResult<Value>;

    /// How many peers are connected.
    #[method(name = "getconnectioncount", blocking)]
    fn get_connection_count(&self) -> CallResult<usize>;

    /// Adds or removes a peer to stay connected to, or tries one once.
    #[method(name = "addnode")]
    async fn add_node(
        &self,
        node: String,
        command: String,
        v2transport: Option<bool>,
    ) -> CallResult<Value>;

    /// The peers that were added to stay connected to.
    #[method(name = "getaddednodeinfo")]
    async fn get_added_node_info(&self, node: Option<String>) -> CallResult<Value>;

    /// Disconnects a peer.
    #[method(name = "disconnectnode")]
    async fn disconnect_node(
        &self,
        address: Option<String>,
        nodeid: Option<i64>,
    ) -> CallResult<Value>;

    /// Bans a peer, or lifts its ban.
    #[method(name = "setban")]
    async fn set_ban(
        &self,
        subnet: String,
        command: String,
        bantime: Option<u64>,
        absolute: Option<bool>,
    ) -> CallResult<Value>;

    /// The bans in force.
    #[method(name = "listbanned", blocking)]
    fn list_banned(&self) -> CallResult<Value>;

    /// Lifts every ban.
    #[method(name = "clearbanned")]
    async fn clear_banned(&self) -> CallResult<Value>;

    /// Turns the network on or off.
    #[method(name = "setnetworkactive")]
    async fn set_network_active(&self, state: bool) -> CallResult<bool>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "addnode",
        family: Family::Network,
        summary: "Adds a peer to stay connected to, removes one, or tries to connect to one once.",
        params: &[
            required(
                "node",
                Kind::Text,
                "The peer's address: host:port or a multiaddr.",
            ),
            required("command", Kind::Text, "\"add\", \"remove\" or \"onetry\"."),
            optional(
                "v2transport",
                Kind::Boolean,
                "",
                "Ignored: all connections are encrypted.",
            ),
        ],
        result: "null",
    },
    MethodSpec {
        name: "clearbanned",
        family: Family::Network,
        summary: "Lifts every ban.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "disconnectnode",
        family: Family::Network,
        summary: "Disconnects a peer, named by its address or by its number (then the address is \
                  empty).",
        params: &[
            optional(
                "address",
                Kind::Text,
                "",
                "The peer's address, as getpeerinfo shows it.",
            ),
            optional(
                "nodeid",
                Kind::Number,
                "",
                "The peer's number, as getpeerinfo shows it.",
            ),
        ],
        result: "null",
    },
    MethodSpec {
        name: "getaddednodeinfo",
        family: Family::Network,
        summary: "Returns the peers that were added to stay connected to, and their connections.",
        params: &[optional(
            "node",
            Kind::Text,
            "",
            "The peer's address; all where none is given.",
        )],
        result: "(json array) an object for each: addednode, connected, addresses (address, connected: \
                 inbound or outbound)",
    },
    MethodSpec {
        name: "getconnectioncount",
        family: Family::Network,
        summary: "Returns how many peers are connected.",
        params: &[],
        result: "(numeric) the number",
    },
    MethodSpec {
        name: "getnetworkinfo",
        family: Family::Network,
        summary: "Returns the state of the network. \"version\" is that of Bitcoin Core whose methods \
                  this node follows; \"subversion\" names the node.",
        params: &[],
        result: "(json object) version, subversion, protocolversion, localservices, \
                 localservicesnames, localrelay, timeoffset, connections, connections_in, \
                 connections_out, networkactive, networks, relayfee, incrementalfee, localaddresses, \
                 warnings",
    },
    MethodSpec {
        name: "getpeerinfo",
        family: Family::Network,
        summary: "Returns what is known of each connected peer.",
        params: &[],
        result: "(json array) an object for each peer",
    },
    MethodSpec {
        name: "listbanned",
        family: Family::Network,
        summary: "Returns the bans in force.",
        params: &[],
        result: "(json array) an object for each: address (the subnet or the peer id), ban_created, banned_until, \
                 ban_duration, time_remaining (seconds)",
    },
    MethodSpec {
        name: "setban",
        family: Family::Network,
        summary: "Bans an address, a subnet or a peer, so that it is disconnected and there are no \
                  connections with it, or lifts its ban. A peer is named by its peer id, which Bitcoin \
                  Core does not have: nodes on one machine share an address.",
        params: &[
            required(
                "subnet",
                Kind::Text,
                "The address, the subnet (1.2.3.0/24 or 1.2.3.0/255.255.255.0), or the peer id as \
                 getpeerinfo shows it.",
            ),
            required("command", Kind::Text, "\"add\" or \"remove\"."),
            optional(
                "bantime",
                Kind::Number,
                "0",
                "For how many seconds, or until which Unix time; 0 is a day.",
            ),
            optional(
                "absolute",
                Kind::Boolean,
                "false",
                "Whether bantime is a Unix time.",
            ),
        ],
        result: "null",
    },
    MethodSpec {
        name: "setnetworkactive",
        family: Family::Network,
        summary: "Turns the network on or off; off disconnects all peers.",
        params: &[required("state", Kind::Boolean, "Whether it shall be on.")],
        result: "(boolean) whether it is on",
    },
];
