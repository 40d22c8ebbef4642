//! Authentication by cookie: a user and password, fresh at each start, in a file that only the owner
//! of the node can read, checked as HTTP's Basic authentication.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;
use subtle::ConstantTimeEq;

use crate::RpcError;

/// The user that the cookie names, as Bitcoin Core does.
const COOKIE_USER: &str = "__cookie__";

/// The cookie of a running server. The file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Cookie {
    path: PathBuf,
    credentials: Credentials,
}

impl Cookie {
    /// Makes new credentials and writes them to `path`, mode 0600, in one step: a reader sees the
    /// whole new content or none of it.
    pub(crate) fn create(path: &Path) -> Result<Self, RpcError> {
        let mut password = [0_u8; 32];
        rand::rngs::OsRng.fill_bytes(&mut password);
        let credentials = Credentials::new(COOKIE_USER, &hex::encode(password));
        write_private(path, credentials.0.as_bytes()).map_err(|source| RpcError::Cookie {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            credentials,
        })
    }

    /// What a request must present.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }
}

impl Drop for Cookie {
    fn drop(&mut self) {
        // Another server may have taken the path over; its cookie is not ours to delete.
        let ours = fs::read(&self.path).is_ok_and(|text| text == self.credentials.0.as_bytes());
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot delete the RPC cookie");
        }
    }
}

/// `user:password`.
#[derive(Clone)]
pub(crate) struct Credentials(String);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Credentials of this user.
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self(format!("{user}:{password}"))
    }

    /// Whether an `Authorization` header presents them. Takes the same time wherever the presented
    /// ones differ.
    pub(crate) fn accept(&self, header: Option<&str>) -> bool {
        let Some(presented) = header.and_then(basic_credentials) else {
            return false;
        };
        presented.ct_eq(self.0.as_bytes()).into()
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

/// Writes a file that only its owner can read, through a temporary one beside it.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    // A file left by a crash may have other permissions, which `mode` would not change.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn header(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn the_cookie_file_is_private_and_goes_with_the_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cookie");
        let cookie = Cookie::create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let (user, password) = text.split_once(':').unwrap();
        assert_eq!(user, "__cookie__");
        assert_eq!(password.len(), 64);
        assert!(password.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(cookie.credentials().accept(Some(&header(user, password))));
        drop(cookie);
        assert!(!path.exists());
    }

    #[test]
    fn a_new_cookie_replaces_an_old_one_and_survives_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cookie");
        let old = Cookie::create(&path).unwrap();
        let new = Cookie::create(&path).unwrap();
        drop(old);
        assert_eq!(fs::read_to_string(&path).unwrap(), new.credentials.0);
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let error = Cookie::create(Path::new("/nonexistent/.cookie")).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/.cookie"),
            "{error}"
        );
    }

    #[test]
    fn only_the_right_credentials_are_accepted() {
        let credentials = Credentials::new("user", "secret");
        assert!(credentials.accept(Some(&header("user", "secret"))));
        assert!(credentials.accept(Some(&header("user", "secret").replace("Basic", "basic"))));
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
            assert!(!credentials.accept(Some(&wrong)), "{wrong}");
        }
        assert!(!credentials.accept(None));
    }
}
