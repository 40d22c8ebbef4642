//! Connections to peers, relay, and the making of blocks.

use super::flag::Fate::{Ignored, Refused, Works};
use super::flag::Group::{Blocks, Connection, Relay};
use super::flag::{Flag, Syntax, flag};

const NO_SEEDS: &str = "there are no seeds: peers are those that are named";
const NO_PROXY: &str = "nodes speak libp2p over TCP, and reach nobody through a proxy";
const NO_OVERLAY: &str = "nodes speak libp2p over TCP, and reach neither Tor, I2P nor CJDNS";
const NO_PERMISSIONS: &str = "all peers have the same permissions";
const ENCRYPTED: &str = "libp2p encrypts every connection";
const BUFFERS: &str = "libp2p bounds its buffers itself";

// A row for each flag.
#[rustfmt::skip]
pub(super) const FLAGS: &[Flag] = &[
    flag(Connection, "addnode", "=<ip>", Works("Connect to this node, host or host:port, and stay connected; may be given several times")).of_one_chain(),
    flag(Connection, "asmap", "=<file>", Ignored("peers are not sorted by network")),
    flag(Connection, "bantime", "=<n>", Ignored("setban takes the time of each ban, and lasts a day where none is given")),
    flag(Connection, "bind", "=<addr>[:<port>][=onion]", Works("Listen for peers here; may be given several times, and =onion is left out (default: 127.0.0.1, where Bitcoin Core listens everywhere)")).of_one_chain(),
    flag(Connection, "cjdnsreachable", "", Ignored(NO_OVERLAY)),
    flag(Connection, "connect", "=<ip>", Works("Connect only to these nodes; -noconnect for none. Then the node does not listen unless -listen or -bind says so")).of_one_chain(),
    flag(Connection, "discover", "", Ignored("the node does not look for its own address")),
    flag(Connection, "dns", "", Ignored("names of peers are always looked up")),
    flag(Connection, "dnsseed", "", Ignored(NO_SEEDS)),
    flag(Connection, "externalip", "=<ip>", Ignored("peers are told the addresses that are listened on")),
    flag(Connection, "fixedseeds", "", Ignored(NO_SEEDS)),
    flag(Connection, "forcednsseed", "", Ignored(NO_SEEDS)),
    flag(Connection, "i2pacceptincoming", "", Ignored(NO_OVERLAY)),
    flag(Connection, "i2psam", "=<ip:port>", Refused(NO_OVERLAY)),
    flag(Connection, "listen", "", Works("Accept connections (default: 1, or 0 with -connect or -maxconnections=0)")),
    flag(Connection, "listenonion", "", Ignored(NO_OVERLAY)),
    flag(Connection, "maxconnections", "=<n>", Works("The most peers (default: 125)")),
    flag(Connection, "maxreceivebuffer", "=<n>", Ignored(BUFFERS)),
    flag(Connection, "maxsendbuffer", "=<n>", Ignored(BUFFERS)),
    flag(Connection, "maxuploadtarget", "=<n>", Ignored("what peers take is bounded by the number of their requests, not by day")),
    flag(Connection, "natpmp", "", Ignored("no router is asked to open a port")),
    flag(Connection, "networkactive", "", Works("Start with the network on; setnetworkactive changes it (default: 1)")),
    flag(Connection, "onion", "=<ip:port|path>", Refused(NO_PROXY)),
    flag(Connection, "onlynet", "=<net>", Ignored("only the nodes that are named are dialed, over IPv4 and IPv6")),
    flag(Connection, "peerblockfilters", "", Ignored("filters are served over RPC")),
    flag(Connection, "peerbloomfilters", "", Ignored("peers filter for themselves")),
    flag(Connection, "peertimeout", "=<n>", Ignored("peers are pinged every ten seconds")),
    flag(Connection, "port", "=<port>", Works("The port to listen on for peers (default: 8333, regtest: 18444)")).of_one_chain(),
    flag(Connection, "proxy", "=<ip>[:<port>]|unix:<path>[=<network>]", Refused(NO_PROXY)).syntax(Syntax::NoElision),
    flag(Connection, "proxyrandomize", "", Ignored(NO_PROXY)),
    flag(Connection, "seednode", "=<ip>", Works("As -addnode: peers tell each other of peers")),
    flag(Connection, "timeout", "=<n>", Ignored("a connection is given up after ten seconds")),
    flag(Connection, "torcontrol", "=<ip>:<port>", Ignored(NO_OVERLAY)),
    flag(Connection, "torpassword", "=<pass>", Ignored(NO_OVERLAY)),
    flag(Connection, "txreconciliation", "", Ignored("gossip has its own ways against repetition")),
    flag(Connection, "v2transport", "", Ignored(ENCRYPTED)),
    flag(Connection, "whitebind", "=<[permissions@]addr>", Ignored(NO_PERMISSIONS)),
    flag(Connection, "whitelist", "=<[permissions@]IP address or network>", Ignored(NO_PERMISSIONS)),
    flag(Relay, "acceptnonstdtxn", "", Works("Take transactions that are valid but not standard; not on main (default: 0)")),
    flag(Relay, "bytespersigop", "", Works("Virtual bytes that a signature operation counts for (default: 20)")),
    flag(Relay, "datacarrier", "", Works("Take outputs that carry data (default: 1)")),
    flag(Relay, "datacarriersize", "", Works("Bytes of all data-carrying outputs of a transaction together (default: 100000)")),
    flag(Relay, "dustrelayfee", "=<amt>", Works("An output is dust if spending it at this rate, in BTC/kvB, costs more than it is worth (default: 0.00003)")),
    flag(Relay, "incrementalrelayfee", "=<amt>", Works("What a replacement pays for its own size, in BTC/kvB (default: 0.000001)")),
    flag(Relay, "minrelaytxfee", "=<amt>", Works("Take what pays at least this, in BTC/kvB (default: 0.000001)")),
    flag(Relay, "permitbaremultisig", "", Works("Take outputs that list public keys themselves (default: 1)")),
    flag(Relay, "privatebroadcast", "", Refused(NO_OVERLAY)),
    flag(Relay, "whitelistforcerelay", "", Ignored(NO_PERMISSIONS)),
    flag(Relay, "whitelistrelay", "", Ignored(NO_PERMISSIONS)),
    flag(Blocks, "blockmaxweight", "=<n>", Works("The most that a block of ours weighs (default: 4000000)")),
    flag(Blocks, "blockmintxfee", "=<amt>", Works("Blocks of ours leave out what pays less, in BTC/kvB (default: 0.00000001)")),
    flag(Blocks, "blockreservedweight", "=<n>", Works("What of a block is kept free for header and coinbase (default: 8000)")),
    flag(Blocks, "blockversion", "=<n>", Refused("blocks have the version that the chain's rules ask for")),
];
