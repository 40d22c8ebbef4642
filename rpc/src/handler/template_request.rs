//! What the callers of `getblocktemplate` and `submitblock` ask for (BIP-0022, BIP-0023).

use pyrite_consensus::bitcoin::BlockHash;
use serde_json::{Map, Value};

use crate::call::{CallError, CallResult, code};
use crate::params;

/// Digits of a hash.
const HASH_DIGITS: usize = 64;

/// What the caller of `getblocktemplate` asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Mode {
    /// A template.
    Template {
        /// The rules that the client knows (BIP-0009).
        rules: Vec<String>,
        /// What it waits for.
        long_poll: Option<LongPoll>,
        /// What else it can do.
        capabilities: Capabilities,
    },
    /// The check of a block.
    Proposal {
        /// The block, as hexadecimal digits.
        data: String,
        /// What the block was made of.
        work_id: Option<WorkId>,
    },
}

/// What a client says that it can do, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    /// It takes a coinbase that was made here.
    pub(super) coinbase_transaction: bool,
    /// It makes a coinbase of its own.
    pub(super) coinbase_value: bool,
    /// It brings the work's id back.
    pub(super) work_id: bool,
}

/// The state that a long poll waits to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LongPoll {
    /// The tip; `None` means the present one. And the mempool's sequence number; `None` for a template without
    /// transactions that was only a stopgap.
    pub(super) watched: Option<(BlockHash, Option<u64>)>,
}

/// Names the template that a block was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WorkId {
    /// One on this parent.
    On(BlockHash),
    /// Nothing that was ever given out here.
    Unknown,
}

/// Reads the request.
pub(super) fn read_mode(request: &Map<String, Value>) -> CallResult<Mode> {
    let mode = match request.get("mode") {
        None | Some(Value::Null) => "template",
        Some(Value::String(mode)) => mode,
        Some(_) => return Err(CallError::invalid_parameter("Invalid mode")),
    };
    match mode {
        "proposal" => match request.get("data") {
            Some(Value::String(data)) => Ok(Mode::Proposal {
                data: data.clone(),
                work_id: read_work_id(request),
            }),
            _ => Err(CallError::new(
                code::TYPE_ERROR,
                "Missing data String key for proposal",
            )),
        },
        "template" => {
            let rules = match request.get("rules") {
                Some(Value::Array(rules)) => rules
                    .iter()
                    .map(|rule| params::text(rule).map(str::to_owned))
                    .collect::<CallResult<_>>()?,
                _ => Vec::new(),
            };
            let long_poll = match request.get("longpollid") {
                None | Some(Value::Null) => None,
                Some(Value::String(id)) => Some(read_long_poll(id)?),
                Some(_) => Some(LongPoll { watched: None }),
            };
            Ok(Mode::Template {
                rules,
                long_poll,
                capabilities: read_capabilities(request),
            })
        }
        _ => Err(CallError::invalid_parameter("Invalid mode")),
    }
}

/// Clients list much that they can do; what is not known here is nothing to complain of.
fn read_capabilities(request: &Map<String, Value>) -> Capabilities {
    let listed = request.get("capabilities").and_then(Value::as_array);
    let has = |name: &str| listed.is_some_and(|listed| listed.iter().any(|item| item == name));
    Capabilities {
        coinbase_transaction: has("coinbasetxn"),
        coinbase_value: has("coinbasevalue"),
        work_id: has("workid"),
    }
}

/// The work's id in a request, or in the second parameter of `submitblock`.
pub(super) fn read_work_id(request: &Map<String, Value>) -> Option<WorkId> {
    let id = match request.get("workid")? {
        Value::Null => return None,
        Value::String(id) => read_id(id),
        _ => None,
    };
    Some(id.map_or(WorkId::Unknown, |(parent, _)| WorkId::On(parent)))
}

/// A template's name: its parent, and the mempool's sequence number, which a stopgap does not have.
fn read_id(id: &str) -> Option<(BlockHash, Option<u64>)> {
    let (parent, sequence) = id.split_at_checked(HASH_DIGITS)?;
    let sequence = match sequence {
        "" => None,
        sequence => Some(sequence.parse().ok()?),
    };
    Some((parent.parse().ok()?, sequence))
}

/// A long poll's id. What follows the hash may be another program's.
fn read_long_poll(id: &str) -> CallResult<LongPoll> {
    let (tip, sequence) = id.split_at_checked(HASH_DIGITS).unwrap_or((id, ""));
    let tip = params::hash("longpollid", tip)?;
    Ok(LongPoll {
        watched: Some((tip, sequence.parse().ok())),
    })
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Network;
    use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
    use serde_json::json;

    use super::*;

    fn mode(value: Value) -> CallResult<Mode> {
        read_mode(value.as_object().expect("a request is an object"))
    }

    #[test]
    fn requests_are_read() {
        let plain = |rules: &[&str], long_poll| Mode::Template {
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            long_poll,
            capabilities: Capabilities::default(),
        };
        assert_eq!(mode(json!({})), Ok(plain(&[], None)));
        assert_eq!(
            mode(
                json!({"mode": "template", "rules": ["segwit", "taproot"], "capabilities": ["x", 1]})
            ),
            Ok(plain(&["segwit", "taproot"], None))
        );
        assert_eq!(
            mode(json!({"longpollid": 1})),
            Ok(plain(&[], Some(LongPoll { watched: None })))
        );
        let tip = genesis_block(Network::Regtest).block_hash();
        for (id, sequence) in [
            (tip.to_string(), None),
            (format!("{tip}42"), Some(42)),
            (format!("{tip}other"), None),
        ] {
            let watched = Some((tip, sequence));
            assert_eq!(
                mode(json!({ "longpollid": id })),
                Ok(plain(&[], Some(LongPoll { watched })))
            );
        }
    }

    #[test]
    fn capabilities_are_read() {
        let Ok(Mode::Template { capabilities, .. }) =
            mode(json!({"capabilities": ["coinbasetxn", "coinbasevalue", "longpoll", "workid"]}))
        else {
            panic!("that is a template's request")
        };
        let all = Capabilities {
            coinbase_transaction: true,
            coinbase_value: true,
            work_id: true,
        };
        assert_eq!(capabilities, all);
    }

    #[test]
    fn proposals_are_read() {
        let tip = genesis_block(Network::Regtest).block_hash();
        for (id, work_id) in [
            (Value::Null, None),
            (json!(tip.to_string()), Some(WorkId::On(tip))),
            (json!(format!("{tip}42")), Some(WorkId::On(tip))),
            (json!(format!("{tip}x")), Some(WorkId::Unknown)),
            (json!("ä".repeat(40)), Some(WorkId::Unknown)),
            (json!(7), Some(WorkId::Unknown)),
        ] {
            assert_eq!(
                mode(json!({"mode": "proposal", "data": "00", "workid": id})),
                Ok(Mode::Proposal {
                    data: "00".to_owned(),
                    work_id
                })
            );
        }
    }

    #[test]
    fn bad_requests_are_refused() {
        for (request, code) in [
            (json!({"mode": "other"}), -8),
            (json!({"mode": 1}), -8),
            (json!({"mode": "proposal"}), -3),
            (json!({"mode": "proposal", "data": 1}), -3),
            (json!({"rules": [1]}), -3),
            (json!({"longpollid": "short"}), -8),
            (json!({"longpollid": "ä".repeat(40)}), -8),
        ] {
            assert_eq!(mode(request.clone()).unwrap_err().code, code, "{request}");
        }
    }
}
