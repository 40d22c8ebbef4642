//! The cookie: a user and password, fresh at each start, in a file that only the owner of the node can read, unless the
//! operator says otherwise.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rand::RngCore;

use crate::RpcError;

/// The user that the cookie names, as Bitcoin Core does.
const COOKIE_USER: &str = "__cookie__";

/// The mode of a file that its owner alone can read and write.
pub(crate) const OWNER_ONLY: u32 = 0o600;

/// The cookie of a running server. The file goes when this is dropped.
pub(crate) struct Cookie {
    path: PathBuf,
    text: String,
}

/// Without the password.
impl fmt::Debug for Cookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Cookie").field(&self.path).finish()
    }
}

impl Cookie {
    /// Makes new credentials and writes them to `path` with this mode, in one step: a reader sees the
    /// whole new content or none of it.
    pub(crate) fn create(path: &Path, mode: u32) -> Result<Self, RpcError> {
        let mut password = [0_u8; 32];
        rand::rngs::OsRng.fill_bytes(&mut password);
        let text = format!("{COOKIE_USER}:{}", hex::encode(password));
        write_private(path, text.as_bytes(), mode).map_err(|source| RpcError::Cookie {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// `user:password`, which a request must present.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl Drop for Cookie {
    fn drop(&mut self) {
        // Another server may have taken the path over; its cookie is not ours to delete.
        let ours = fs::read(&self.path).is_ok_and(|text| text == self.text.as_bytes());
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot delete the RPC cookie");
        }
    }
}

/// Writes a file that nobody can read before it has its mode, through a temporary one beside it.
fn write_private(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    // Behind the whole name: another ending in its place might be the name of somebody's file.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    // A file left by a crash may have other permissions, which `mode` would not change.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(&temporary)?;
    file.write_all(content)?;
    if mode != OWNER_ONLY {
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_file_is_private_and_goes_with_the_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cookie");
        let cookie = Cookie::create(&path, OWNER_ONLY).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let (user, password) = text.split_once(':').unwrap();
        assert_eq!(user, "__cookie__");
        assert_eq!(password.len(), 64);
        assert!(password.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(cookie.text(), text);
        drop(cookie);
        assert!(!path.exists());
    }

    #[test]
    fn files_beside_it_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (
            directory.path().join("cookie.txt"),
            directory.path().join("cookie.tmp"),
        );
        fs::write(&other, "kept").unwrap();
        let _cookie = Cookie::create(&path, OWNER_ONLY).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
        assert!(!directory.path().join("cookie.txt.tmp").exists());
    }

    #[test]
    fn others_can_read_it_if_the_operator_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cookie");
        let _cookie = Cookie::create(&path, 0o644).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }

    #[test]
    fn a_new_cookie_replaces_an_old_one_and_survives_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cookie");
        let old = Cookie::create(&path, OWNER_ONLY).unwrap();
        let new = Cookie::create(&path, OWNER_ONLY).unwrap();
        drop(old);
        assert_eq!(fs::read_to_string(&path).unwrap(), new.text);
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let error = Cookie::create(Path::new("/nonexistent/.cookie"), OWNER_ONLY).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/.cookie"),
            "{error}"
        );
    }
}
