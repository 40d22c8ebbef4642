//! The part of a coinbase that makes it, and so the header, unique.

/// Eight bytes in the coinbase's input script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extranonce([u8; Self::LEN]);

impl Extranonce {
    /// Its length in bytes.
    pub const LEN: usize = 8;

    /// `prefix` tells searchers apart, so that they need no coordination; `counter` tells one
    /// searcher's jobs apart.
    pub fn new(prefix: u32, counter: u32) -> Self {
        Self::from((u64::from(prefix) << 32) | u64::from(counter))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl From<u64> for Extranonce {
    fn from(number: u64) -> Self {
        Self(number.to_be_bytes())
    }
}

impl From<[u8; Extranonce::LEN]> for Extranonce {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl From<&[u8; Extranonce::LEN]> for Extranonce {
    fn from(bytes: &[u8; Self::LEN]) -> Self {
        Self(*bytes)
    }
}
