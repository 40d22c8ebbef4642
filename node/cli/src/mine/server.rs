//! Where a node serves JSON-RPC, and who we are there: read from the URL of the command line.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use pyrite_rpc::{Credentials, RpcClient};

/// More than any template: four million bytes as hexadecimal digits, and their fields.
const MAX_ANSWER_BYTES: u64 = 32 << 20;

/// How long an answer may take, but for long polls.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A node that gives work.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// Its URL, without the password.
    pub(super) url: String,
    pub(super) client: RpcClient,
    /// Blocks that it is asked about.
    pub(super) submissions: Arc<AtomicUsize>,
}

impl Server {
    /// Reads `http://user:password@host:port`. Without a user the cookie's file says who we are.
    pub(super) fn parse(text: &str, cookie: Option<&Path>) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => bail!("--url: HTTPS is not spoken here; lead it through a tunnel"),
            "" if rest.contains('@') => bail!(
                "--url: a URL begins with http://; commas stand between URLs, so one in a password is written %2C"
            ),
            "" => bail!("--url: a URL begins with http://"),
            _ => bail!("--url: {scheme} is not spoken here, a node's JSON-RPC is http://"),
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        // Not shown: it may be a part of the password.
        ensure!(
            user.is_some() || !path.contains('@'),
            "--url: what stands before the @ has a character that means something else in a URL: write / as %2F, @ as %40, : in \
             the user's name as %3A, and % as %25"
        );
        let port = place.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        ensure!(
            matches!(port, Some(Ok(_))) && !place.starts_with(':'),
            "--url: {place:?} is not a host with a port, such as 127.0.0.1:9332"
        );
        let url = format!("http://{place}{path}");
        let credentials = match (user, cookie) {
            (Some(user), _) => {
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                Credentials::Password {
                    user: decoded(user)?,
                    password: decoded(password)?,
                }
            }
            (None, Some(cookie)) => Credentials::Cookie(cookie.to_owned()),
            (None, None) => bail!(
                "--url: {url} needs a user and a password (http://user:password@{place}), or --cookie with the node's \
                 cookie file"
            ),
        };
        let client = RpcClient::with_credentials(url.clone(), credentials, ANSWER_WITHIN)
            .with_limit(MAX_ANSWER_BYTES);
        Ok(Self {
            url,
            client,
            submissions: Arc::default(),
        })
    }
}

/// Whether a URL says who we are.
pub(super) fn has_user(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.contains('@')
}

/// Text of a URL, where %XX is a byte.
fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => bail!("--url: user or password is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_passwords_not_shown() {
        let server = Server::parse("http://me:p%40ss:w@node:8332", None).unwrap();
        assert_eq!(server.url, "http://node:8332/");
        let shown = format!("{server:?}");
        assert!(
            !shown.contains("p@ss") && !shown.contains("p%40ss"),
            "{shown}"
        );
        let wallet = Server::parse("HTTP://a:b@[::1]:1/wallet/w", None).unwrap();
        assert_eq!(wallet.url, "http://[::1]:1/wallet/w");
        assert!(Server::parse("http://node:1", Some(Path::new("c"))).is_ok());
        assert!(has_user("http://a:b@node:1") && !has_user("http://node:1/@"));
        let server = Server::parse("http://me:a%2Fb%2Cc%25@node:1", None).unwrap();
        assert_eq!(server.url, "http://node:1/");
        assert_eq!(decoded("a%2Fb%2Cc%25").unwrap(), "a/b,c%");
        assert_eq!(decoded("a%4").unwrap(), "a%4");
        assert_eq!(decoded("%61%zz").unwrap(), "a%zz");
    }

    #[test]
    fn other_urls_are_refused() {
        for (url, reason) in [
            ("node:1", "begins with http://"),
            ("https://a:b@node:1", "HTTPS"),
            ("stratum+tcp://node:1", "stratum+tcp is not spoken"),
            ("http://a:b@node", "with a port"),
            ("http://a:b@:1", "with a port"),
            ("http://a:b@node:99999", "with a port"),
            ("http://node:1", "--cookie"),
            ("http://%ff:b@node:1", "UTF-8"),
            ("http://me:secret/word@node:1", "write / as %2F"),
            ("word@node:1", "a password is written %2C"),
        ] {
            let error = Server::parse(url, None).unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
