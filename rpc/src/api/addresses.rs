//! The index of addresses. Bitcoin Core has none: the names are those of the patch that is known for it,
//! with scripts and pages added.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, required};

/// The methods on the index of addresses.
#[rpc(server)]
pub(crate) trait Addresses {
    /// What addresses have.
    #[method(name = "getaddressbalance", blocking)]
    fn get_address_balance(&self, addresses: Value) -> CallResult<Value>;

    /// What addresses received and spent.
    #[method(name = "getaddressdeltas", blocking)]
    fn get_address_deltas(&self, addresses: Value) -> CallResult<Value>;

    /// The transactions of addresses.
    #[method(name = "getaddresstxids", blocking)]
    fn get_address_tx_ids(&self, addresses: Value) -> CallResult<Value>;

    /// The unspent outputs of addresses.
    #[method(name = "getaddressutxos", blocking)]
    fn get_address_utxos(&self, addresses: Value) -> CallResult<Value>;
}

const WHOSE: ParamSpec = required(
    "addresses",
    Kind::ObjectOrText,
    "An address, or an object of addresses (array) and scripts (array of output scripts in hexadecimal), \
     together at most 100.",
);

const HISTORY: ParamSpec = required(
    "addresses",
    Kind::ObjectOrText,
    "An address, or an object of addresses (array) and scripts (array of output scripts in hexadecimal), \
     together at most 100; start and end (heights of blocks, both included); limit (entries of a page, by \
     default 1000, at most 10000), after (where the page before ended) and chainInfo (boolean).",
);

const UNSPENT: ParamSpec = required(
    "addresses",
    Kind::ObjectOrText,
    "An address, or an object of addresses (array) and scripts (array of output scripts in hexadecimal), \
     together at most 100; limit (entries of a page, by default 1000, at most 10000), after (where the page \
     before ended) and chainInfo (boolean).",
);

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getaddressbalance",
        family: Family::Addressindex,
        summary: "Returns what addresses have in blocks of the best chain, in satoshi. Needs \
                  --addressindex. Not a method of Bitcoin Core.",
        params: &[WHOSE],
        result: "(json object) balance, received (spent since or not), hash and height of the last block \
                 that counts",
    },
    MethodSpec {
        name: "getaddressdeltas",
        family: Family::Addressindex,
        summary: "Returns what addresses received and spent in blocks of the best chain, in its order. \
                  Needs --addressindex. Not a method of Bitcoin Core.",
        params: &[HISTORY],
        result: "(json array) objects of satoshis (negative for what was spent), txid, index (of the output \
                 or input), blockindex (the transaction's place in its block), height, address (if the \
                 script has one), script; an error if there are more than 10000\n\
                 (json object) with limit, after or chainInfo: deltas, hash and height of the last block \
                 that counts, next (pass it as after; null at the end)",
    },
    MethodSpec {
        name: "getaddresstxids",
        family: Family::Addressindex,
        summary: "Returns the ids of the transactions by which addresses received or spent, in the order of \
                  the best chain, each once. Needs --addressindex. Not a method of Bitcoin Core.",
        params: &[HISTORY],
        result: "(json array) the ids; an error if there are more than 10000\n\
                 (json object) with limit, after or chainInfo: txids, hash and height of the last block \
                 that counts, next (pass it as after; null at the end)",
    },
    MethodSpec {
        name: "getaddressutxos",
        family: Family::Addressindex,
        summary: "Returns the unspent outputs of addresses in blocks of the best chain, oldest first. Needs \
                  --addressindex. Not a method of Bitcoin Core.",
        params: &[UNSPENT],
        result: "(json array) objects of address (if the script has one), txid, outputIndex, script, \
                 satoshis, height, coinbase; an error if there are more than 10000\n\
                 (json object) with limit, after or chainInfo: utxos, hash and height of the last block \
                 that counts, next (pass it as after; null at the end)",
    },
];
