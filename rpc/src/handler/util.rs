//! Addresses.

use pyrite_consensus::bitcoin::Address;
use serde_json::{Value, json};

use super::Handler;
use crate::api::util::UtilServer;
use crate::call::CallResult;
use crate::json::{AddressError, OutputKind, address_error, output_kind};

impl UtilServer for Handler {
    fn validate_address(&self, address: String) -> CallResult<Value> {
        Ok(match self.parse_address(&address) {
            Some(address) => valid(&address),
            None => invalid(&address_error(&address, self.address_network())),
        })
    }
}

/// What an address stands for.
fn valid(address: &Address) -> Value {
    let script = address.script_pubkey();
    let kind = output_kind(&script);
    let program = address.witness_program();
    let mut form = json!({
        "isvalid": true,
        "address": address.to_string(),
        "scriptPubKey": hex::encode(script.as_bytes()),
    });
    // Nobody knows what a program of a later version is.
    if kind != OutputKind::WitnessUnknown {
        form["isscript"] = matches!(
            kind,
            OutputKind::ScriptHash
                | OutputKind::WitnessScriptHash
                // As in Bitcoin Core, a taproot output key and an anchor count as scripts.
                | OutputKind::Taproot(_)
                | OutputKind::Anchor
        )
        .into();
    }
    form["iswitness"] = program.is_some().into();
    if let Some(program) = program.filter(|_| kind != OutputKind::Anchor) {
        form["witness_version"] = program.version().to_num().into();
        form["witness_program"] = hex::encode(program.program().as_bytes()).into();
    }
    form
}

fn invalid(error: &AddressError) -> Value {
    json!({
        "isvalid": false,
        "error_locations": error.locations,
        "error": error.message,
    })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn shown(address: &str) -> String {
        let address = Address::from_str(address).unwrap().assume_checked();
        valid(&address).to_string()
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_place() {
        let error = AddressError {
            message: "Invalid Bech32 checksum".to_owned(),
            locations: vec![22, 43],
        };
        assert_eq!(
            invalid(&error).to_string(),
            "{\"isvalid\":false,\"error_locations\":[22,43],\"error\":\"Invalid Bech32 checksum\"}"
        );
    }

    #[test]
    fn a_witness_address_shows_its_program() {
        assert_eq!(
            shown("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            "{\"isvalid\":true,\"address\":\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\",\
             \"scriptPubKey\":\"0014751e76e8199196d454941c45d1b3a323f1433bd6\",\"isscript\":false,\
             \"iswitness\":true,\"witness_version\":0,\
             \"witness_program\":\"751e76e8199196d454941c45d1b3a323f1433bd6\"}"
        );
    }

    #[test]
    fn an_old_address_has_no_program() {
        assert_eq!(
            shown("3P14159f73E4gFr7JterCCQh9QjiTjiZrG"),
            "{\"isvalid\":true,\"address\":\"3P14159f73E4gFr7JterCCQh9QjiTjiZrG\",\
             \"scriptPubKey\":\"a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87\",\"isscript\":true,\
             \"iswitness\":false}"
        );
    }

    #[test]
    fn an_anchor_and_an_unknown_program_show_what_is_known() {
        assert_eq!(
            shown("bcrt1pfeesnyr2tx"),
            "{\"isvalid\":true,\"address\":\"bcrt1pfeesnyr2tx\",\"scriptPubKey\":\"51024e73\",\
             \"isscript\":true,\"iswitness\":true}"
        );
        let unknown = shown("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs");
        assert!(
            unknown.ends_with(
                "\"iswitness\":true,\"witness_version\":2,\
                 \"witness_program\":\"751e76e8199196d454941c45d1b3a323\"}"
            ),
            "{unknown}"
        );
        assert!(!unknown.contains("isscript"), "{unknown}");
    }
}
