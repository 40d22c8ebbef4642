//! Where the server listens, who may call, and the limits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::{OWNER_ONLY, RpcUser, Subnet, Whitelists};
use crate::rest::RestMode;

/// What to do about an address that can't be listened on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindRule {
    /// It is an error.
    #[default]
    All,
    /// It is one when none is left, as in Bitcoin Core.
    Any,
}

/// Where the server listens, who may call, and the limits.
#[derive(Clone, Debug)]
pub struct RpcConfig {
    /// The addresses; port 0 takes any that is free.
    pub bind: Vec<SocketAddr>,
    /// Whether the server must have all of them.
    pub bind_rule: BindRule,
    /// The cookie file: written when the server starts, deleted when it stops. Without one only the users may call.
    pub cookie_path: Option<PathBuf>,
    /// Its mode, 0600 if nobody says otherwise.
    pub cookie_mode: u32,
    /// Users with passwords, beside the cookie's.
    pub users: Vec<RpcUser>,
    /// The methods that each may call.
    pub whitelists: Whitelists,
    /// Addresses that may connect, beside this machine's.
    pub allowed: Vec<Subnet>,
    /// Whether to serve the REST interface of Bitcoin Core too, to whoever may connect.
    pub rest: RestMode,
    /// The longest body of a request, in bytes.
    pub max_request_bytes: usize,
    /// How long a body may take to arrive, how long a connection may be idle, and how long a subscriber may take to make room
    /// for the next event.
    pub request_timeout: Duration,
    /// HTTP requests that are carried out at a time, apart from those that only wait. One more stands in line for a second,
    /// and is answered with status 503 then.
    pub max_requests: usize,
    /// Connections that are open at a time, apart from those of subscribers; further ones wait.
    pub max_connections: usize,
    /// WebSockets that are open at a time; one more is answered with status 503.
    pub max_subscribers: usize,
}

impl RpcConfig {
    /// One address, a cookie, and the default limits: 32 MiB and 30 seconds for a request, 64 requests, 512 connections, 16,384
    /// subscribers.
    #[must_use]
    pub fn new(bind: SocketAddr, cookie_path: PathBuf) -> Self {
        Self {
            bind: vec![bind],
            bind_rule: BindRule::All,
            cookie_path: Some(cookie_path),
            cookie_mode: OWNER_ONLY,
            users: Vec::new(),
            whitelists: Whitelists::default(),
            allowed: Vec::new(),
            rest: RestMode::Off,
            max_request_bytes: 32 * 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            max_requests: 64,
            max_connections: 512,
            max_subscribers: 16_384,
        }
    }
}
