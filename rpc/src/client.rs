//! A blocking JSON-RPC client for the command line, the testnet launcher and the miner apart from the node. It
//! authenticates with a password, or with the node's cookie, which it reads anew for each call, because a restart
//! changes it.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The largest answer that is read: a block of four megabytes as JSON stays well below.
const MAX_RESPONSE_BYTES: u64 = 256 << 20;

/// The largest cookie that is read.
const MAX_COOKIE_BYTES: u64 = 4_096;

/// Who calls.
#[derive(Clone)]
pub enum Credentials {
    /// Whoever can read this file, which the node writes at its start.
    Cookie(PathBuf),
    /// A user with a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(path) => formatter.debug_tuple("Cookie").field(path).finish(),
            Self::Password { user, .. } => formatter.debug_tuple("Password").field(user).finish(),
        }
    }
}

/// A client of one node.
#[derive(Clone, Debug)]
pub struct RpcClient {
    agent: ureq::Agent,
    url: String,
    credentials: Credentials,
    max_answer_bytes: u64,
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
    #[error("{url}: {}", describe_status(*status))]
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
    /// A client of the node at `url` that gives up after `timeout`; never, if that is zero.
    #[must_use]
    pub fn new(url: String, cookie_path: PathBuf, timeout: Duration) -> Self {
        Self::with_credentials(url, Credentials::Cookie(cookie_path), timeout)
    }

    /// The same for whoever has these credentials.
    #[must_use]
    pub fn with_credentials(url: String, credentials: Credentials, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global((!timeout.is_zero()).then_some(timeout))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agent: config.into(),
            url,
            credentials,
            max_answer_bytes: MAX_RESPONSE_BYTES,
        }
    }

    /// Reads no larger answers than this.
    #[must_use]
    pub fn with_limit(mut self, max_answer_bytes: u64) -> Self {
        self.max_answer_bytes = max_answer_bytes;
        self
    }

    /// Calls a method; `params` is an array or an object.
    ///
    /// # Errors
    /// The node can't be reached, or refuses.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        self.send(self.agent.post(&self.url), method, params)
    }

    /// The same with a time of its own.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_within(
        &self,
        timeout: Duration,
        method: &str,
        params: Value,
    ) -> Result<Value, ClientError> {
        let post = self.agent.post(&self.url);
        let post = post.config().timeout_global(Some(timeout)).build();
        self.send(post, method, params)
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
        match self.answer(self.agent.post(&self.url), &requests)? {
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

    fn authorization(&self) -> Result<String, ClientError> {
        let pair = match &self.credentials {
            Credentials::Password { user, password } => format!("{user}:{password}"),
            Credentials::Cookie(path) => {
                read_cookie(path).map_err(|source| ClientError::Cookie {
                    path: path.clone(),
                    source,
                })?
            }
        };
        Ok(format!("Basic {}", STANDARD.encode(pair)))
    }

    fn send(
        &self,
        post: ureq::RequestBuilder<ureq::typestate::WithBody>,
        method: &str,
        params: Value,
    ) -> Result<Value, ClientError> {
        outcome(self.answer(post, &request(1, method, &params))?)
    }

    /// The answer to a body.
    fn answer(
        &self,
        post: ureq::RequestBuilder<ureq::typestate::WithBody>,
        body: &Value,
    ) -> Result<Value, ClientError> {
        let connection = |source: ureq::Error| ClientError::Connection {
            url: self.url.clone(),
            source: Box::new(source),
        };
        let mut response = post
            .header("Authorization", self.authorization()?)
            .send_json(body)
            .map_err(connection)?;
        let status = response.status().as_u16();
        match response
            .body_mut()
            .with_config()
            .limit(self.max_answer_bytes)
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

/// What an answer of this status means.
fn describe_status(status: u16) -> String {
    match status {
        401 => "the user or the password is wrong (HTTP status 401)".to_owned(),
        403 => "this address or this user may not call that (HTTP status 403)".to_owned(),
        503 => "the node has too much to do (HTTP status 503)".to_owned(),
        _ => format!("HTTP status {status}"),
    }
}

fn read_cookie(path: &Path) -> std::io::Result<String> {
    let mut cookie = String::new();
    std::fs::File::open(path)?
        .take(MAX_COOKIE_BYTES)
        .read_to_string(&mut cookie)?;
    Ok(cookie.trim().to_owned())
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
