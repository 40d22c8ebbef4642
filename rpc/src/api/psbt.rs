//! Partially signed transactions (BIP-0174).

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::api::raw_create::{INPUTS, LOCK_TIME, OUTPUTS, REPLACEABLE, VERSION};
use crate::api::signing::SIGHASH_TYPES;
use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, optional, required};

/// The methods on PSBTs.
#[rpc(server)]
pub(crate) trait Psbts {
    /// Makes one.
    #[method(name = "createpsbt", blocking)]
    fn create_psbt(
        &self,
        inputs: Vec<Value>,
        outputs: Value,
        locktime: Option<i64>,
        replaceable: Option<bool>,
        version: Option<i64>,
    ) -> CallResult<String>;

    /// Makes one of a transaction.
    #[method(name = "converttopsbt", blocking)]
    fn convert_to_psbt(
        &self,
        hexstring: String,
        permitsigdata: Option<bool>,
        iswitness: Option<bool>,
    ) -> CallResult<String>;

    /// Shows what is in one.
    #[method(name = "decodepsbt", blocking)]
    fn decode_psbt(&self, psbt: String) -> CallResult<Value>;

    /// Tells what one lacks.
    #[method(name = "analyzepsbt")]
    async fn analyze_psbt(&self, psbt: String) -> CallResult<Value>;

    /// Unites copies of one.
    #[method(name = "combinepsbt", blocking)]
    fn combine_psbt(&self, txs: Vec<Value>) -> CallResult<String>;

    /// Puts the inputs and outputs of several into one.
    #[method(name = "joinpsbts", blocking)]
    fn join_psbts(&self, txs: Vec<Value>) -> CallResult<String>;

    /// Makes of signatures what goes into the transaction.
    #[method(name = "finalizepsbt")]
    async fn finalize_psbt(&self, psbt: String, extract: Option<bool>) -> CallResult<Value>;

    /// Adds what the node and descriptors know.
    #[method(name = "utxoupdatepsbt")]
    async fn utxo_update_psbt(
        &self,
        psbt: String,
        descriptors: Option<Vec<Value>>,
    ) -> CallResult<String>;

    /// Adds what descriptors know, and signs with their keys.
    #[method(name = "descriptorprocesspsbt")]
    async fn descriptor_process_psbt(
        &self,
        psbt: String,
        descriptors: Vec<Value>,
        sighashtype: Option<String>,
        bip32derivs: Option<bool>,
        finalize: Option<bool>,
    ) -> CallResult<Value>;
}

/// A PSBT.
const PSBT: ParamSpec = required("psbt", Kind::Text, "The PSBT, in base 64.");

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "analyzepsbt",
        family: Family::RawTransactions,
        summary: "Returns what a PSBT lacks, and who is to work on it next.",
        params: &[PSBT],
        result: "(json object) inputs (has_utxo, is_final, next, missing), estimated_vsize, \
                 estimated_feerate, fee, next, error",
    },
    MethodSpec {
        name: "combinepsbt",
        family: Family::RawTransactions,
        summary: "Unites what several copies of a PSBT know.",
        params: &[required("txs", Kind::Array, "The PSBTs, in base 64.")],
        result: "(string) the PSBT, in base 64",
    },
    MethodSpec {
        name: "converttopsbt",
        family: Family::RawTransactions,
        summary: "Makes a PSBT of a transaction that is not signed.",
        params: &[
            required("hexstring", Kind::Hex, "The transaction's bytes."),
            optional(
                "permitsigdata",
                Kind::Boolean,
                "false",
                "Whether signatures are thrown away; otherwise there may be none.",
            ),
            optional(
                "iswitness",
                Kind::Boolean,
                "",
                "Whether the bytes are in the encoding with witnesses; by default both are tried.",
            ),
        ],
        result: "(string) the PSBT, in base 64",
    },
    MethodSpec {
        name: "createpsbt",
        family: Family::RawTransactions,
        summary: "Makes a PSBT of these inputs and outputs.",
        params: &[INPUTS, OUTPUTS, LOCK_TIME, REPLACEABLE, VERSION],
        result: "(string) the PSBT, in base 64",
    },
    MethodSpec {
        name: "decodepsbt",
        family: Family::RawTransactions,
        summary: "Returns what is in a PSBT.",
        params: &[PSBT],
        result: "(json object) tx, global_xpubs, psbt_version, proprietary, unknown, inputs, outputs, \
                 fee",
    },
    MethodSpec {
        name: "descriptorprocesspsbt",
        family: Family::RawTransactions,
        summary: "Adds to a PSBT what the node and these descriptors know, and signs with their \
                  private keys.",
        params: &[
            PSBT,
            required(
                "descriptors",
                Kind::Array,
                "Descriptors, or objects of desc and range.",
            ),
            optional(
                "sighashtype",
                Kind::Text,
                "DEFAULT for taproot, ALL otherwise",
                SIGHASH_TYPES,
            ),
            optional(
                "bip32derivs",
                Kind::Boolean,
                "true",
                "Whether to say where the keys come from.",
            ),
            optional(
                "finalize",
                Kind::Boolean,
                "true",
                "Whether to finalize the inputs that are complete.",
            ),
        ],
        result: "(json object) psbt, complete, and hex (the transaction) if it is",
    },
    MethodSpec {
        name: "finalizepsbt",
        family: Family::RawTransactions,
        summary: "Makes of a PSBT's signatures what unlocks its inputs, and if all are unlocked, the \
                  transaction.",
        params: &[
            PSBT,
            optional(
                "extract",
                Kind::Boolean,
                "true",
                "Whether to return the transaction if it is complete.",
            ),
        ],
        result: "(json object) psbt (in base 64) or hex (the transaction), and complete",
    },
    MethodSpec {
        name: "joinpsbts",
        family: Family::RawTransactions,
        summary: "Puts the inputs and the outputs of several PSBTs into one, in random order.",
        params: &[required("txs", Kind::Array, "The PSBTs, in base 64.")],
        result: "(string) the PSBT, in base 64",
    },
    MethodSpec {
        name: "utxoupdatepsbt",
        family: Family::RawTransactions,
        summary: "Adds to a PSBT the outputs that it spends, from the mempool, the coins or the index \
                  of transactions, and what descriptors know of them.",
        params: &[
            PSBT,
            optional(
                "descriptors",
                Kind::Array,
                "",
                "Descriptors, or objects of desc and range.",
            ),
        ],
        result: "(string) the PSBT, in base 64",
    },
];
