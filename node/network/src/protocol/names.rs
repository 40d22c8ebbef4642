//! Names of protocols and topics. All of them carry the chain's name and identity.

use libp2p::StreamProtocol;
use libp2p::gossipsub::IdentTopic;

use crate::NetworkError;
use crate::address::shorten;

/// Hex digits of the identity that go into a name.
const IDENTITY_DIGITS: usize = 16;

/// The names that nodes of one chain share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// `/pyrite/<name>/<identity>`; this is also what identify tells as the protocol version.
    prefix: String,
}

impl Names {
    pub(crate) fn new(chain_name: &str, identity: &str) -> Result<Self, NetworkError> {
        let config_error = |reason: String| NetworkError::Config { reason };
        let name_is_good = !chain_name.is_empty()
            && chain_name.len() <= 32
            && chain_name
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if !name_is_good {
            return Err(config_error(format!(
                "chain name '{}' is not 1 to 32 of a-z, 0-9 and -",
                shorten(chain_name, 64)
            )));
        }
        match identity.get(..IDENTITY_DIGITS) {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => Ok(Self {
                prefix: format!("/pyrite/{chain_name}/{digits}"),
            }),
            _ => Err(config_error(
                "the chain's identity is not at least 16 hex digits".to_owned(),
            )),
        }
    }

    /// What identify tells as the protocol version.
    pub(crate) fn identify(&self) -> &str {
        &self.prefix
    }

    /// Requests and responses.
    pub(crate) fn sync(&self) -> StreamProtocol {
        StreamProtocol::try_from_owned(format!("{}/sync/1", self.prefix))
            .expect("a name that starts with a slash is valid")
    }

    /// Gossipsub's own protocol.
    pub(crate) fn gossip(&self) -> String {
        format!("{}/gossip", self.prefix)
    }

    /// The topic of blocks.
    pub(crate) fn blocks(&self) -> IdentTopic {
        IdentTopic::new(format!("{}/blocks/1", self.prefix))
    }

    /// The topic of transactions.
    pub(crate) fn transactions(&self) -> IdentTopic {
        IdentTopic::new(format!("{}/transactions/1", self.prefix))
    }
}

/// A sentence about the chain that another node's protocol version stands for.
pub(crate) fn describe(protocol_version: &str) -> String {
    let mut parts = protocol_version.split('/');
    match (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) {
        (Some(""), Some("pyrite"), Some(name), Some(identity), None) => {
            format!(
                "chain '{}' ({})",
                shorten(name, 32),
                shorten(identity, IDENTITY_DIGITS)
            )
        }
        _ => format!("no chain of Pyrite's ('{}')", shorten(protocol_version, 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_between_chains() {
        let a = Names::new("pyrite", "00112233445566778899").unwrap();
        let b = Names::new("pyrite", "00112233445566aa8899").unwrap();
        let c = Names::new("regtest", "00112233445566778899").unwrap();
        assert_eq!(a.sync().as_ref(), "/pyrite/pyrite/0011223344556677/sync/1");
        for other in [b, c] {
            assert_ne!(a.sync(), other.sync());
            assert_ne!(a.gossip(), other.gossip());
            assert_ne!(a.blocks().hash(), other.blocks().hash());
            assert_ne!(a.transactions().hash(), other.transactions().hash());
            assert_ne!(a.identify(), other.identify());
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for (name, identity) in [
            ("", "0011223344556677"),
            ("a/b", "0011223344556677"),
            ("a", "0011"),
            ("a", "001122334455667z"),
        ] {
            assert!(matches!(
                Names::new(name, identity),
                Err(NetworkError::Config { .. })
            ));
        }
    }

    #[test]
    fn other_chains_are_named() {
        assert_eq!(
            describe("/pyrite/x/0011223344556677"),
            "chain 'x' (0011223344556677)"
        );
        assert_eq!(describe("ipfs/1.0\n"), "no chain of Pyrite's ('ipfs/1.0?')");
    }
}
