//! Pyrite's JSON-RPC server: Bitcoin Core's methods, field names and error codes over HTTP.
//!
//! A request passes through four layers. `server`, `connections`, `http` and `auth` are the transport: connections, limits, users.
//! `dialect` turns what Bitcoin clients of every age send into calls with positional parameters and
//! turns the outcomes back. `api` declares the methods, one trait for each family, and `handler`
//! holds their logic over one [`RpcContext`]. `json` has the JSON forms of Bitcoin's data, as pure
//! functions. [`RpcClient`] is the other side, for the command line and the testnet launcher.

mod api;
mod arguments;
mod auth;
mod call;
mod catalogue;
mod client;
mod config;
mod connections;
mod context;
mod core_methods;
mod dialect;
mod error;
mod handler;
mod help;
mod http;
mod json;
mod listener;
mod open_rpc;
mod params;
mod percent;
mod places;
mod psbt;
mod repeated_keys;
mod request_body;
mod rest;
mod scan;
mod server;
mod signing;
mod stop;
mod subscriptions;
mod work_end;

pub use arguments::{ParamPlace, argument, is_positional};
pub use auth::{BadSubnet, BadUser, RpcUser, Subnet, Whitelists};
pub use client::{ClientError, Credentials, RpcClient};
pub use config::{BindRule, RpcConfig};
pub use context::{OwnFields, RpcContext, ZmqNotification};
pub use core_methods::methods_page;
pub use error::RpcError;
pub use rest::RestMode;
pub use server::{RpcServer, StartProgress, listen, serve};
