//! Signatures of messages and of transactions, by keys that the caller gives.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods that sign, and verify, without a wallet.
#[rpc(server)]
pub(crate) trait Signing {
    /// Signs a message.
    #[method(name = "signmessagewithprivkey", blocking)]
    fn sign_message_with_private_key(&self, privkey: String, message: String)
    -> CallResult<String>;

    /// Whether a message is signed by an address.
    #[method(name = "verifymessage", blocking)]
    fn verify_message(
        &self,
        address: String,
        signature: String,
        message: String,
    ) -> CallResult<bool>;

    /// Signs a transaction's inputs.
    #[method(name = "signrawtransactionwithkey")]
    async fn sign_raw_transaction_with_key(
        &self,
        hexstring: String,
        privkeys: Vec<Value>,
        prevtxs: Option<Vec<Value>>,
        sighashtype: Option<String>,
    ) -> CallResult<Value>;

    /// Unites the signatures of several copies of a transaction.
    #[method(name = "combinerawtransaction")]
    async fn combine_raw_transaction(&self, txs: Vec<Value>) -> CallResult<String>;
}

/// What the type of signatures may be.
pub(crate) const SIGHASH_TYPES: &str = "\"DEFAULT\", \"ALL\", \"NONE\", \"SINGLE\", or one of the \
                                        last three with \"|ANYONECANPAY\".";

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "combinerawtransaction",
        family: Family::RawTransactions,
        summary: "Unites the signatures of several partly signed copies of a transaction.",
        params: &[required("txs", Kind::Array, "The copies, in hexadecimal.")],
        result: "(string, hex) the transaction",
    },
    MethodSpec {
        name: "signmessagewithprivkey",
        family: Family::Util,
        summary: "Signs a message with a private key.",
        params: &[
            required("privkey", Kind::Text, "The key, in wallet import format."),
            required("message", Kind::Text, "The message."),
        ],
        result: "(string) the signature, in base 64",
    },
    MethodSpec {
        name: "signrawtransactionwithkey",
        family: Family::RawTransactions,
        summary: "Signs the inputs of a transaction with the private keys that are given.",
        params: &[
            required("hexstring", Kind::Hex, "The transaction's bytes."),
            required(
                "privkeys",
                Kind::Array,
                "The keys, in wallet import format.",
            ),
            optional(
                "prevtxs",
                Kind::Array,
                "",
                "Spent outputs that are in neither chain nor mempool: objects of txid, vout, \
                 scriptPubKey, redeemScript, witnessScript, amount.",
            ),
            optional(
                "sighashtype",
                Kind::Text,
                "DEFAULT for taproot, ALL otherwise",
                SIGHASH_TYPES,
            ),
        ],
        result: "(json object) hex, complete, and errors if there are any: objects of txid, vout, \
                 witness, scriptSig, sequence, error",
    },
    MethodSpec {
        name: "verifymessage",
        family: Family::Util,
        summary: "Returns whether a message is signed with the key of an address.",
        params: &[
            required("address", Kind::Text, "The address."),
            required("signature", Kind::Text, "The signature, in base 64."),
            required("message", Kind::Text, "The message."),
        ],
        result: "(boolean) whether it is",
    },
];
