//! What a spec must satisfy: ranges, combinations, and a genesis block that meets its own target.

use bitcoin::{Amount, CompactTarget};

use super::chain_spec::{ChainSpec, Deployments, Difficulty};
use crate::pow::{check_proof_of_work, decode_bits};
use crate::{HeaderError, SpecError};

const MAX_NAME_BYTES: usize = 32;

/// The coinbase's input script has at most 100 bytes, of which 9 are pushes (Bitcoin Core's
/// `CheckTransaction`).
const MAX_MESSAGE_BYTES: u64 = 91;

/// Room for a coinbase with a witness commitment and a payment or two.
const MIN_BLOCK_WEIGHT: u64 = 4_000;
const MAX_BLOCK_WEIGHT: u64 = 4_000_000;
const MAX_BLOCK_SIGOP_COST: u64 = 80_000;

/// A month, and ten years: anything above is a mistake.
const MAX_SPACING_S: u64 = 30 * 86_400;
const MAX_HALF_LIFE_S: u64 = 10 * 365 * 86_400;

/// A retarget takes at least a quarter of the intended time: this keeps it above zero.
const MIN_TIMESPAN_S: u64 = 4;

const MAX_PEERS: u64 = 256;
const MAX_PEER_BYTES: usize = 256;

impl ChainSpec {
    /// Checks ranges, combinations, and that the genesis block meets its own target. `from_toml` calls it;
    /// call it on specs that are made otherwise from values of outside.
    ///
    /// # Errors
    /// The first thing that is wrong, with the name that the field has in the file.
    pub fn validate(&self) -> Result<(), SpecError> {
        self.check_name()?;
        self.check_difficulty()?;
        self.check_money()?;
        self.check_limits()?;
        self.check_deployments()?;
        self.check_peers()?;
        self.check_genesis()
    }

    fn check_name(&self) -> Result<(), SpecError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let length = self.name.len();
        if (1..=MAX_NAME_BYTES).contains(&length) && self.name.bytes().all(allowed) {
            return Ok(());
        }
        Err(SpecError::Malformed {
            field: "name".to_owned(),
            value: self.name.chars().take(2 * MAX_NAME_BYTES).collect(),
            expected: "1 to 32 characters of a-z, 0-9 and -",
        })
    }

    fn check_difficulty(&self) -> Result<(), SpecError> {
        let spacing_s = u64::from(self.target_spacing_s);
        in_range("target_spacing_s", spacing_s, 1, MAX_SPACING_S)?;
        is_target("pow_limit", self.pow_limit)?;
        match self.difficulty {
            Difficulty::Retarget { interval } => {
                in_range("difficulty.interval", interval.into(), 2, u32::MAX.into())?;
                let timespan_s = u64::from(interval) * spacing_s;
                if timespan_s < MIN_TIMESPAN_S {
                    return Err(SpecError::TimespanTooShort {
                        timespan_s,
                        min_s: MIN_TIMESPAN_S,
                    });
                }
            }
            Difficulty::Asert {
                half_life_s,
                anchor_height,
            } => {
                in_range(
                    "difficulty.half_life_s",
                    half_life_s.into(),
                    1,
                    MAX_HALF_LIFE_S,
                )?;
                in_range(
                    "difficulty.anchor_height",
                    anchor_height.into(),
                    1,
                    u32::MAX.into(),
                )?;
            }
            Difficulty::Fixed => {}
        }
        Ok(())
    }

    fn check_money(&self) -> Result<(), SpecError> {
        let money = Amount::MAX_MONEY.to_sat();
        in_range(
            "initial_subsidy_sat",
            self.initial_subsidy.to_sat(),
            0,
            money,
        )?;
        in_range(
            "halving_interval",
            self.halving_interval.into(),
            1,
            u32::MAX.into(),
        )?;
        in_range(
            "coinbase_maturity",
            self.coinbase_maturity.into(),
            1,
            u32::MAX.into(),
        )?;
        in_range(
            "genesis.output_value_sat",
            self.genesis.output_value.to_sat(),
            0,
            money,
        )?;
        let mut total_sat: u64 = 0;
        for (index, allocation) in self.genesis.allocations.iter().enumerate() {
            let value_sat = allocation.value.to_sat();
            in_range(
                &format!("genesis.allocations[{index}].value_sat"),
                value_sat,
                1,
                money,
            )?;
            total_sat = total_sat.saturating_add(value_sat);
        }
        if total_sat > money {
            return Err(SpecError::AllocationsTooLarge {
                total_sat,
                limit_sat: money,
            });
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), SpecError> {
        let limits = &self.limits;
        let weight = limits.max_block_weight;
        in_range(
            "limits.max_block_weight",
            weight,
            MIN_BLOCK_WEIGHT,
            MAX_BLOCK_WEIGHT,
        )?;
        let sigop_cost = limits.max_block_sigop_cost;
        in_range(
            "limits.max_block_sigop_cost",
            sigop_cost,
            1,
            MAX_BLOCK_SIGOP_COST,
        )
    }

    /// Witness programs in P2SH need P2SH, and taproot is a version of witness programs.
    fn check_deployments(&self) -> Result<(), SpecError> {
        let Deployments {
            bip16,
            segwit,
            taproot,
            ..
        } = self.deployments;
        if segwit < bip16 {
            return Err(SpecError::DeploymentOrder {
                fork: "segwit",
                base: "bip16",
            });
        }
        if taproot < segwit {
            return Err(SpecError::DeploymentOrder {
                fork: "taproot",
                base: "segwit",
            });
        }
        Ok(())
    }

    fn check_peers(&self) -> Result<(), SpecError> {
        let count = u64::try_from(self.bootstrap_peers.len()).unwrap_or(u64::MAX);
        in_range("the number of bootstrap_peers", count, 0, MAX_PEERS)?;
        for (index, peer) in self.bootstrap_peers.iter().enumerate() {
            // The network layer knows the rest of the syntax.
            if !peer.starts_with('/') || peer.len() > MAX_PEER_BYTES {
                return Err(SpecError::Malformed {
                    field: format!("bootstrap_peers[{index}]"),
                    value: peer.chars().take(MAX_PEER_BYTES).collect(),
                    expected: "a multiaddr such as /ip4/127.0.0.1/tcp/9333",
                });
            }
        }
        Ok(())
    }

    fn check_genesis(&self) -> Result<(), SpecError> {
        let genesis = &self.genesis;
        let length = u64::try_from(genesis.message.len()).unwrap_or(u64::MAX);
        in_range(
            "the length of genesis.message",
            length,
            0,
            MAX_MESSAGE_BYTES,
        )?;
        is_target("genesis.bits", genesis.bits)?;
        let block = self.genesis_block();
        let limit = self.limits.max_block_weight;
        if block.weight().to_wu() > limit {
            return Err(SpecError::GenesisTooHeavy {
                weight: block.weight().to_wu(),
                limit,
            });
        }
        check_proof_of_work(&block.header, self.pow_limit).map_err(|error| match error {
            HeaderError::InvalidTarget { bits, pow_limit } => {
                SpecError::BitsAboveLimit { bits, pow_limit }
            }
            _ => SpecError::GenesisProofOfWork {
                hash: block.block_hash(),
                bits: genesis.bits,
            },
        })
    }
}

fn in_range(field: &str, value: u64, min: u64, max: u64) -> Result<(), SpecError> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(SpecError::OutOfRange {
            field: field.to_owned(),
            value,
            min,
            max,
        })
    }
}

fn is_target(field: &'static str, bits: CompactTarget) -> Result<(), SpecError> {
    match decode_bits(bits) {
        Some(_) => Ok(()),
        None => Err(SpecError::InvalidBits { field, bits }),
    }
}

#[cfg(test)]
mod tests;
