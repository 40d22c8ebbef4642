//! What stands for a script in keys.

use pyrite_consensus::bitcoin::Script;
use pyrite_consensus::bitcoin::hashes::{Hash, sha256};

/// The SHA-256 of a script: keys have a fixed size, however long scripts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ScriptId(pub(crate) [u8; 32]);

impl ScriptId {
    pub(crate) fn of(script: &Script) -> Self {
        Self(sha256::Hash::hash(script.as_bytes()).to_byte_array())
    }
}
