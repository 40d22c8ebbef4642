//! What two nodes must agree on to connect.

use bitcoin::hashes::{Hash, sha256};

use super::address_kind::AddressKind;
use super::chain_spec::{ChainSpec, Difficulty};

/// Changes when the encoding below does.
const DOMAIN: &[u8] = b"pyrite chain identity 1";

impl ChainSpec {
    /// What two nodes must agree on to connect: a hash over every consensus-relevant field of the spec, as
    /// 64 hex digits. The name is part of it; the bootstrap peers and the blocks whose coins are known
    /// are not.
    pub fn identity(&self) -> String {
        let mut encoder = Encoder::default();
        encoder.bytes(DOMAIN);
        encoder.bytes(self.name.as_bytes());
        encoder.number(match self.address_kind {
            AddressKind::Mainnet => 0,
            AddressKind::Testnet => 1,
            AddressKind::Regtest => 2,
        });
        encoder.bytes(&self.magic);
        // The hash commits to everything in `GenesisSpec`.
        encoder.bytes(self.genesis_hash().as_byte_array());
        encoder.number(self.target_spacing_s.into());
        encoder.number(self.pow_limit.to_consensus().into());
        encoder.difficulty(&self.difficulty);
        encoder.number(self.initial_subsidy.to_sat());
        encoder.number(self.halving_interval.into());
        encoder.number(self.coinbase_maturity.into());
        encoder.number(self.limits.max_block_weight);
        encoder.number(self.limits.max_block_sigop_cost);
        let forks = &self.deployments;
        for height in [
            forks.bip16,
            forks.bip34,
            forks.bip65,
            forks.bip66,
            forks.csv,
            forks.segwit,
            forks.taproot,
        ] {
            encoder.number(height.into());
        }
        // Options that came later are at the end and only where they are in use, so that the chains
        // without them keep their identity.
        if let Some(after_s) = self.min_difficulty_after_s {
            encoder.number(after_s.into());
        }
        sha256::Hash::hash(&encoder.0).to_string()
    }
}

/// Fixed widths and length prefixes, so that two different specs never have the same encoding.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(u64::try_from(bytes.len()).expect("usize has at most 64 bits"));
        self.0.extend_from_slice(bytes);
    }

    fn difficulty(&mut self, difficulty: &Difficulty) {
        match *difficulty {
            Difficulty::Fixed => self.number(0),
            Difficulty::Retarget { interval, bip94 } => {
                self.number(if bip94 { 3 } else { 1 });
                self.number(interval.into());
            }
            Difficulty::Asert {
                half_life_s,
                anchor_height,
            } => {
                self.number(2);
                self.number(half_life_s.into());
                self.number(anchor_height.into());
            }
            Difficulty::Lwma { window } => {
                self.number(4);
                self.number(window.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use bitcoin::{Amount, CompactTarget, ScriptBuf};

    use super::*;
    use crate::spec::Allocation;

    #[test]
    fn every_consensus_field_counts() {
        let base = ChainSpec::pyrite();
        let changes: Vec<fn(&mut ChainSpec)> = vec![
            |spec| spec.name.push('2'),
            |spec| spec.address_kind = AddressKind::Testnet,
            |spec| spec.magic[3] ^= 1,
            |spec| spec.genesis.version += 1,
            |spec| spec.genesis.time += 1,
            |spec| spec.genesis.bits = CompactTarget::from_consensus(0x1e0f_fffe),
            |spec| spec.genesis.nonce += 1,
            |spec| spec.genesis.message.push('!'),
            |spec| {
                spec.genesis
                    .output_script
                    .push_opcode(bitcoin::opcodes::OP_TRUE)
            },
            |spec| spec.genesis.output_value = Amount::from_sat(1),
            |spec| {
                spec.genesis.allocations.push(Allocation {
                    script_pubkey: ScriptBuf::new(),
                    value: Amount::from_sat(1),
                });
            },
            |spec| spec.target_spacing_s += 1,
            |spec| spec.pow_limit = CompactTarget::from_consensus(0x1f00_fffe),
            |spec| spec.difficulty = Difficulty::Fixed,
            |spec| {
                spec.difficulty = Difficulty::Retarget {
                    interval: 600,
                    bip94: false,
                }
            },
            |spec| {
                spec.difficulty = Difficulty::Retarget {
                    interval: 600,
                    bip94: true,
                }
            },
            |spec| {
                spec.difficulty = Difficulty::Retarget {
                    interval: 601,
                    bip94: false,
                }
            },
            |spec| spec.difficulty = Difficulty::Lwma { window: 600 },
            |spec| spec.difficulty = Difficulty::Lwma { window: 601 },
            |spec| spec.min_difficulty_after_s = Some(0),
            |spec| spec.min_difficulty_after_s = Some(600),
            |spec| {
                spec.difficulty = Difficulty::Asert {
                    half_life_s: 601,
                    anchor_height: 1,
                }
            },
            |spec| {
                spec.difficulty = Difficulty::Asert {
                    half_life_s: 600,
                    anchor_height: 2,
                }
            },
            |spec| spec.initial_subsidy = Amount::from_sat(1),
            |spec| spec.halving_interval += 1,
            |spec| spec.coinbase_maturity += 1,
            |spec| spec.limits.max_block_weight -= 1,
            |spec| spec.limits.max_block_sigop_cost -= 1,
            |spec| spec.deployments.bip16 += 1,
            |spec| spec.deployments.bip34 += 1,
            |spec| spec.deployments.bip65 += 1,
            |spec| spec.deployments.bip66 += 1,
            |spec| spec.deployments.csv += 1,
            |spec| spec.deployments.segwit += 1,
            |spec| spec.deployments.taproot += 1,
        ];
        let mut identities = HashSet::from([base.identity()]);
        for (index, change) in changes.iter().enumerate() {
            let mut changed = base.clone();
            change(&mut changed);
            assert!(identities.insert(changed.identity()), "change {index}");
        }
    }

    /// Running networks would part from their own nodes.
    #[test]
    fn the_built_in_chains_keep_theirs() {
        for (name, identity) in [
            (
                "pyrite",
                "263e7e7b5ea9a9e341ce63619d26ad99274b8a918bdfd999d917a1c4e43c9b74",
            ),
            (
                "regtest",
                "171ee35acded8fd68d60a292dafd348380971e258736886bc075341be6993a91",
            ),
            (
                "mainnet",
                "f4d2e0e1635d87cacf2fe6a64fa789f0941245669e19e1dae755c0d51686de85",
            ),
        ] {
            let spec = ChainSpec::builtin(name).expect("a built-in chain");
            assert_eq!(spec.identity(), identity, "{name}");
        }
    }

    #[test]
    fn what_is_no_rule_does_not_count() {
        let mut spec = ChainSpec::pyrite();
        let identity = spec.identity();
        spec.assume_utxo = ChainSpec::regtest().assume_utxo;
        spec.bootstrap_peers.push("/ip4/127.0.0.1/tcp/1".to_owned());
        assert_eq!(spec.identity(), identity);
        assert_eq!(identity.len(), 64);
    }
}
