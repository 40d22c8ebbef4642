//! A blocking JSON-RPC client for the command line and the testnet launcher. It authenticates with the
//! node's cookie, which it reads anew for each call, because a restart changes it.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The largest answer that is read: a block of four megabytes as JSON stays well below.
const MAX_RESPONSE_BYTES: u64 = 256 << 20;

/// A client of one node.
#[derive(Clone, Debug)]
pub struct RpcClient {
    agent: ureq::Agent,
    url: String,
    cookie_path: PathBuf,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The cookie can't be read: the node does not run, or it is another user's.
    #[error("cookie {}: {source}", path.display())]
    Cookie {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node does not answer.
    #[error("{url}: {source}")]
    Connection {
        /// Where it was expected.
        url: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The node answers something that is not JSON-RPC.
    #[error("{url}: HTTP status {status}")]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
    },
    /// The node refuses the call.
    #[error("{message} (error {code})")]
    Call {
        /// Bitcoin Core's error code.
        code: i64,
        /// The reason.
        message: String,
    },
}

impl RpcClient {
    /// A client of the node at `url` that gives up after `timeout`.
    #[must_use]
    pub fn new(url: String, cookie_path: PathBuf, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agent: config.into(),
            url,
            cookie_path,
        }
    }

    /// Calls a method; `params` is an array or an object.
    ///
    /// # Errors
    /// The node can't be reached, or refuses.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        outcome(self.post(&request(1, method, &params))?)
    }

    /// Calls a method once for each of `params`, in one request, and returns the outcomes in their order.
    ///
    /// # Errors
    /// The node can't be reached, or answers something else. What it refuses is among the outcomes.
    pub fn call_many(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<Vec<Result<Value, ClientError>>, ClientError> {
        let requests: Value = params
            .iter()
            .enumerate()
            .map(|(id, params)| request(id, method, params))
            .collect();
        match self.post(&requests)? {
            // Answers of a batch are in the order of its requests.
            Value::Array(answers) if answers.len() == params.len() => {
                Ok(answers.into_iter().map(outcome).collect())
            }
            answer => Err(outcome(answer).err().unwrap_or(ClientError::Status {
                url: self.url.clone(),
                status: 200,
            })),
        }
    }

    /// The answer to a body.
    fn post(&self, body: &Value) -> Result<Value, ClientError> {
        let cookie =
            std::fs::read_to_string(&self.cookie_path).map_err(|source| ClientError::Cookie {
                path: self.cookie_path.clone(),
                source,
            })?;
        let connection = |source: ureq::Error| ClientError::Connection {
            url: self.url.clone(),
            source: Box::new(source),
        };
        let mut response = self
            .agent
            .post(&self.url)
            .header(
                "Authorization",
                format!("Basic {}", STANDARD.encode(cookie.trim())),
            )
            .send_json(body)
            .map_err(connection)?;
        let status = response.status().as_u16();
        match response
            .body_mut()
            .with_config()
            .limit(MAX_RESPONSE_BYTES)
            .read_json()
        {
            Ok(answer) => Ok(answer),
            Err(_) if status != 200 => Err(ClientError::Status {
                url: self.url.clone(),
                status,
            }),
            Err(error) => Err(connection(error)),
        }
    }
}

fn request(id: usize, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// What is in an answer.
fn outcome(mut answer: Value) -> Result<Value, ClientError> {
    match answer.get("error") {
        None | Some(Value::Null) => Ok(answer.get_mut("result").map_or(Value::Null, Value::take)),
        Some(error) => Err(ClientError::Call {
            code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
            message: error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or("no message")
                .to_owned(),
        }),
    }
}
