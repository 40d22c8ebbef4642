//! RPC, REST and ZeroMQ.

use super::flag::Fate::{Ignored, Works};
use super::flag::Group::{Rpc, Zmq};
use super::flag::{Flag, flag};

// A row for each flag.
#[rustfmt::skip]
pub(super) const FLAGS: &[Flag] = &[
    flag(Rpc, "rest", "", Works("Serve the REST interface, without a password (default: 0)")),
    flag(Rpc, "rpcallowip", "=<ip>", Works("Addresses that may use JSON-RPC beside this machine's; with it, -rpcbind holds")),
    flag(Rpc, "rpcauth", "=<userpw>", Works("A user with a salted password, as `pyrite rpcauth` prints it")),
    flag(Rpc, "rpcbind", "=<addr>[:port]", Works("Serve JSON-RPC here; only together with -rpcallowip (default: 127.0.0.1 and ::1)")).of_one_chain(),
    flag(Rpc, "rpccookiefile", "=<loc>", Works("The file of the cookie, relative to the chain's directory (default: .cookie); -norpccookiefile for none")),
    flag(Rpc, "rpccookieperms", "=<readable-by>", Works("Who may read the cookie: owner, group or all (default: owner)")),
    flag(Rpc, "rpcdoccheck", "", Ignored("tests check the documentation of methods")),
    flag(Rpc, "rpcpassword", "=<pw>", Works("The password of -rpcuser; with it no cookie is made")),
    flag(Rpc, "rpcport", "=<port>", Works("The port of JSON-RPC (default: 8332, regtest: 18443)")).of_one_chain(),
    flag(Rpc, "rpcservertimeout", "=<n>", Ignored("a request may take 30 seconds to arrive")),
    flag(Rpc, "rpcthreads", "=<n>", Ignored("calls run on all processors, a bounded number at a time")),
    flag(Rpc, "rpcuser", "=<user>", Works("The user of -rpcpassword")),
    flag(Rpc, "rpcwhitelist", "=<whitelist>", Works("The methods that a user may call")),
    flag(Rpc, "rpcwhitelistdefault", "", Works("Users without a list may call nothing (default: 1 if there is a list)")),
    flag(Rpc, "rpcworkqueue", "=<n>", Ignored("calls run on all processors, a bounded number at a time")),
    flag(Rpc, "server", "", Works("Serve JSON-RPC, which this node always does: -server=0 is refused (default: 1)")),
    flag(Zmq, "zmqpubhashblock", "=<address>", Works("Publish the hash of each new tip at this address")),
    flag(Zmq, "zmqpubhashblockhwm", "=<n>", Works("Messages that wait for a subscriber of hashblock at most (default: 1000)")),
    flag(Zmq, "zmqpubhashtx", "=<address>", Works("Publish the ids of transactions at this address")),
    flag(Zmq, "zmqpubhashtxhwm", "=<n>", Works("Messages that wait for a subscriber of hashtx at most (default: 1000)")),
    flag(Zmq, "zmqpubrawblock", "=<address>", Works("Publish each new tip's block at this address")),
    flag(Zmq, "zmqpubrawblockhwm", "=<n>", Works("Messages that wait for a subscriber of rawblock at most (default: 1000)")),
    flag(Zmq, "zmqpubrawtx", "=<address>", Works("Publish transactions at this address")),
    flag(Zmq, "zmqpubrawtxhwm", "=<n>", Works("Messages that wait for a subscriber of rawtx at most (default: 1000)")),
    flag(Zmq, "zmqpubsequence", "=<address>", Works("Publish what is connected, disconnected, added and removed at this address")),
    flag(Zmq, "zmqpubsequencehwm", "=<n>", Works("Messages that wait for a subscriber of sequence at most (default: 1000)")),
];
