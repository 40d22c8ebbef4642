//! Making blocks when they are asked for, and the switches that Bitcoin had for its built-in miner.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, ParamSpec, optional, required};

/// The methods that make blocks.
#[rpc(server)]
pub(crate) trait Generate {
    /// What there was once.
    #[method(name = "generate")]
    fn generate(&self) -> CallResult<Value>;

    /// Mines blocks at once that pay an address.
    #[method(name = "generatetoaddress")]
    async fn generate_to_address(
        &self,
        nblocks: i64,
        address: String,
        maxtries: Option<i64>,
    ) -> CallResult<Vec<String>>;

    /// Mines blocks at once that pay a descriptor.
    #[method(name = "generatetodescriptor")]
    async fn generate_to_descriptor(
        &self,
        num_blocks: i64,
        descriptor: String,
        maxtries: Option<i64>,
    ) -> CallResult<Vec<String>>;

    /// Mines a block of certain transactions.
    #[method(name = "generateblock")]
    async fn generate_block(
        &self,
        output: String,
        transactions: Vec<Value>,
        submit: Option<bool>,
    ) -> CallResult<Value>;

    /// Switches the built-in miner on or off.
    #[method(name = "setgenerate", blocking)]
    fn set_generate(&self, generate: bool, genproclimit: Option<i64>) -> CallResult<Value>;

    /// Whether the built-in miner runs.
    #[method(name = "getgenerate", blocking)]
    fn get_generate(&self) -> CallResult<bool>;

    /// The built-in miner's rate.
    #[method(name = "gethashespersec", blocking)]
    fn get_hashes_per_sec(&self) -> CallResult<u64>;
}

/// How long to try.
const MAX_TRIES: ParamSpec = optional(
    "maxtries",
    Kind::Number,
    "1000000",
    "How many hashes to try in all; a negative number for no limit.",
);

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "generate",
        family: Family::Hidden,
        summary: "Is no more: generatetoaddress takes the address that blocks pay.",
        params: &[],
        result: "an error",
    },
    MethodSpec {
        name: "generateblock",
        family: Family::Mining,
        summary: "Mines a block of these transactions, in their order. Its coinbase takes no fees. Ends when the client \
                  disconnects.",
        params: &[
            required(
                "output",
                Kind::Text,
                "An address or a descriptor: whom it pays.",
            ),
            required(
                "transactions",
                Kind::Array,
                "The transactions: bytes as hexadecimal digits, or ids of those in the mempool.",
            ),
            optional(
                "submit",
                Kind::Boolean,
                "true",
                "Whether to submit the block, or to return its bytes.",
            ),
        ],
        result: "(json object) hash of the block, and hex, its bytes, if it is not submitted",
    },
    MethodSpec {
        name: "generatetoaddress",
        family: Family::Mining,
        summary: "Mines blocks at once, on one thread, and returns when they are found or the tries are \
                  used up. Ends when the client disconnects.",
        params: &[
            required("nblocks", Kind::Number, "How many blocks."),
            required("address", Kind::Text, "Whom they pay."),
            MAX_TRIES,
        ],
        result: "(json array) the blocks' hashes",
    },
    MethodSpec {
        name: "generatetodescriptor",
        family: Family::Mining,
        summary: "Mines blocks at once, as generatetoaddress does, that pay a descriptor.",
        params: &[
            required("num_blocks", Kind::Number, "How many blocks."),
            required(
                "descriptor",
                Kind::Text,
                "Whom they pay; it has no wildcard.",
            ),
            MAX_TRIES,
        ],
        result: "(json array) the blocks' hashes",
    },
    MethodSpec {
        name: "getgenerate",
        family: Family::Mining,
        summary: "Returns whether the built-in miner runs.",
        params: &[],
        result: "(boolean) whether it runs",
    },
    MethodSpec {
        name: "gethashespersec",
        family: Family::Mining,
        summary: "Returns the present rate of the built-in miner; getminingstatus tells more.",
        params: &[],
        result: "(numeric) hashes a second, 0 while it does not run",
    },
    MethodSpec {
        name: "setgenerate",
        family: Family::Mining,
        summary: "Switches the built-in miner on or off, as Bitcoin's own once was; startmining says more. Blocks pay whom \
                  they paid before, or a new address of the wallet.",
        params: &[
            required("generate", Kind::Boolean, "Whether to mine."),
            optional(
                "genproclimit",
                Kind::Number,
                "as configured",
                "How many threads; -1 for one on each processor, 0 for none.",
            ),
        ],
        result: "null",
    },
];
