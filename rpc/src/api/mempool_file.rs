//! Files of the mempool.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on files of the mempool.
#[rpc(server)]
pub(crate) trait MempoolFiles {
    /// Writes the mempool's file.
    #[method(name = "savemempool", blocking)]
    fn save_mempool(&self) -> CallResult<Value>;

    /// Takes the transactions of a file.
    #[method(name = "importmempool", blocking)]
    fn import_mempool(&self, filepath: String, options: Option<Value>) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "importmempool",
        family: Family::Mempool,
        summary: "Takes the transactions of a mempool file, each as if a peer had sent it. What else the file says \
                  counts only if that is asked for: do so with files that you trust.",
        params: &[
            required(
                "filepath",
                Kind::Text,
                "The file, from the chain's directory if it is relative.",
            ),
            optional(
                "options",
                Kind::Options(&[
                    "use_current_time",
                    "apply_fee_delta_priority",
                    "apply_unbroadcast_set",
                ]),
                "",
                "use_current_time (by default true): they came now, not when the file says; apply_fee_delta_priority \
                 (by default false): add the file's fee deltas to those that there are; apply_unbroadcast_set (by \
                 default false): announce those to the peers which the file says no peer has.",
            ),
        ],
        result: "(json object) empty",
    },
    MethodSpec {
        name: "savemempool",
        family: Family::Mempool,
        summary: "Writes the mempool to its file, which the next start reads.",
        params: &[],
        result: "(json object) filename",
    },
];
