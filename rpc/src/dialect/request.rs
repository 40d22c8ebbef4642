//! Requests: reading one from JSON, whatever version it is of.

use serde_json::Value;

use super::reply::Form;
use crate::call::{CallError, code};

/// Which age of JSON-RPC a request is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 1.0, or nothing said, as of 1.1: the answer has both `result` and `error`, and the HTTP status
    /// tells of errors.
    Legacy,
    /// 2.0: the answer has one of the two, and the HTTP status is 200.
    Two,
}

/// A request, as far as it could be read.
#[derive(Debug)]
pub(super) struct Request {
    /// Its version; legacy where it names none that there is.
    pub(super) version: Version,
    /// Its id as it came; `None` when it has none.
    pub(super) id: Option<Value>,
    /// What it asks for, or why that is no request.
    pub(super) call: Result<Call, CallError>,
}

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) params: Value,
}

/// The body of a request over HTTP, as far as it could be read.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each request, of which most are single"
)]
pub(super) enum Body {
    /// What should be one request.
    One(Members),
    /// What should be requests.
    Many(Vec<Members>),
    /// Something else.
    Other,
}

/// What should be a request: the members that it has a use for.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) shape: Shape,
    pub(super) jsonrpc: Option<Value>,
    pub(super) id: Option<Value>,
    pub(super) method: Option<Value>,
    pub(super) params: Option<Value>,
}

/// Whether something has members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Other,
}

impl Members {
    pub(super) fn none(shape: Shape) -> Self {
        Self {
            shape,
            jsonrpc: None,
            id: None,
            method: None,
            params: None,
        }
    }

    /// What should be the method's name, if these are members of something.
    pub(super) fn method(&self) -> Option<&Value> {
        (self.shape == Shape::Object).then(|| self.method.as_ref().unwrap_or(&Value::Null))
    }
}

impl Request {
    /// Reads a request.
    pub(super) fn read(members: Members) -> Self {
        if members.shape == Shape::Other {
            return Self {
                version: Version::Legacy,
                id: Some(Value::Null),
                call: Err(invalid("Invalid Request object")),
            };
        }
        // The id and the version first, so that the answer to a bad request has them.
        let id = members.id;
        match read_version(members.jsonrpc.as_ref()) {
            Ok(version) => Self {
                version,
                id,
                call: read_call(members.method, members.params),
            },
            Err(error) => Self {
                version: Version::Legacy,
                id,
                call: Err(error),
            },
        }
    }

    /// Whether it could be read.
    pub(super) fn form(&self) -> Form {
        match self.call {
            Ok(_) => Form::Good,
            Err(_) => Form::Bad,
        }
    }

    /// Whether no answer is expected.
    pub(super) fn is_notification(&self) -> bool {
        self.version == Version::Two && self.id.is_none()
    }
}

fn read_version(field: Option<&Value>) -> Result<Version, CallError> {
    match field {
        None | Some(Value::Null) => Ok(Version::Legacy),
        Some(Value::String(version)) => match version.as_str() {
            // Not in any specification, but much used.
            "1.0" => Ok(Version::Legacy),
            "2.0" => Ok(Version::Two),
            _ => Err(invalid("JSON-RPC version not supported")),
        },
        Some(_) => Err(invalid("jsonrpc field must be a string")),
    }
}

fn read_call(method: Option<Value>, params: Option<Value>) -> Result<Call, CallError> {
    let method = match method {
        Some(Value::String(method)) => method,
        None | Some(Value::Null) => return Err(invalid("Missing method")),
        Some(_) => return Err(invalid("Method must be a string")),
    };
    match params.unwrap_or(Value::Null) {
        params @ (Value::Null | Value::Array(_) | Value::Object(_)) => Ok(Call { method, params }),
        _ => Err(invalid("Params must be an array or object")),
    }
}

fn invalid(message: &str) -> CallError {
    CallError::new(code::INVALID_REQUEST, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Request {
        let requests = json!([value]).to_string();
        match serde_json::from_str(&requests).unwrap() {
            Body::Many(mut requests) => Request::read(requests.remove(0)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn versions_are_told_apart() {
        for (value, version) in [
            (json!({"method": "m"}), Version::Legacy),
            (json!({"method": "m", "jsonrpc": "1.0"}), Version::Legacy),
            (json!({"method": "m", "version": "1.1"}), Version::Legacy),
            (json!({"method": "m", "jsonrpc": "2.0"}), Version::Two),
        ] {
            let request = read(value);
            assert_eq!(request.version, version);
            assert_eq!(
                request.call,
                Ok(Call {
                    method: "m".to_owned(),
                    params: Value::Null
                })
            );
        }
    }

    #[test]
    fn only_a_request_of_version_2_without_an_id_is_a_notification() {
        assert!(read(json!({"method": "m", "jsonrpc": "2.0"})).is_notification());
        assert!(!read(json!({"method": "m", "jsonrpc": "2.0", "id": null})).is_notification());
        assert!(!read(json!({"method": "m"})).is_notification());
    }

    #[test]
    fn bad_requests_keep_their_id() {
        for (value, message) in [
            (json!({"id": 7}), "Missing method"),
            (json!({"id": 7, "method": 1}), "Method must be a string"),
            (
                json!({"id": 7, "method": "m", "params": "p"}),
                "Params must be an array or object",
            ),
            (
                json!({"id": 7, "method": "m", "jsonrpc": "3.0"}),
                "JSON-RPC version not supported",
            ),
            (
                json!({"id": 7, "method": "m", "jsonrpc": "1.1"}),
                "JSON-RPC version not supported",
            ),
            (
                json!({"id": 7, "method": "m", "jsonrpc": 2}),
                "jsonrpc field must be a string",
            ),
        ] {
            let request = read(value);
            assert_eq!(request.id, Some(json!(7)));
            assert_eq!(request.call, Err(CallError::new(-32600, message)));
        }
    }

    #[test]
    fn the_first_of_several_members_of_a_name_counts_and_others_do_not() {
        let body = r#"{"method":"a","id":1,"more":{"method":"b"},"method":"c","params":[1]}"#;
        let Body::One(members) = serde_json::from_str(body).unwrap() else {
            panic!("one request");
        };
        let request = Request::read(members);
        let call = Call {
            method: "a".to_owned(),
            params: json!([1]),
        };
        assert_eq!((request.id, request.call), (Some(json!(1)), Ok(call)));
    }

    #[test]
    fn what_is_no_object_is_no_request() {
        for value in [
            json!(1),
            json!(1.5),
            json!("m"),
            json!([{}]),
            json!(true),
            Value::Null,
        ] {
            let body = serde_json::from_str(&value.to_string()).unwrap();
            assert_eq!(matches!(body, Body::Many(_)), value.is_array());
            assert!(!matches!(body, Body::One(_)));
            let request = read(value);
            assert_eq!(
                request.call,
                Err(CallError::new(-32600, "Invalid Request object"))
            );
        }
    }
}
