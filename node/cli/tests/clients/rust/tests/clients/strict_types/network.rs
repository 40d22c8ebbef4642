//! Replies about peers and about the node itself.

use corepc_types::v31;

use super::report::{Report, check};

pub(super) fn check_network(report: &mut Report) {
    check!(report, "getnetworkinfo", [], v31::GetNetworkInfo, model);
    let peers = check!(report, "getpeerinfo", [], v31::GetPeerInfo);
    if let Some(peers) = peers {
        assert_eq!(peers.0.len(), 1);
    }
    check!(report, "getconnectioncount", [], v31::GetConnectionCount);
    check!(report, "getnettotals", [], v31::GetNetTotals);
    check!(report, "getaddednodeinfo", [], v31::GetAddedNodeInfo);
    check!(report, "getaddrmaninfo", [], v31::GetAddrManInfo);
    check!(report, "getrawaddrman", [], v31::GetRawAddrMan);
    check!(report, "getnodeaddresses", [0], v31::GetNodeAddresses);
    check!(report, "setban", ["10.9.8.0/24", "add"], ());
    check!(report, "listbanned", [], v31::ListBanned);
    check!(report, "clearbanned", [], ());
    check!(report, "ping", [], ());
    check!(report, "setnetworkactive", [true], v31::SetNetworkActive);
}

pub(super) fn check_control(report: &mut Report) {
    check!(report, "getmemoryinfo", [], v31::GetMemoryInfoStats);
    check!(report, "getrpcinfo", [], v31::GetRpcInfo);
    check!(report, "logging", [], v31::Logging);
    check!(report, "uptime", [], u32);
    check!(report, "getindexinfo", [], v31::GetIndexInfo);
    check!(report, "getindexinfo", ["txindex"], v31::GetIndexInfo);
    check!(
        report,
        "getzmqnotifications",
        [],
        Vec<v31::GetZmqNotifications>
    );
}
