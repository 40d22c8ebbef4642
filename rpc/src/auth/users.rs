//! Users: the cookie's, and those with passwords, of which the node knows salted hashes only (Bitcoin Core's `-rpcauth`).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rand::RngCore;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::whitelist::{Permission, Whitelists};

/// Bytes of a new salt.
const SALT_BYTES: usize = 16;

/// A user and the salted hash of the password: `USER:SALT$HASH`, the HMAC-SHA256 of the password under the salt's text.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUser {
    name: String,
    salt: String,
    hash: String,
}

/// Without the hash.
impl fmt::Debug for RpcUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RpcUser").field(&self.name).finish()
    }
}

/// A text that describes no user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user is USER:SALT$HASH, as `pyrite rpcauth USER` prints it")]
pub struct BadUser;

impl RpcUser {
    /// A user with a password, under a new salt.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        let mut salt = [0; SALT_BYTES];
        rand::rngs::OsRng.fill_bytes(&mut salt);
        let salt = hex::encode(salt);
        Self {
            name: name.to_owned(),
            hash: salted_hash(&salt, password.as_bytes()),
            salt,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether name and password are this user's. Takes the same time wherever they differ.
    fn is(&self, name: &[u8], password: &[u8]) -> bool {
        let hash = salted_hash(&self.salt, password);
        let same = name.ct_eq(self.name.as_bytes()) & hash.as_bytes().ct_eq(self.hash.as_bytes());
        same.into()
    }
}

fn salted_hash(salt: &str, password: &[u8]) -> String {
    let mut hash = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).expect("a key has any length");
    hash.update(password);
    hex::encode(hash.finalize().into_bytes())
}

impl FromStr for RpcUser {
    type Err = BadUser;

    fn from_str(text: &str) -> Result<Self, BadUser> {
        let (name, rest) = text.split_once(':').ok_or(BadUser)?;
        let (salt, hash) = rest.split_once('$').ok_or(BadUser)?;
        if rest.contains(':') || hash.contains('$') {
            return Err(BadUser);
        }
        Ok(Self {
            name: name.to_owned(),
            salt: salt.to_owned(),
            hash: hash.to_owned(),
        })
    }
}

impl fmt::Display for RpcUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}${}", self.name, self.salt, self.hash)
    }
}

/// Somebody who may call.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The name.
    pub(crate) name: String,
    /// Tells callers apart.
    pub(crate) number: usize,
    /// What methods.
    pub(crate) permission: Permission,
    secret: Secret,
}

/// How somebody is known.
enum Secret {
    /// By `user:password`, which changes at every start.
    Plain(String),
    /// By a password whose hash is known.
    Salted(RpcUser),
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Everybody who may call.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Vec<Caller>);

impl Accounts {
    /// The cookie, given as its file's text, and the users.
    pub(crate) fn new(cookie: Option<&str>, users: &[RpcUser], whitelists: &Whitelists) -> Self {
        let cookie = cookie.map(|text| {
            (
                text.split(':').next().unwrap_or(text),
                Secret::Plain(text.to_owned()),
            )
        });
        let users = users
            .iter()
            .map(|user| (user.name(), Secret::Salted(user.clone())));
        let callers =
            cookie
                .into_iter()
                .chain(users)
                .enumerate()
                .map(|(number, (name, secret))| Caller {
                    name: name.to_owned(),
                    number,
                    permission: whitelists.permission(name),
                    secret,
                });
        Self(callers.collect())
    }

    /// The first of them, for tests.
    #[cfg(test)]
    pub(crate) fn first(&self) -> &Caller {
        &self.0[0]
    }

    /// Whom an `Authorization` header presents.
    pub(crate) fn identify(&self, header: &str) -> Option<&Caller> {
        let presented = basic_credentials(header)?;
        let colon = presented.iter().position(|byte| *byte == b':')?;
        let (name, password) = (&presented[..colon], &presented[colon + 1..]);
        self.0.iter().find(|caller| match &caller.secret {
            Secret::Plain(pair) => presented.ct_eq(pair.as_bytes()).into(),
            Secret::Salted(user) => user.is(name, password),
        })
    }
}

/// What a Basic `Authorization` header carries.
fn basic_credentials(header: &str) -> Option<Vec<u8>> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(encoded.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    fn name<'a>(accounts: &'a Accounts, header: &str) -> Option<&'a str> {
        accounts.identify(header).map(|caller| caller.name.as_str())
    }

    #[test]
    fn only_the_right_credentials_are_accepted() {
        let accounts = Accounts::new(Some("user:secret"), &[], &Whitelists::default());
        assert_eq!(name(&accounts, &header("user", "secret")), Some("user"));
        let lower_case = header("user", "secret").replace("Basic", "basic");
        assert_eq!(name(&accounts, &lower_case), Some("user"));
        for wrong in [
            header("user", "secre"),
            header("user", "secrets"),
            header("User", "secret"),
            header("", ""),
            "Basic".to_owned(),
            "Basic !!!".to_owned(),
            "Bearer dXNlcjpzZWNyZXQ=".to_owned(),
            String::new(),
        ] {
            assert_eq!(name(&accounts, &wrong), None, "{wrong}");
        }
    }

    /// HMAC-SHA256 of "secret" under the text "salt", reckoned with another program.
    #[test]
    fn a_hash_is_the_password_under_the_salts_text() {
        let user: RpcUser =
            "ann:salt$98e5340f0f4f96d2b80c2a90da0d03cf46c35e9492918cc7af73d9a39efa5981"
                .parse()
                .unwrap();
        assert!(user.is(b"ann", b"secret"));
        assert!(!user.is(b"ann", b"Secret"));
        assert!(!user.is(b"bob", b"secret"));
    }

    #[test]
    fn a_new_user_is_known_by_the_line_that_is_printed() {
        let made = RpcUser::new("ann", "pass:word$");
        let read: RpcUser = made.to_string().parse().unwrap();
        assert_eq!(read, made);
        let other = RpcUser::new("bob", "word");
        let accounts = Accounts::new(
            Some("__cookie__:00"),
            &[other, read],
            &Whitelists::default(),
        );
        assert_eq!(name(&accounts, &header("ann", "pass:word$")), Some("ann"));
        assert_eq!(name(&accounts, &header("bob", "word")), Some("bob"));
        assert_eq!(name(&accounts, &header("bob", "pass:word$")), None);
        assert_eq!(
            name(&accounts, &header("__cookie__", "00")),
            Some("__cookie__")
        );
    }

    #[test]
    fn nothing_secret_is_shown() {
        let user = RpcUser::new("ann", "word");
        assert_eq!(format!("{user:?}"), "RpcUser(\"ann\")");
        let accounts = Accounts::new(
            Some("c:hunter2"),
            std::slice::from_ref(&user),
            &Whitelists::default(),
        );
        let shown = format!("{accounts:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains(&user.hash),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_user_is_refused() {
        for text in [
            "",
            "ann",
            "ann:salt",
            "ann$salt",
            "ann:a:b$c",
            "ann:salt$a$b",
        ] {
            assert_eq!(text.parse::<RpcUser>(), Err(BadUser), "{text}");
        }
    }
}
