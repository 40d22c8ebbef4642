//! Templates, blocks and the built-in miner.

use jsonrpsee::proc_macros::rpc;
use serde_json::{Map, Value};

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on mining.
#[rpc(server)]
pub(crate) trait Mining {
    /// A template for a block, or the check of a proposal (BIP-0022, BIP-0023, BIP-0145).
    #[method(name = "getblocktemplate", with_extensions)]
    async fn get_block_template(&self, template_request: Map<String, Value>) -> CallResult<Value>;

    /// Takes a solved block.
    #[method(name = "submitblock", blocking)]
    fn submit_block(&self, hexdata: String, dummy: Option<Value>) -> CallResult<Value>;

    /// Takes a header.
    #[method(name = "submitheader", blocking)]
    fn submit_header(&self, hexdata: String) -> CallResult<Value>;

    /// The state of mining.
    #[method(name = "getmininginfo", blocking)]
    fn get_mining_info(&self) -> CallResult<Value>;

    /// The network's hash rate.
    #[method(name = "getnetworkhashps", blocking)]
    fn get_network_hash_ps(&self, nblocks: Option<i64>, height: Option<i64>) -> CallResult<Value>;

    /// Starts the built-in miner.
    #[method(name = "startmining", blocking)]
    fn start_mining(
        &self,
        address: Option<String>,
        threads: Option<i64>,
        intensity: Option<i64>,
        devices: Option<String>,
        kernel: Option<String>,
        options: Option<Value>,
    ) -> CallResult<Value>;

    /// Stops the built-in miner.
    #[method(name = "stopmining", blocking)]
    fn stop_mining(&self) -> CallResult<Value>;

    /// The built-in miner's state.
    #[method(name = "getminingstatus", blocking)]
    fn get_mining_status(&self) -> CallResult<Value>;
}

/// What the methods of the built-in miner return.
const MINING_STATUS: &str = "(json object) running, paused, held_back (busy, battery, temperature, power; temperature_unknown or \
                             power_unknown where a sensor fails), limits_unknown (limits whose sensors tell nothing; where one never \
                             did, it holds nothing back), allowed_percent, \
                             threads, intensity, settings, hash_rate, hash_rate_10s, hash_rate_1m, hash_rate_15m (hashes a \
                             second), hashes, blocks_found, blocks_accepted, blocks_stale, blocks_rejected, false_nonces, \
                             started_at, tip_latency (samples, median_ms, p99_ms, max_ms: from a new tip to the first hash on \
                             it), temperature (degrees Celsius), power (watts), on_battery, other_load (percent), energy \
                             (joules since the start; power and energy are those of processor packages and graphics cards, mining \
                             and all else), joules_per_mh, devices (name, kind, kernel, state, reason, hash_rate_10s, \
                             hash_rate_1m, hash_rate_15m, hashes, blocks_found, blocks_accepted, blocks_stale, blocks_rejected, \
                             false_nonces, recent_errors (of the last 128 results; 16 set the device aside), results (that were \
                             checked)), schedule (every, in seconds, and timing) if blocks are made by the clock. What no sensor tells is null.";

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "getblocktemplate",
        family: Family::Mining,
        summary: "Returns what is needed to mine a block, or checks a proposed one; see BIP 22, 23, 9 \
                  and 145. With \"longpollid\" it answers when the template has changed.",
        params: &[required(
            "template_request",
            Kind::Object,
            "mode (\"template\" or \"proposal\"), capabilities (\"coinbasetxn\" asks for a coinbase \
             that pays the node's --template-payout, \"workid\" for an id to be brought back), rules \
             (must have \"segwit\"), longpollid, data (the proposal's bytes), workid.",
        )],
        result: "(json object) the template\nnull if the proposal is good, otherwise (string) why it \
                 is not",
    },
    MethodSpec {
        name: "getmininginfo",
        family: Family::Mining,
        summary: "Returns the state of mining.",
        params: &[],
        result: "(json object) blocks, currentblockweight, currentblocktx, bits, difficulty, target, \
                 networkhashps, pooledtx, blockmintxfee, chain, next (height, bits, difficulty, \
                 target), warnings",
    },
    MethodSpec {
        name: "getminingstatus",
        family: Family::Mining,
        summary: "Returns the state of the built-in miner.",
        params: &[],
        result: MINING_STATUS,
    },
    MethodSpec {
        name: "getnetworkhashps",
        family: Family::Mining,
        summary: "Estimates the network's hashes a second from the work and the time of the last \
                  blocks.",
        params: &[
            optional(
                "nblocks",
                Kind::Number,
                "120",
                "How many blocks; -1 for those since the last change of difficulty.",
            ),
            optional(
                "height",
                Kind::Number,
                "-1",
                "The last block's height; -1 for the tip's.",
            ),
        ],
        result: "(numeric) hashes a second",
    },
    MethodSpec {
        name: "startmining",
        family: Family::Mining,
        summary: "Starts the built-in miner, or changes how it mines. What is left out stays as the \
                  node was configured.",
        params: &[
            optional(
                "address",
                Kind::Text,
                "a new one of the wallet",
                "Whom its blocks pay.",
            ),
            optional(
                "threads",
                Kind::Number,
                "as configured",
                "How many threads of the processor.",
            ),
            optional(
                "intensity",
                Kind::Number,
                "as configured",
                "How much of the time each device works, in percent, from 1 to 100.",
            ),
            optional(
                "devices",
                Kind::Text,
                "as configured",
                "What to mine on, between commas: cpu, opencl, or opencl0 and so on for one device.",
            ),
            optional(
                "kernel",
                Kind::Text,
                "as configured",
                "What the processor hashes with; \"\" for the fastest.",
            ),
            optional(
                "options",
                Kind::Options(&[
                    "pin_cores",
                    "pause_when_busy",
                    "pause_on_battery",
                    "max_temperature",
                    "max_power",
                ]),
                "as configured",
                "pin_cores (\"auto\", \"off\" or cores such as \"0,2-3\"), pause_when_busy (percent of all processors that \
                 other programs take), pause_on_battery (true or false), max_temperature (degrees Celsius), max_power (watts); \
                 0 for no limit.",
            ),
        ],
        result: MINING_STATUS,
    },
    MethodSpec {
        name: "stopmining",
        family: Family::Mining,
        summary: "Stops the built-in miner.",
        params: &[],
        result: MINING_STATUS,
    },
    MethodSpec {
        name: "submitblock",
        family: Family::Mining,
        summary: "Takes a solved block; see BIP 22.",
        params: &[
            required("hexdata", Kind::Hex, "The block's bytes."),
            optional(
                "dummy|parameters",
                Kind::Any,
                "",
                "An object with the \"workid\" that came with the template; anything else is ignored.",
            ),
        ],
        result: "null if the block is the new tip, otherwise (string) what it is: duplicate, \
                 inconclusive, unknown-work, stale-work, or the reason why it was refused",
    },
    MethodSpec {
        name: "submitheader",
        family: Family::Mining,
        summary: "Takes a block's header, as a candidate for the chain of headers with the most work.",
        params: &[required(
            "hexdata",
            Kind::Hex,
            "The header's bytes; what follows them is ignored.",
        )],
        result: "null",
    },
];
