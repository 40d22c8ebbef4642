//! The test: two connected nodes with a history and all indexes, and every method called.

use corepc_client::client_sync::v31::Client;
use pyrite_client_tests::{Node, Peers};

use super::report::Report;
use super::{blockchain, network, rawtransactions, wallet};
use crate::corepc_client::wait_for_peer_and_indexes;
use crate::history::History;

/// Methods without a type: Pyrite's own, and those of Bitcoin Core that the library leaves out.
const WITHOUT_TYPE: &[&str] = &[
    // Their work is to change something, and they are called where that is tested.
    "help",
    "stop",
    "loadtxoutset",
    "importmempool",
    "submitblock",
    "submitheader",
    "preciousblock",
    "invalidateblock",
    "reconsiderblock",
    "addnode",
    "disconnectnode",
    "setban",
    "clearbanned",
    "ping",
    "setnetworkactive",
    "pruneblockchain",
    "generate",
    "getblockfrompeer",
    "setmocktime",
    "mockscheduler",
    "syncwithvalidationinterfacequeue",
    "echo",
    "echojson",
    "echoipc",
    "sendmsgtopeer",
    "addconnection",
    "addpeeraddress",
    "sendrawtransaction",
    "abortprivatebroadcast",
    "getprivatebroadcastinfo",
    // Mining in the node, addresses' histories, and what else Bitcoin Core does not have.
    "startmining",
    "stopmining",
    "getminingstatus",
    "setgenerate",
    "getgenerate",
    "gethashespersec",
    "getaddressbalance",
    "getaddressdeltas",
    "getaddresstxids",
    "getaddressutxos",
    "rpc.discover",
    "subscribe",
    "unsubscribe",
    "getopenrpcinfo",
];

/// The options of a node that has all that replies may be about.
pub(crate) const EVERY_INDEX: &[&str] = &[
    "-txindex=1",
    "-blockfilterindex=1",
    "-coinstatsindex=1",
    "-txospenderindex=1",
];

#[test]
fn every_reply_parses() {
    let peer = Node::start_with_peers(&[], Peers::Listen);
    let address = peer.listen.expect("it listens");
    let node = Node::start_with_peers(EVERY_INDEX, Peers::Connect(address));
    let client = node.client();
    let history = History::make(&client);
    wait_for_peer_and_indexes(&client);
    check_all(&node, &client, &history);
}

fn check_all(node: &Node, client: &Client, history: &History) {
    let mut report = Report::new(client);
    blockchain::check_chain(&mut report, history);
    blockchain::check_coins(&mut report, history, &node.scratch("coins.dat"));
    blockchain::check_mempool(&mut report, history);
    blockchain::check_mining(&mut report, history);
    network::check_network(&mut report);
    network::check_control(&mut report);
    rawtransactions::check_transactions(&mut report, history);
    rawtransactions::check_psbts(&mut report, history);
    rawtransactions::check_util(&mut report, history);
    wallet::check_wallet(&mut report);
    report.finish(WITHOUT_TYPE);
}
