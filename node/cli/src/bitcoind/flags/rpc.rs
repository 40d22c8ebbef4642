//! RPC, REST and ZeroMQ.

use super::flag::Fate::{Ignored, Refused, Works};
use super::flag::Group::{Rpc, Zmq};
use super::flag::{Flag, flag};

const NO_ZMQ: &str = "nothing is published over ZeroMQ yet";

// A row for each flag.
#[rustfmt::skip]
pub(super) const FLAGS: &[Flag] = &[
    flag(Rpc, "rest", "", Refused("there is no REST yet")),
    flag(Rpc, "rpcallowip", "=<ip>", Works("With it, -rpcbind holds; clients are not told apart by address yet")),
    flag(Rpc, "rpcauth", "=<userpw>", Refused("there are no salted users yet: use -rpcuser and -rpcpassword, or the cookie")),
    flag(Rpc, "rpcbind", "=<addr>[:port]", Works("Serve JSON-RPC here; only together with -rpcallowip, and the first address alone (default: 127.0.0.1)")).of_one_chain(),
    flag(Rpc, "rpccookiefile", "=<loc>", Works("The file of the cookie, relative to the chain's directory (default: .cookie)")),
    flag(Rpc, "rpccookieperms", "=<readable-by>", Ignored("the cookie is for its owner alone")),
    flag(Rpc, "rpcdoccheck", "", Ignored("tests check the documentation of methods")),
    flag(Rpc, "rpcpassword", "=<pw>", Works("The password of -rpcuser; with it no cookie is made")),
    flag(Rpc, "rpcport", "=<port>", Works("The port of JSON-RPC (default: 8332, regtest: 18443)")).of_one_chain(),
    flag(Rpc, "rpcservertimeout", "=<n>", Ignored("a request may take 30 seconds to arrive")),
    flag(Rpc, "rpcthreads", "=<n>", Ignored("calls run on all processors, a bounded number at a time")),
    flag(Rpc, "rpcuser", "=<user>", Works("The user of -rpcpassword")),
    flag(Rpc, "rpcwhitelist", "=<whitelist>", Refused("methods are not limited by user yet")),
    flag(Rpc, "rpcwhitelistdefault", "", Ignored("methods are not limited by user yet")),
    flag(Rpc, "rpcworkqueue", "=<n>", Ignored("calls run on all processors, a bounded number at a time")),
    flag(Rpc, "server", "", Works("Serve JSON-RPC, which this node always does: -server=0 is refused (default: 1)")),
    flag(Zmq, "zmqpubhashblock", "=<address>", Refused(NO_ZMQ)),
    flag(Zmq, "zmqpubhashblockhwm", "=<n>", Ignored(NO_ZMQ)),
    flag(Zmq, "zmqpubhashtx", "=<address>", Refused(NO_ZMQ)),
    flag(Zmq, "zmqpubhashtxhwm", "=<n>", Ignored(NO_ZMQ)),
    flag(Zmq, "zmqpubrawblock", "=<address>", Refused(NO_ZMQ)),
    flag(Zmq, "zmqpubrawblockhwm", "=<n>", Ignored(NO_ZMQ)),
    flag(Zmq, "zmqpubrawtx", "=<address>", Refused(NO_ZMQ)),
    flag(Zmq, "zmqpubrawtxhwm", "=<n>", Ignored(NO_ZMQ)),
    flag(Zmq, "zmqpubsequence", "=<address>", Refused(NO_ZMQ)),
    flag(Zmq, "zmqpubsequencehwm", "=<n>", Ignored(NO_ZMQ)),
];
