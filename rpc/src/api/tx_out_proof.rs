//! Proofs that blocks contain transactions.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on proofs of inclusion.
#[rpc(server)]
pub(crate) trait TxOutProof {
    /// Proves that a block contains transactions.
    #[method(name = "gettxoutproof")]
    async fn get_tx_out_proof(
        &self,
        txids: Vec<Value>,
        blockhash: Option<String>,
    ) -> CallResult<String>;

    /// Checks a proof.
    #[method(name = "verifytxoutproof", blocking)]
    fn verify_tx_out_proof(&self, proof: String) -> CallResult<Vec<String>>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "gettxoutproof",
        family: Family::Blockchain,
        summary: "Returns a proof that a block contains transactions. Without the block's hash and without \
                  --txindex, one of them must have an output that is not spent.",
        params: &[
            required("txids", Kind::Array, "The transactions' ids."),
            optional("blockhash", Kind::Hex, "", "The block to look in."),
        ],
        result: "(string, hex) the proof: a header and a part of the block's merkle tree",
    },
    MethodSpec {
        name: "verifytxoutproof",
        family: Family::Blockchain,
        summary: "Checks a proof of gettxoutproof, and that its block is in the best chain.",
        params: &[required("proof", Kind::Hex, "The proof.")],
        result: "(json array) the ids of the transactions that it proves; empty if it is not valid",
    },
];
