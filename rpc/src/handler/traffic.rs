//! What goes over the network, and where other nodes are.

use std::time::{SystemTime, UNIX_EPOCH};

use pyrite_network::PeerInfo;
use serde_json::{Value, json};

use super::Handler;
use crate::api::traffic::TrafficServer;
use crate::call::{CallError, CallResult};
use crate::params;

/// Serves all blocks (1), with witnesses (8).
const SERVICES: u32 = 9;

/// Bitcoin Core's names of networks.
const NETWORKS: [&str; 5] = ["ipv4", "ipv6", "onion", "i2p", "cjdns"];

/// The system's time in milliseconds, whatever the node's clock says: as in Bitcoin Core, tests do not stop it.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Seconds of Bitcoin Core's cycle for a target of bytes to send.
const UPLOAD_TIMEFRAME_S: u32 = 24 * 60 * 60;

impl TrafficServer for Handler {
    fn get_net_totals(&self) -> CallResult<Value> {
        let totals = self.context.network.totals();
        Ok(json!({
            "totalbytesrecv": totals.bytes_received,
            "totalbytessent": totals.bytes_sent,
            "timemillis": now_ms(),
            "uploadtarget": {
                "timeframe": UPLOAD_TIMEFRAME_S,
                "target": 0,
                "target_reached": false,
                "serve_historical_blocks": true,
                "bytes_left_in_cycle": 0,
                "time_left_in_cycle": 0,
            },
        }))
    }

    fn get_node_addresses(&self, count: Option<i64>, network: Option<String>) -> CallResult<Value> {
        let count = params::int(count.unwrap_or(1))?;
        let count = usize::try_from(count)
            .map_err(|_| CallError::invalid_parameter("Address count out of range"))?;
        if let Some(name) = &network
            && !NETWORKS.contains(&name.to_ascii_lowercase().as_str())
        {
            return Err(CallError::invalid_parameter(format!(
                "Network not recognized: {name}"
            )));
        }
        let network = network.map(|name| name.to_ascii_lowercase());
        let most = if count == 0 { usize::MAX } else { count };
        let peers = self.context.network.peers();
        let addresses = peers.iter().filter_map(address_json).filter(|address| {
            network
                .as_ref()
                .is_none_or(|network| address["network"] == network.as_str())
        });
        Ok(addresses.take(most).collect())
    }

    fn ping(&self) -> CallResult<Value> {
        Ok(Value::Null)
    }
}

/// Where a peer can be reached: one that connected from somewhere tells nothing of that.
fn address_json(peer: &PeerInfo) -> Option<Value> {
    if peer.inbound {
        return None;
    }
    let (host, port) = peer.address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let is_ip6 = host.starts_with('[');
    Some(json!({
        "time": peer.connected_at,
        "services": SERVICES,
        "address": host.trim_matches(['[', ']']),
        "port": port,
        "network": if is_ip6 { "ipv6" } else { "ipv4" },
    }))
}
