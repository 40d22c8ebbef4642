//! Who may use JSON-RPC, and from where.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use pyrite_rpc::{RpcUser, Subnet, Whitelists};
use serde::{Deserialize, Deserializer};

use super::{DEFAULT_RPC_BIND, NodeOptions};
use crate::NodeError;

/// A text that is not shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// Where the RPC cookie is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RpcCookie {
    /// In its place in the data directory.
    #[default]
    InPlace,
    /// In this file.
    At(PathBuf),
    /// There is none: only users with passwords may call.
    None,
}

/// Who may use JSON-RPC, and from where, beside this machine's users who can read the cookie.
#[derive(Clone, Debug, Default)]
pub struct RpcAccess {
    /// Users with passwords.
    pub users: Vec<RpcUser>,
    /// The methods that each may call.
    pub whitelists: Whitelists,
    /// Addresses that may connect, beside this machine's.
    pub allowed: Vec<Subnet>,
}

impl NodeOptions {
    /// Where JSON-RPC is served: one address at least.
    pub(super) fn rpc_bind(&self) -> Result<Vec<SocketAddr>, NodeError> {
        if self.rpc_bind.is_empty() {
            return Ok(vec![parse_rpc_bind(DEFAULT_RPC_BIND)?]);
        }
        self.rpc_bind
            .iter()
            .map(|text| parse_rpc_bind(text))
            .collect()
    }

    pub(super) fn rpc_access(&self) -> Result<RpcAccess, NodeError> {
        let mut users: Vec<RpcUser> = read_all("rpc-auth", &self.rpc_auth)?;
        match (&self.rpc_user, &self.rpc_password) {
            (_, Some(Secret(password))) => {
                let name = self.rpc_user.as_deref().unwrap_or_default();
                users.push(RpcUser::new(name, password));
            }
            (Some(name), None) => {
                return Err(NodeError::Setting {
                    setting: "rpc-user",
                    detail: format!("{name} needs --rpc-password"),
                });
            }
            (None, None) => {}
        }
        let mut whitelists = Whitelists::default();
        for list in &self.rpc_whitelist {
            whitelists.add(list);
        }
        whitelists.deny_without_list(self.rpc_whitelist_default);
        Ok(RpcAccess {
            users,
            whitelists,
            allowed: read_all("rpc-allow-ip", &self.rpc_allow_ip)?,
        })
    }
}

/// A text, or a list of texts: there was one address only once.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a string or a list of strings")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(from)? {
        OneOrMore::One(text) => vec![text],
        OneOrMore::More(texts) => texts,
    })
}

/// Reads each text of a setting. A user's text is not repeated in the error: it has the hash.
fn read_all<T: FromStr<Err: fmt::Display>>(
    setting: &'static str,
    texts: &[String],
) -> Result<Vec<T>, NodeError> {
    let read = texts.iter().map(|text| text.parse());
    read.collect::<Result<_, T::Err>>()
        .map_err(|error| NodeError::Setting {
            setting,
            detail: error.to_string(),
        })
}

fn parse_rpc_bind(text: &str) -> Result<SocketAddr, NodeError> {
    text.parse().map_err(|_| NodeError::Setting {
        setting: "rpc-bind",
        detail: format!("{text} is not an address and port such as {DEFAULT_RPC_BIND}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(options: &NodeOptions) -> String {
        let error = options.rpc_access().unwrap_err();
        match error {
            NodeError::Setting { setting, detail } => format!("{setting}: {detail}"),
            error => panic!("{error}"),
        }
    }

    #[test]
    fn users_lists_and_addresses_are_read() {
        let line = RpcUser::new("ann", "word").to_string();
        let options = NodeOptions {
            rpc_auth: vec![line.clone()],
            rpc_user: Some("bob".to_owned()),
            rpc_password: "secret".parse().ok(),
            rpc_allow_ip: vec!["10.0.0.0/8".to_owned()],
            ..NodeOptions::default()
        };
        let access = options.rpc_access().unwrap();
        assert_eq!(access.users[0].to_string(), line);
        assert_eq!(access.users[1].name(), "bob");
        assert_eq!(access.allowed, ["10.0.0.0/8".parse().unwrap()]);
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_hash_is_repeated() {
        let bad_user = NodeOptions {
            rpc_auth: vec!["ann:salt".to_owned()],
            ..NodeOptions::default()
        };
        let message = setting(&bad_user);
        assert!(
            message.starts_with("rpc-auth: ") && !message.contains("salt"),
            "{message}"
        );
        let bad_address = NodeOptions {
            rpc_allow_ip: vec!["somewhere".to_owned()],
            ..NodeOptions::default()
        };
        assert!(setting(&bad_address).starts_with("rpc-allow-ip: somewhere"));
        let no_password = NodeOptions {
            rpc_user: Some("bob".to_owned()),
            ..NodeOptions::default()
        };
        assert!(setting(&no_password).starts_with("rpc-user: bob"));
    }

    #[test]
    fn a_file_has_one_address_or_several() {
        for (text, count) in [("rpc-bind = \"a\"", 1), ("rpc-bind = [\"a\", \"b\"]", 2)] {
            let options = NodeOptions::from_toml("x".as_ref(), text).unwrap();
            assert_eq!(options.rpc_bind.len(), count);
        }
        assert!(NodeOptions::from_toml("x".as_ref(), "rpc-bind = 5").is_err());
    }

    #[test]
    fn several_addresses_are_served() {
        let bind = |texts: &[&str]| {
            let rpc_bind = texts.iter().map(|text| (*text).to_owned()).collect();
            let options = NodeOptions {
                rpc_bind,
                ..NodeOptions::default()
            };
            options.rpc_bind().map(|list| list.len())
        };
        assert_eq!(bind(&[]).unwrap(), 1);
        assert_eq!(bind(&["127.0.0.1:1", "[::1]:1"]).unwrap(), 2);
        assert!(bind(&["127.0.0.1"]).is_err());
    }
}
