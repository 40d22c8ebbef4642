//! The node's wallet.

#![allow(clippy::too_many_arguments)] // Bitcoin Core's parameters.

use jsonrpsee::proc_macros::rpc;
use serde_json::{Map, Value};

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on the node's wallet.
#[rpc(server)]
pub(crate) trait Wallet {
    /// A new address.
    #[method(name = "getnewaddress", blocking)]
    fn get_new_address(
        &self,
        label: Option<String>,
        address_type: Option<String>,
    ) -> CallResult<String>;

    /// The coins that can be relied on.
    #[method(name = "getbalance", blocking)]
    fn get_balance(
        &self,
        dummy: Option<String>,
        minconf: Option<i64>,
        include_watchonly: Option<bool>,
        avoid_reuse: Option<bool>,
    ) -> CallResult<Value>;

    /// The coins, by how certain they are.
    #[method(name = "getbalances", blocking)]
    fn get_balances(&self) -> CallResult<Value>;

    /// The coins one by one.
    #[method(name = "listunspent", blocking)]
    fn list_unspent(
        &self,
        minconf: Option<i64>,
        maxconf: Option<i64>,
        addresses: Option<Vec<Value>>,
        include_unsafe: Option<bool>,
        query_options: Option<Map<String, Value>>,
    ) -> CallResult<Value>;

    /// Pays somebody.
    #[method(name = "sendtoaddress", blocking)]
    fn send_to_address(
        &self,
        address: String,
        amount: Value,
        comment: Option<String>,
        comment_to: Option<String>,
        subtractfeefromamount: Option<bool>,
        replaceable: Option<bool>,
        conf_target: Option<i64>,
        estimate_mode: Option<String>,
        avoid_reuse: Option<bool>,
        fee_rate: Option<Value>,
        verbose: Option<bool>,
    ) -> CallResult<Value>;

    /// A transaction of the wallet.
    #[method(name = "gettransaction", blocking)]
    fn get_transaction(
        &self,
        txid: String,
        include_watchonly: Option<bool>,
        verbose: Option<bool>,
    ) -> CallResult<Value>;

    /// The last transactions.
    #[method(name = "listtransactions", blocking)]
    fn list_transactions(
        &self,
        label: Option<String>,
        count: Option<i64>,
        skip: Option<i64>,
        include_watchonly: Option<bool>,
    ) -> CallResult<Value>;

    /// Facts about the wallet.
    #[method(name = "getwalletinfo", blocking)]
    fn get_wallet_info(&self) -> CallResult<Value>;
}

/// What is said of parameters that change nothing here.
const IGNORED: &str = "Ignored: the wallet has none of the kind.";

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getbalance",
        family: Family::Wallet,
        summary: "Returns the coins that can be relied on.",
        params: &[
            optional("dummy", Kind::Text, "", "Must be left out or \"*\"."),
            optional(
                "minconf",
                Kind::Number,
                "0",
                "Count only coins with so many confirmations.",
            ),
            optional("include_watchonly", Kind::Boolean, "false", IGNORED),
            optional("avoid_reuse", Kind::Boolean, "false", IGNORED),
        ],
        result: "(numeric) the coins",
    },
    MethodSpec {
        name: "getbalances",
        family: Family::Wallet,
        summary: "Returns the coins, by how certain they are.",
        params: &[],
        result: "(json object) mine (trusted, untrusted_pending, immature), lastprocessedblock (hash, \
                 height)",
    },
    MethodSpec {
        name: "getnewaddress",
        family: Family::Wallet,
        summary: "Returns a new address to be paid to.",
        params: &[
            optional("label", Kind::Text, "\"\"", "A label for it."),
            optional(
                "address_type",
                Kind::Text,
                "bech32",
                "\"bech32\" or \"bech32m\".",
            ),
        ],
        result: "(string) the address",
    },
    MethodSpec {
        name: "gettransaction",
        family: Family::Wallet,
        summary: "Returns a transaction of the wallet.",
        params: &[
            required("txid", Kind::Hex, "The transaction's id."),
            optional("include_watchonly", Kind::Boolean, "false", IGNORED),
            optional(
                "verbose",
                Kind::Boolean,
                "false",
                "Shows its content too, as \"decoded\".",
            ),
        ],
        result: "(json object) amount, fee, confirmations, blockhash, blockheight, blockindex, \
                 blocktime, txid, wtxid, walletconflicts, mempoolconflicts, time, timereceived, \
                 bip125-replaceable, comment, to, details, hex, decoded, lastprocessedblock",
    },
    MethodSpec {
        name: "getwalletinfo",
        family: Family::Wallet,
        summary: "Returns facts about the wallet.",
        params: &[],
        result: "(json object) walletname, walletversion, format, txcount, keypoolsize, \
                 keypoolsize_hd_internal, private_keys_enabled, avoid_reuse, scanning, descriptors, \
                 external_signer, blank, birthtime, flags, lastprocessedblock",
    },
    MethodSpec {
        name: "listtransactions",
        family: Family::Wallet,
        summary: "Returns what the last transactions sent and received, the newest last.",
        params: &[
            optional(
                "label|dummy",
                Kind::Text,
                "\"*\"",
                "Only what was received with this label.",
            ),
            optional("count", Kind::Number, "10", "How many entries."),
            optional(
                "skip",
                Kind::Number,
                "0",
                "How many of the newest to leave out.",
            ),
            optional("include_watchonly", Kind::Boolean, "false", IGNORED),
        ],
        result: "(json array) an object for each entry",
    },
    MethodSpec {
        name: "listunspent",
        family: Family::Wallet,
        summary: "Returns the wallet's coins one by one.",
        params: &[
            optional("minconf", Kind::Number, "1", "The fewest confirmations."),
            optional(
                "maxconf",
                Kind::Number,
                "9999999",
                "The most confirmations.",
            ),
            optional(
                "addresses",
                Kind::Array,
                "[]",
                "Only coins of these addresses.",
            ),
            optional(
                "include_unsafe",
                Kind::Boolean,
                "true",
                "Also unconfirmed coins from others.",
            ),
            optional(
                "query_options",
                Kind::Object,
                "{}",
                "minimumAmount, maximumAmount, maximumCount, minimumSumAmount, \
                 include_immature_coinbase.",
            ),
        ],
        result: "(json array) objects of txid, vout, address, label, scriptPubKey, amount, \
                 confirmations, spendable, solvable, desc, parent_descs, safe",
    },
    MethodSpec {
        name: "sendtoaddress",
        family: Family::Wallet,
        summary: "Pays an address.",
        params: &[
            required("address", Kind::Text, "The address."),
            required("amount", Kind::Amount, "The coins."),
            optional(
                "comment",
                Kind::Text,
                "",
                "What the payment is for; kept in the wallet.",
            ),
            optional(
                "comment_to",
                Kind::Text,
                "",
                "Whom it is for; kept in the wallet.",
            ),
            optional(
                "subtractfeefromamount",
                Kind::Boolean,
                "false",
                "Whether the fee is taken off the amount.",
            ),
            optional(
                "replaceable",
                Kind::Boolean,
                "true",
                "Whether a higher fee may replace it.",
            ),
            optional(
                "conf_target",
                Kind::Number,
                "6",
                "Blocks to confirm in, for the estimate of the fee rate.",
            ),
            optional(
                "estimate_mode",
                Kind::Text,
                "unset",
                "\"unset\", \"economical\" or \"conservative\".",
            ),
            optional("avoid_reuse", Kind::Boolean, "true", IGNORED),
            optional(
                "fee_rate",
                Kind::Amount,
                "an estimate, or 1",
                "Satoshi per virtual byte.",
            ),
            optional(
                "verbose",
                Kind::Boolean,
                "false",
                "Whether to say where the fee comes from.",
            ),
        ],
        result: "(string, hex) the transaction's id\n(json object) txid and fee_reason if verbose",
    },
];
