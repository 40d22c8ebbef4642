//! Peers.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use jsonrpsee::core::async_trait;
use pyrite_network::multiaddr::Protocol;
use pyrite_network::{
    AddMode, AddedPeer, DisconnectTarget, MessageBytes, Multiaddr, PeerInfo, parse_peer_address,
};
use serde_json::{Value, json};

use super::Handler;
use super::bans::{Ban, BanError, Banned};
use crate::api::network::{METHODS, NetworkServer};
use crate::call::{CallError, CallResult, code};
use crate::help;
use crate::json::{Btc, network_name};

/// The version of Bitcoin Core whose methods and fields these are; clients switch on it.
const CORE_VERSION: u32 = 310_000;

/// The version of Bitcoin's own peer-to-peer protocol that has the same features.
const PROTOCOL_VERSION: u32 = 70_016;

/// How long a ban lasts when nothing is said (Bitcoin Core's `-bantime`).
const DEFAULT_BAN_S: u64 = 24 * 60 * 60;

/// The latest time that a ban may end: a timer beyond it makes no sense.
const MAX_TIME: u64 = u32::MAX as u64;

/// Serves all blocks (1), with witnesses (8).
const SERVICES: &str = "0000000000000009";

/// What the bits of [`SERVICES`] are called.
const SERVICE_NAMES: [&str; 2] = ["NETWORK", "WITNESS"];

/// Bitcoin Core's kinds of network, and whether this node reaches them.
const NETWORKS: [(&str, bool); 5] = [
    ("ipv4", true),
    ("ipv6", true),
    ("onion", false),
    ("i2p", false),
    ("cjdns", false),
];

#[async_trait]
impl NetworkServer for Handler {
    fn get_network_info(&self) -> CallResult<Value> {
        let network = &self.context.network;
        let peers = network.peers();
        let inbound = peers.iter().filter(|peer| peer.inbound).count();
        let info = self.context.mempool.info();
        let addresses: Vec<Value> = network
            .listen_addresses()
            .iter()
            .filter_map(local_address_json)
            .collect();
        Ok(json!({
            "version": CORE_VERSION,
            "subversion": self.context.user_agent,
            "protocolversion": PROTOCOL_VERSION,
            "localservices": SERVICES,
            "localservicesnames": SERVICE_NAMES,
            "localrelay": true,
            "timeoffset": 0,
            "networkactive": network.is_active(),
            "connections": peers.len(),
            "connections_in": inbound,
            "connections_out": peers.len() - inbound,
            "networks": NETWORKS.map(network_json),
            "relayfee": Btc::from_sat(info.min_relay_fee.0),
            "incrementalfee": Btc::from_sat(info.incremental_relay_fee.0),
            "localaddresses": addresses,
            "warnings": self.context.warnings(),
        }))
    }

    fn get_peer_info(&self) -> CallResult<Value> {
        let min_fee = Btc::from_sat(self.context.mempool.info().min_relay_fee.0);
        let tells_start = self.context.answers_deprecated("startingheight");
        let peers = self.context.network.peers();
        let forms = peers.iter().map(|peer| {
            let mut form = peer_json(peer, min_fee);
            self.context.hide_own_field(&mut form, "peer_id");
            if tells_start {
                form["startingheight"] = peer.height.map_or(-1, i64::from).into();
            }
            form
        });
        Ok(forms.collect())
    }

    fn get_connection_count(&self) -> CallResult<usize> {
        Ok(self.context.network.connection_count())
    }

    async fn add_node(
        &self,
        node: String,
        command: String,
        _v2transport: Option<bool>,
    ) -> CallResult<Value> {
        let mode = match command.as_str() {
            "add" => AddMode::Add,
            "remove" => AddMode::Remove,
            "onetry" => AddMode::OneTry,
            _ => return Err(CallError::misc(method_help("addnode"))),
        };
        let whole = self.with_port(&node);
        let address = parse_peer_address(&whole)?;
        self.context.network.add_peer(address, mode).await?;
        let mut added_as = self.added_as();
        match mode {
            // There are as many as peers that were added, of which there is a bound.
            AddMode::Add => added_as.insert(whole, node),
            AddMode::Remove => added_as.remove(&whole),
            AddMode::OneTry => None,
        };
        Ok(Value::Null)
    }

    async fn get_added_node_info(&self, node: Option<String>) -> CallResult<Value> {
        let mut added = self.context.network.added_peers().await?;
        if let Some(node) = node {
            let node = self.with_port(&node);
            added.retain(|peer| peer.address == node);
            if added.is_empty() {
                return Err(CallError::new(
                    code::CLIENT_NODE_NOT_ADDED,
                    "Error: Node has not been added.",
                ));
            }
        }
        let added_as = self.added_as();
        let form = |peer: &AddedPeer| {
            let name = added_as.get(&peer.address).unwrap_or(&peer.address);
            added_json(peer, name)
        };
        Ok(added.iter().map(form).collect())
    }

    async fn disconnect_node(
        &self,
        address: Option<String>,
        nodeid: Option<i64>,
    ) -> CallResult<Value> {
        let target = disconnect_target(address, nodeid)?;
        self.context.network.disconnect(target).await?;
        Ok(Value::Null)
    }

    async fn set_ban(
        &self,
        subnet: String,
        command: String,
        bantime: Option<u64>,
        absolute: Option<bool>,
    ) -> CallResult<Value> {
        let banned = Banned::read(&subnet).ok_or_else(|| {
            CallError::new(
                code::CLIENT_INVALID_IP_OR_SUBNET,
                "Error: Invalid IP/Subnet",
            )
        })?;
        let now = self.context.clock.now();
        match command.as_str() {
            "add" => {
                let ban = Ban {
                    created: now,
                    until: ban_end(now, bantime.unwrap_or(0), absolute.unwrap_or(false))?,
                };
                let added = self.bans.add(banned, subnet.parse().ok(), ban, now);
                added.map_err(|error| match error {
                    BanError::Already => CallError::new(
                        code::CLIENT_NODE_ALREADY_ADDED,
                        "Error: IP/Subnet already banned",
                    ),
                    BanError::Full => CallError::misc("Error: too many bans".to_owned()),
                })?;
                self.lift_at_the_end(ban, now);
            }
            "remove" => {
                if !self.bans.remove(&banned, now) {
                    return Err(CallError::new(
                        code::CLIENT_INVALID_IP_OR_SUBNET,
                        "Error: Unban failed. Requested address/subnet was not previously \
                         manually banned.",
                    ));
                }
            }
            _ => return Err(CallError::misc(method_help("setban"))),
        }
        self.enforce_bans().await;
        Ok(Value::Null)
    }

    fn list_banned(&self) -> CallResult<Value> {
        let now = self.context.clock.now();
        let forms = self.bans.list(now).into_iter().map(|(banned, ban)| {
            json!({
                "address": banned.to_string(),
                "ban_created": ban.created,
                "banned_until": ban.until,
                "ban_duration": ban.until - ban.created,
                "time_remaining": ban.until - now,
            })
        });
        Ok(forms.collect())
    }

    async fn clear_banned(&self) -> CallResult<Value> {
        self.bans.clear();
        self.enforce_bans().await;
        Ok(Value::Null)
    }

    async fn set_network_active(&self, state: bool) -> CallResult<bool> {
        self.context.network.set_active(state).await;
        Ok(self.context.network.is_active())
    }
}

impl Handler {
    /// The address with the port of Bitcoin's nodes, where it has none and is none of libp2p's own form.
    fn with_port(&self, node: &str) -> String {
        let port = match self.context.spec.name.as_str() {
            "mainnet" => 8333,
            "regtest" => 18444,
            _ => return node.to_owned(),
        };
        let is_whole = node.is_empty() || node.starts_with('/') || node.contains("]:");
        match node.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, port).to_string(),
            Err(_) if is_whole || node.contains(':') => node.to_owned(),
            Err(_) => format!("{node}:{port}"),
        }
    }

    fn added_as(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.added_as.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the network who is banned now.
    pub(super) async fn enforce_bans(&self) {
        let blocked = self.bans.blocked(self.context.clock.now());
        self.context.network.set_blocked(blocked).await;
    }

    /// Lets a peer connect again when its ban has ended.
    fn lift_at_the_end(&self, ban: Ban, now: u64) {
        let handler = self.clone();
        let stop = self.stop.clone();
        let remaining = Duration::from_secs(ban.until.saturating_sub(now));
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(remaining) => handler.enforce_bans().await,
                () = stop.wait() => {}
            }
        });
    }
}

/// Whom `disconnectnode` means: an address, or a number beside no or an empty address.
fn disconnect_target(address: Option<String>, nodeid: Option<i64>) -> CallResult<DisconnectTarget> {
    let unknown = || {
        CallError::new(
            code::CLIENT_NODE_NOT_CONNECTED,
            "Node not found in connected nodes",
        )
    };
    match (address, nodeid) {
        (Some(address), None) if address.is_empty() => Err(unknown()),
        (Some(address), None) => Ok(DisconnectTarget::Address(address)),
        (address, Some(id)) if address.as_deref().unwrap_or_default().is_empty() => {
            let id = u64::try_from(id).map_err(|_| unknown())?;
            Ok(DisconnectTarget::Id(id))
        }
        _ => Err(CallError::new(
            code::INVALID_PARAMS,
            "Only one of address and nodeid should be provided.",
        )),
    }
}

/// When a ban ends that is made now, as `setban` counts.
fn ban_end(now: u64, bantime: u64, absolute: bool) -> CallResult<u64> {
    let invalid = |message: &'static str| CallError::new(code::INVALID_PARAMETER, message);
    match (bantime, absolute) {
        (0, _) => Ok(now + DEFAULT_BAN_S),
        (until, true) if until <= now => Err(invalid("Error: Absolute timestamp is in the past")),
        (until, true) => Ok(until.min(MAX_TIME)),
        (seconds, false) => Ok(now.saturating_add(seconds).min(MAX_TIME)),
    }
}

/// What a wrong command is answered with.
fn method_help(name: &str) -> String {
    METHODS
        .iter()
        .find(|method| method.name == name)
        .map_or_else(String::new, help::detail)
}

/// A kind of network, and whether the node reaches it.
fn network_json((name, is_reachable): (&str, bool)) -> Value {
    json!({
        "name": name,
        "limited": !is_reachable,
        "reachable": is_reachable,
        "proxy": "",
        "proxy_randomize_credentials": false,
    })
}

/// An address that the node listens on.
fn local_address_json(address: &Multiaddr) -> Option<Value> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(ip) => ip.to_string(),
        Protocol::Ip6(ip) => ip.to_string(),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
        _ => return None,
    };
    let Some(Protocol::Tcp(port)) = parts.next() else {
        return None;
    };
    Some(json!({ "address": host, "port": port, "score": 1 }))
}

/// A peer that was added, as its caller named it, and its connection.
fn added_json(peer: &AddedPeer, name: &str) -> Value {
    let connections = peer.connection.iter().map(|(address, inbound)| {
        let direction = if *inbound { "inbound" } else { "outbound" };
        json!({ "address": address, "connected": direction })
    });
    json!({
        "addednode": name,
        "connected": peer.connection.is_some(),
        "addresses": connections.collect::<Vec<_>>(),
    })
}

/// Bytes by kind of message.
fn messages_json(bytes: &MessageBytes) -> Value {
    let fields = bytes
        .iter()
        .map(|(name, bytes)| (name.to_owned(), bytes.into()));
    Value::Object(fields.collect())
}

/// How a connection came to be, in Bitcoin Core's words.
fn connection_type(peer: &PeerInfo) -> &'static str {
    match (peer.inbound, peer.manual) {
        (true, _) => "inbound",
        (false, true) => "manual",
        (false, false) => "outbound-full-relay",
    }
}

/// A peer's form; what only Bitcoin's own protocol has is filled with what it would say of a peer
/// that does the same.
fn peer_json(peer: &PeerInfo, min_fee: Btc) -> Value {
    let height = |height: Option<u32>| height.map_or(-1, i64::from);
    let mut form = json!({
        "id": peer.id,
        "addr": peer.address,
        "network": network_name(&peer.address),
        "services": SERVICES,
        "servicesnames": SERVICE_NAMES,
        "relaytxes": true,
        "last_inv_sequence": 0,
        "inv_to_send": 0,
        "lastsend": peer.last_send,
        "lastrecv": peer.last_recv,
        "last_transaction": peer.last_transaction_time,
        "last_block": peer.last_block_time,
        "bytessent": peer.bytes_sent,
        "bytesrecv": peer.bytes_received,
        "conntime": peer.connected_at,
        "timeoffset": 0,
    });
    for (name, ping_ms) in [("pingtime", peer.ping_ms), ("minping", peer.min_ping_ms)] {
        if let Some(ping_ms) = ping_ms {
            form[name] = crate::json::float(ping_ms / 1_000.0);
        }
    }
    let rest = json!({
        "version": PROTOCOL_VERSION,
        "subver": peer.user_agent,
        "inbound": peer.inbound,
        "bip152_hb_to": false,
        "bip152_hb_from": false,
        "presynced_headers": -1,
        "synced_headers": height(peer.synced_headers),
        "synced_blocks": height(peer.synced_blocks),
        "inflight": [],
        "addr_relay_enabled": false,
        "addr_processed": 0,
        "addr_rate_limited": 0,
        "permissions": [],
        "minfeefilter": min_fee,
        "bytessent_per_msg": messages_json(&peer.sent_by_message),
        "bytesrecv_per_msg": messages_json(&peer.received_by_message),
        "connection_type": connection_type(peer),
        "transport_protocol_type": "v2",
        "session_id": "",
        "peer_id": peer.peer_id,
    });
    if let (Value::Object(form), Value::Object(rest)) = (&mut form, rest) {
        form.extend(rest);
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> PeerInfo {
        PeerInfo {
            id: 3,
            peer_id: "12D3KooW".to_owned(),
            address: "127.0.0.1:1234".to_owned(),
            inbound: true,
            manual: false,
            connected_at: 100,
            user_agent: "/Pyrite:0.1.0/".to_owned(),
            height: Some(7),
            best_hash: None,
            best_height: Some(9),
            synced_headers: Some(9),
            synced_blocks: None,
            ping_ms: Some(1.5),
            min_ping_ms: None,
            bytes_sent: 10,
            bytes_received: 20,
            sent_by_message: MessageBytes::default(),
            received_by_message: MessageBytes::default(),
            last_send: 110,
            last_recv: 120,
            last_block_time: 0,
            last_transaction_time: 0,
        }
    }

    #[test]
    fn a_peer_has_bitcoins_fields() {
        let form = peer_json(&peer(), Btc::from_sat(100));
        assert_eq!(form["id"], 3);
        assert_eq!(form["addr"], "127.0.0.1:1234");
        assert_eq!(form["network"], "not_publicly_routable");
        assert_eq!(form["pingtime"].to_string(), "0.0015");
        assert!(form.get("minping").is_none());
        assert!(form.get("startingheight").is_none());
        assert_eq!(form["synced_headers"], 9);
        assert_eq!(form["synced_blocks"], -1);
        assert_eq!(form["minfeefilter"].to_string(), "0.00000100");
        assert_eq!(form["connection_type"], "inbound");
    }

    #[test]
    fn a_peer_to_disconnect_is_named_in_one_way() {
        let address = |text: &str| Some(text.to_owned());
        assert!(matches!(
            disconnect_target(address("127.0.0.1:1"), None),
            Ok(DisconnectTarget::Address(_))
        ));
        for empty in [None, address("")] {
            assert!(matches!(
                disconnect_target(empty, Some(3)),
                Ok(DisconnectTarget::Id(3))
            ));
        }
        for (address, id, code) in [
            (address("127.0.0.1:1"), Some(3), -32602),
            (None, None, -32602),
            (address(""), None, -29),
            (None, Some(-1), -29),
        ] {
            assert_eq!(disconnect_target(address, id).err().unwrap().code, code);
        }
    }

    #[test]
    fn a_ban_lasts_a_day_or_as_long_as_is_said() {
        assert_eq!(ban_end(100, 0, false).unwrap(), 100 + DEFAULT_BAN_S);
        assert_eq!(ban_end(100, 50, false).unwrap(), 150);
        assert_eq!(ban_end(100, 150, true).unwrap(), 150);
        assert_eq!(ban_end(100, u64::MAX, false).unwrap(), MAX_TIME);
        assert_eq!(
            ban_end(100, 99, true).unwrap_err().code,
            code::INVALID_PARAMETER
        );
    }

    #[test]
    fn listening_addresses_are_split() {
        let shown = |text: &str| local_address_json(&text.parse().unwrap());
        let expected = json!({ "address": "127.0.0.1", "port": 18444, "score": 1 });
        assert_eq!(shown("/ip4/127.0.0.1/tcp/18444"), Some(expected));
        assert_eq!(shown("/ip6/::1/udp/1"), None);
        assert_eq!(shown("/memory/1"), None);
    }

    #[test]
    fn a_wrong_command_is_answered_with_the_help() {
        assert!(
            method_help("addnode").starts_with("addnode \"node\" \"command\" ( v2transport )\n")
        );
    }
}
