//! Descriptors, and the addresses of scripts.

use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional, required};

/// The methods on descriptors.
#[rpc(server)]
pub(crate) trait Descriptors {
    /// The address of a multisig script.
    #[method(name = "createmultisig", blocking)]
    fn create_multisig(
        &self,
        nrequired: i64,
        keys: Vec<Value>,
        address_type: Option<String>,
    ) -> CallResult<Value>;

    /// The addresses of a descriptor.
    #[method(name = "deriveaddresses", blocking)]
    fn derive_addresses(&self, descriptor: String, range: Option<Value>) -> CallResult<Value>;

    /// What a descriptor is.
    #[method(name = "getdescriptorinfo", blocking)]
    fn get_descriptor_info(&self, descriptor: String) -> CallResult<Value>;
}

/// What `help` says of them.
pub(crate) const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "createmultisig",
        family: Family::Util,
        summary: "Returns the address of a script that some of several keys must sign.",
        params: &[
            required("nrequired", Kind::Number, "How many keys must sign."),
            required("keys", Kind::Array, "The public keys, in hexadecimal."),
            optional(
                "address_type",
                Kind::Text,
                "legacy",
                "\"legacy\", \"p2sh-segwit\" or \"bech32\".",
            ),
        ],
        result: "(json object) address, redeemScript, descriptor, and warnings if there are any",
    },
    MethodSpec {
        name: "deriveaddresses",
        family: Family::Util,
        summary: "Returns the addresses that a descriptor stands for.",
        params: &[
            required(
                "descriptor",
                Kind::Text,
                "The descriptor, with its checksum.",
            ),
            optional(
                "range",
                Kind::Described("numeric or json array"),
                "",
                "The last index, or the first and the last, of a descriptor with a wildcard.",
            ),
        ],
        result: "(json array) the addresses; of a descriptor with several paths, an array of them for \
                 each",
    },
    MethodSpec {
        name: "getdescriptorinfo",
        family: Family::Util,
        summary: "Returns what a descriptor is, and its checksum.",
        params: &[required("descriptor", Kind::Text, "The descriptor.")],
        result: "(json object) descriptor (without private keys), multipath_expansion if it has \
                 several paths, checksum (of what was given), isrange, issolvable, hasprivatekeys",
    },
];
