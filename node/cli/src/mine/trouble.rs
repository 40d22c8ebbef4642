//! What keeps a server from giving work, in words for the miner's owner.

use pyrite_rpc::ClientError;

/// Bitcoin Core's error codes that say "later".
const NOT_CONNECTED: i64 = -9;
const INITIAL_DOWNLOAD: i64 = -10;
const WARMING_UP: i64 = -28;
/// JSON-RPC's own.
const NO_SUCH_METHOD: i64 = -32_601;

/// The longest reason that is told.
const MAX_REASON_CHARS: usize = 300;

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) reason: String,
    pub(super) remedy: Remedy,
}

/// What helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Trying again.
    Time,
    /// Somebody who changes the command or the node.
    Somebody,
}

impl Trouble {
    /// It may pass.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: printable(&reason.into()),
            remedy: Remedy::Time,
        }
    }

    /// It stays as it is.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self {
            reason: printable(&reason.into()),
            remedy: Remedy::Somebody,
        }
    }
}

/// Servers say what they like, but neither at any length nor to the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(MAX_REASON_CHARS)
        .collect()
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Status { status: 401, .. } => {
                Self::lasting("the node refuses the user or the password")
            }
            ClientError::Status { status: 403, .. } => {
                Self::lasting("the node does not serve JSON-RPC to this machine or user")
            }
            ClientError::Status { status, .. } => {
                Self::passing(format!("the node answers HTTP status {status}"))
            }
            ClientError::Cookie { path, source } => Self::passing(format!(
                "can't read the cookie {}: {source}; does the node run?",
                path.display()
            )),
            ClientError::Connection { source, .. } => {
                Self::passing(format!("the node does not answer: {source}"))
            }
            ClientError::Call { code, message } => match code {
                WARMING_UP => Self::passing(format!("the node is starting: {message}")),
                NOT_CONNECTED => Self::passing(format!("the node has no peers: {message}")),
                INITIAL_DOWNLOAD => {
                    Self::passing(format!("the node is still catching up: {message}"))
                }
                NO_SUCH_METHOD => Self::lasting(format!(
                    "the server does not give templates: {message} (error {code})"
                )),
                _ => Self::passing(format!("the node refuses: {message} (error {code})")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_short_and_harmless() {
        let trouble = Trouble::passing("\u{1b}[2Jx".repeat(1_000));
        assert_eq!(trouble.reason.chars().count(), 300);
        assert!(trouble.reason.starts_with("[2Jx[2Jx"), "{trouble:?}");
    }

    #[test]
    fn troubles_are_told_in_words() {
        let call = |code| ClientError::Call {
            code,
            message: "Loading".to_owned(),
        };
        let status = |status| ClientError::Status {
            url: String::new(),
            status,
        };
        for (error, words, remedy) in [
            (call(-28), "starting: Loading", Remedy::Time),
            (call(-9), "no peers", Remedy::Time),
            (call(-10), "catching up", Remedy::Time),
            (call(-32_601), "does not give templates", Remedy::Somebody),
            (call(-8), "refuses: Loading (error -8)", Remedy::Time),
            (status(401), "password", Remedy::Somebody),
            (status(403), "this machine", Remedy::Somebody),
            (status(503), "503", Remedy::Time),
        ] {
            let trouble = Trouble::from(error);
            assert!(trouble.reason.contains(words), "{trouble:?}");
            assert_eq!(trouble.remedy, remedy, "{trouble:?}");
        }
    }
}
