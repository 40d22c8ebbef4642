//! What clients send and what they get, as JSON-RPC 2.0.

use serde_json::{Map, Value, json};

use crate::call::{CallError, CallResult, code};
use crate::dialect::read_json;
use crate::params;

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Blocks that join the best chain or leave it.
    Block,
    /// Transactions that come to the mempool.
    Transaction,
    /// What comes to the mempool and leaves it.
    Mempool,
    /// Work for miners, and the built-in miner.
    Mining,
}

impl Topic {
    pub(super) const ALL: [Self; 4] = [Self::Block, Self::Transaction, Self::Mempool, Self::Mining];

    /// What clients call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Transaction => "transaction",
            Self::Mempool => "mempool",
            Self::Mining => "mining",
        }
    }

    fn read(text: &str) -> CallResult<Self> {
        let topic = Self::ALL.into_iter().find(|topic| topic.name() == text);
        topic.ok_or_else(|| {
            CallError::invalid_parameter(
                "topic must be one of \"block\", \"transaction\", \"mempool\", \"mining\"",
            )
        })
    }
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Events of a topic, from a cursor on if there is one, otherwise from now on.
    Subscribe(Topic, Option<String>),
    /// No more of them.
    Unsubscribe(Topic),
}

/// A client's message.
#[derive(Debug)]
pub(super) struct Message {
    /// Its id; without one there is no answer.
    pub(super) id: Option<Value>,
    pub(super) command: CallResult<Command>,
}

/// Reads a client's message. The text is bounded.
pub(super) fn read(text: &str) -> Message {
    let broken = |error| Message {
        id: Some(Value::Null),
        command: Err(error),
    };
    match read_json(text.as_bytes()) {
        Ok(Value::Object(mut fields)) => Message {
            id: fields.shift_remove("id"),
            command: read_command(fields),
        },
        Ok(_) => broken(CallError::new(
            code::INVALID_REQUEST,
            "Invalid Request object",
        )),
        Err(error) => broken(error),
    }
}

fn read_command(mut fields: Map<String, Value>) -> CallResult<Command> {
    let invalid = |message: &str| CallError::new(code::INVALID_REQUEST, message);
    if fields.get("jsonrpc") != Some(&json!("2.0")) {
        return Err(invalid("JSON-RPC version not supported"));
    }
    let method = match fields.shift_remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return Err(invalid("Method must be a string")),
        None => return Err(invalid("Missing method")),
    };
    let names = match method.as_str() {
        "subscribe" => &["topic", "cursor"][..],
        "unsubscribe" => &["topic"],
        _ => return Err(CallError::new(code::METHOD_NOT_FOUND, "Method not found")),
    };
    let values = positions(names, fields.shift_remove("params"))?;
    let topic = Topic::read(params::text(&values[0])?)?;
    match values.get(1) {
        None => Ok(Command::Unsubscribe(topic)),
        Some(Value::Null) => Ok(Command::Subscribe(topic, None)),
        Some(cursor) => Ok(Command::Subscribe(
            topic,
            Some(params::text(cursor)?.to_owned()),
        )),
    }
}

/// The parameters in the order of their names, null where there is none.
fn positions(names: &[&str], given: Option<Value>) -> CallResult<Vec<Value>> {
    let mut values = match given {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(Value::Object(mut named)) => {
            let values = names
                .iter()
                .map(|name| named.shift_remove(*name).unwrap_or_default());
            let values = values.collect();
            if let Some(name) = named.keys().next() {
                let message = format!("Unknown named parameter {name}");
                return Err(CallError::invalid_parameter(message));
            }
            values
        }
        Some(_) => {
            let message = "Params must be an array or object";
            return Err(CallError::new(code::INVALID_REQUEST, message));
        }
    };
    if values.len() > names.len() {
        return Err(CallError::misc(format!(
            "at most {} parameters",
            names.len()
        )));
    }
    values.resize(names.len(), Value::Null);
    Ok(values)
}

/// The answer to a message; `None` if it expects none.
pub(super) fn answer(id: Option<Value>, outcome: CallResult<Value>) -> Option<String> {
    let id = id?;
    let answer = match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
        Err(error) => json!({
            "jsonrpc": "2.0",
            "error": {"code": error.code, "message": error.message},
            "id": id,
        }),
    };
    Some(answer.to_string())
}

/// An event as a notification. The cursor says where to go on after it.
pub(super) fn event(topic: Topic, cursor: &str, event: &str, about: Value) -> String {
    let mut params = json!({"topic": topic.name(), "cursor": cursor, "event": event});
    if let (Value::Object(params), Value::Object(about)) = (&mut params, about) {
        params.extend(about);
    }
    json!({"jsonrpc": "2.0", "method": "event", "params": params}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Result<Command, i32> {
        read(text).command.map_err(|error| error.code)
    }

    #[test]
    fn parameters_are_named_or_not() {
        let block =
            |cursor: Option<&str>| Ok(Command::Subscribe(Topic::Block, cursor.map(str::to_owned)));
        for (params, expected) in [
            (r#"["block"]"#, block(None)),
            (r#"["block",null]"#, block(None)),
            (r#"["block","x"]"#, block(Some("x"))),
            (r#"{"topic":"block"}"#, block(None)),
            (r#"{"cursor":"x","topic":"block"}"#, block(Some("x"))),
            (r#"["blocks"]"#, Err(-8)),
            (r#"{"topic":"block","colour":1}"#, Err(-8)),
            (r#"["block","x",1]"#, Err(-1)),
            ("[]", Err(-3)),
            (r#"["block",1]"#, Err(-3)),
            ("5", Err(-32600)),
        ] {
            let text =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{params}}}"#);
            assert_eq!(command(&text), expected, "{params}");
        }
    }

    #[test]
    fn what_is_no_command_is_told() {
        for (text, code) in [
            ("{", -32700),
            ("[]", -32600),
            (r#"{"method":"subscribe"}"#, -32600),
            (r#"{"jsonrpc":"2.0"}"#, -32600),
            (r#"{"jsonrpc":"2.0","method":1}"#, -32600),
            (r#"{"jsonrpc":"2.0","method":"getblock"}"#, -32601),
        ] {
            assert_eq!(command(text), Err(code), "{text}");
        }
        let answered = |text: &str| answer(read(text).id, Ok(Value::Null));
        assert_eq!(answered(r#"{"jsonrpc":"2.0","method":"x"}"#), None);
        assert!(answered("{").is_some_and(|text| text.contains("\"id\":null")));
    }
}
