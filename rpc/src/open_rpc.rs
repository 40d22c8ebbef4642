//! The methods as an OpenRPC document (<https://spec.open-rpc.org>), for programs that make clients.

use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Kind, MethodSpec, Need, ParamSpec};

/// The version of the specification that the document follows.
const SPECIFICATION: &str = "1.3.2";

/// Every method of the catalogue.
pub(crate) fn document(catalogue: &Catalogue) -> Value {
    let mut methods: Vec<_> = catalogue.methods().collect();
    methods.sort_unstable_by_key(|method| method.name);
    json!({
        "openrpc": SPECIFICATION,
        "info": {
            "title": "Pyrite JSON-RPC",
            "description": "Bitcoin Core's methods, and some of this node's own.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "methods": methods.into_iter().map(method).collect::<Vec<_>>(),
    })
}

fn method(method: &MethodSpec) -> Value {
    json!({
        "name": method.name,
        "summary": method.summary,
        "tags": [{"name": method.family.title()}],
        "paramStructure": "either",
        "params": method.params.iter().map(param).collect::<Vec<_>>(),
        "result": {"name": "result", "description": method.result, "schema": result_schema(method.result)},
    })
}

fn param(param: &ParamSpec) -> Value {
    let mut schema = schema(param.kind);
    if let Need::Optional(default) = param.need
        && !default.is_empty()
    {
        // A default that is no JSON says in words what applies.
        match serde_json::from_str::<Value>(default) {
            Ok(default) => schema["default"] = default,
            Err(_) => schema["description"] = json!(format!("default: {default}")),
        }
    }
    json!({
        "name": param.name(),
        "description": param.about,
        "required": param.need == Need::Required,
        "schema": schema,
    })
}

/// What JSON a kind of parameter takes, as a JSON Schema.
fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Hex => json!({"type": "string", "pattern": "^([0-9a-fA-F]{2})*$"}),
        Kind::Number => json!({"type": "number"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Amount => json!({"type": ["number", "string"]}),
        Kind::Array => json!({"type": "array"}),
        Kind::Object => json!({"type": "object"}),
        Kind::ObjectOrText => json!({"type": ["object", "string"]}),
        Kind::HashOrHeight => json!({"type": ["string", "integer"]}),
        Kind::Any | Kind::Described(_) => json!({}),
        Kind::Options(names) => {
            let properties: serde_json::Map<_, _> = names
                .iter()
                .map(|name| ((*name).to_owned(), json!({})))
                .collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

/// What the description of a result begins with says what JSON it is.
fn result_schema(result: &str) -> Value {
    let kind = match result {
        text if text.starts_with("(string") => "string",
        text if text.starts_with("(numeric") => "number",
        text if text.starts_with("(boolean") => "boolean",
        text if text.starts_with("(json object") || text.starts_with('{') => "object",
        text if text.starts_with("(json array") || text.starts_with('[') => "array",
        text if text.starts_with("null") => "null",
        _ => return json!({}),
    };
    json!({"type": kind})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_there_with_its_parameters() {
        let catalogue = Catalogue::node();
        let document = document(&catalogue);
        let methods = document["methods"].as_array().unwrap();
        assert_eq!(methods.len(), catalogue.methods().count());
        let block = methods
            .iter()
            .find(|method| method["name"] == "getblock")
            .unwrap();
        assert_eq!(block["params"][0]["name"], "blockhash");
        assert_eq!(block["params"][0]["required"], true);
        assert_eq!(block["params"][1]["required"], false);
        for method in methods {
            let params = method["params"].as_array().unwrap();
            assert!(params.iter().all(|param| param["schema"].is_object()));
            assert!(method["result"]["schema"].is_object());
        }
    }

    #[test]
    fn what_is_known_of_a_result_is_told() {
        assert_eq!(
            result_schema("(numeric) the seconds"),
            json!({"type": "number"})
        );
        assert_eq!(result_schema("{ \"a\" }"), json!({"type": "object"}));
        assert_eq!(result_schema("whatever"), json!({}));
    }
}
