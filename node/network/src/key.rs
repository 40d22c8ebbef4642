//! The node's identity: an ed25519 key in a file that its owner alone can read.
//!
//! The file holds the 32-byte secret in hex and a newline. It is written to a temporary file and renamed,
//! so that a crash leaves either no key or a whole one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use libp2p::identity::{Keypair, ed25519};

use crate::NetworkError;

const SECRET_LENGTH: usize = 32;
/// More than a key file ever holds; what is longer is not read.
const MAX_FILE_LENGTH: u64 = 256;

/// Reads the key, or makes a new one where there is no file.
pub(crate) fn load_or_create(path: &Path) -> Result<Keypair, NetworkError> {
    let file_error = |source| NetworkError::KeyFile {
        path: path.to_owned(),
        source,
    };
    match File::open(path) {
        Ok(file) => {
            let mut text = Vec::new();
            file.take(MAX_FILE_LENGTH)
                .read_to_end(&mut text)
                .map_err(file_error)?;
            parse(&text).map_err(|reason| NetworkError::CorruptKey {
                path: path.to_owned(),
                reason: reason.to_owned(),
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = ed25519::Keypair::generate();
            store(path, key.secret().as_ref()).map_err(file_error)?;
            Ok(key.into())
        }
        Err(error) => Err(file_error(error)),
    }
}

fn parse(text: &[u8]) -> Result<Keypair, &'static str> {
    let digits = text.trim_ascii();
    if digits.len() != 2 * SECRET_LENGTH {
        return Err("it does not hold 64 hex digits");
    }
    let mut secret = [0_u8; SECRET_LENGTH];
    for (byte, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| "it holds more than hex digits")?;
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err("it holds more than hex digits");
        }
        *byte = u8::from_str_radix(pair, 16).map_err(|_| "it holds more than hex digits")?;
    }
    Keypair::ed25519_from_bytes(secret).map_err(|_| "it does not hold an ed25519 secret")
}

fn store(path: &Path, secret: &[u8]) -> io::Result<()> {
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::create_dir_all(directory)?;
    }
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&temporary)?;
    let mut text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_created_once_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/node.key");
        let first = load_or_create(&path).unwrap();
        let second = load_or_create(&path).unwrap();
        assert_eq!(first.public(), second.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_corrupt_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        for text in [
            "",
            "12",
            &"zz".repeat(32),
            &"+1".repeat(32),
            &"00".repeat(33),
        ] {
            fs::write(&path, text).unwrap();
            let error = load_or_create(&path).unwrap_err();
            assert!(
                matches!(&error, NetworkError::CorruptKey { path: named, .. } if *named == path)
            );
            assert!(error.to_string().contains("node.key"), "{error}");
        }
    }

    #[test]
    fn a_directory_is_not_a_key() {
        let directory = tempfile::tempdir().unwrap();
        let error = load_or_create(directory.path()).unwrap_err();
        assert!(matches!(error, NetworkError::KeyFile { .. }), "{error}");
    }
}
