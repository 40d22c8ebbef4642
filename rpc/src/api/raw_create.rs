//! Transactions and scripts that are not on the network yet.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, optional, required};

/// The methods that make transactions, and show scripts.
#[rpc(server)]
pub(crate) trait RawCreate {
    /// Makes a transaction without signatures.
    #[method(name = "createrawtransaction", blocking)]
    fn create_raw_transaction(
        &self,
        inputs: Vec<Value>,
        outputs: Value,
        locktime: Option<i64>,
        replaceable: Option<bool>,
        version: Option<i64>,
    ) -> CallResult<String>;

    /// What a script is.
    #[method(name = "decodescript", blocking)]
    fn decode_script(&self, hexstring: String) -> CallResult<Value>;
}

/// The inputs of a new transaction.
pub(crate) const INPUTS: ParamSpec = required(
    "inputs",
    Kind::Array,
    "Objects of txid, vout, and sequence, which depends on replaceable and locktime if it is left out.",
);

/// The outputs of a new transaction.
pub(crate) const OUTPUTS: ParamSpec = required(
    "outputs",
    Kind::Described("json array or object"),
    "An address and its coins, or \"data\" and bytes in hexadecimal, one of them in each object.",
);

/// The lock time of a new transaction.
pub(crate) const LOCK_TIME: ParamSpec = optional(
    "locktime",
    Kind::Number,
    "0",
    "The lock time; one that is not 0 also activates the inputs' sequences.",
);

/// Whether a new transaction says that it can be replaced.
pub(crate) const REPLACEABLE: ParamSpec = optional(
    "replaceable",
    Kind::Boolean,
    "true",
    "Whether the sequences tell that a higher fee may replace the transaction.",
);

/// The version of a new transaction.
pub(crate) const VERSION: ParamSpec =
    optional("version", Kind::Number, "2", "The version, 1 to 3.");

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "createrawtransaction",
        family: Family::RawTransactions,
        summary: "Returns a transaction of these inputs and outputs, not signed, nor sent or kept.",
        params: &[INPUTS, OUTPUTS, LOCK_TIME, REPLACEABLE, VERSION],
        result: "(string, hex) the transaction",
    },
    MethodSpec {
        name: "decodescript",
        family: Family::RawTransactions,
        summary: "Returns what a script is, and the addresses that can stand for it.",
        params: &[required("hexstring", Kind::Hex, "The script's bytes.")],
        result: "(json object) asm, desc, address, type, p2sh, and segwit (asm, desc, hex, address, \
                 type, p2sh-segwit)",
    },
];
