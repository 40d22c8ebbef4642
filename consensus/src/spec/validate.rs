//! What a spec must satisfy: ranges, combinations, and a genesis block that meets its own target.

use std::collections::BTreeSet;

use bitcoin::{Amount, BlockHash, CompactTarget};

use super::chain_spec::{ChainSpec, Deployments, Difficulty};
use crate::SpecError;
use crate::pow::{check_proof_of_work, decode_bits};

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

/// A few solve times are no average; and each block's check reads all of the window.
const MIN_WINDOW: u64 = 3;
const MAX_WINDOW: u64 = 10_000;

/// A retarget takes at least a quarter of the intended time: this keeps it above zero.
const MIN_TIMESPAN_S: u64 = 4;

const MAX_PEERS: u64 = 256;
const MAX_PEER_BYTES: usize = 256;

const MAX_ASSUME_UTXO: u64 = 1_000;

impl ChainSpec {
    /// Checks ranges, combinations, and that the genesis block meets its own target. `from_toml` calls it;
    /// call it on specs that are made otherwise from values of outside.
    ///
    /// # Errors
    /// The first thing that is wrong, with the name that the field has in the file.
    pub fn validate(&self) -> Result<(), SpecError> {
        match self.problems().into_iter().next() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Everything that `validate` finds wrong.
    pub fn problems(&self) -> Vec<SpecError> {
        let mut checker = Checker::new(self, BTreeSet::new());
        checker.check_all();
        checker.errors
    }
}

/// Checks a spec, and goes on after what is wrong.
pub(super) struct Checker<'a> {
    spec: &'a ChainSpec,
    /// Fields and tables whose value is wrong or could not be read. Checks that need them are left out.
    bad: BTreeSet<String>,
    /// What is wrong.
    pub(super) errors: Vec<SpecError>,
}

impl<'a> Checker<'a> {
    /// A checker of a spec whose `unread` fields have no meaning.
    pub(super) fn new(spec: &'a ChainSpec, unread: BTreeSet<String>) -> Self {
        Self {
            spec,
            bad: unread,
            errors: Vec::new(),
        }
    }

    /// All checks.
    pub(super) fn check_all(&mut self) {
        self.check_name();
        self.check_difficulty();
        self.check_min_difficulty();
        self.check_money();
        self.check_limits();
        self.check_deployments();
        self.check_peers();
        self.check_genesis();
        self.check_assume_utxo();
    }

    /// The hash of the genesis block, where the file says it.
    pub(super) fn check_genesis_hash(&mut self, expected: Option<BlockHash>) {
        self.combination(&["genesis"], |spec| match expected {
            Some(expected) if expected != spec.genesis_hash() => Err(SpecError::GenesisHash {
                expected,
                actual: spec.genesis_hash(),
            }),
            _ => Ok(()),
        });
    }

    /// A check of one field by itself.
    fn field(&mut self, field: &str, check: impl FnOnce(&ChainSpec) -> Result<(), SpecError>) {
        if self.is_bad(field) {
            return;
        }
        if let Err(error) = check(self.spec) {
            self.bad.insert(field.to_owned());
            self.errors.push(error);
        }
    }

    /// A check of several fields together, which means something only when each is good by itself.
    fn combination(
        &mut self,
        fields: &[&str],
        check: impl FnOnce(&ChainSpec) -> Result<(), SpecError>,
    ) {
        if fields.iter().any(|field| self.is_bad(field)) {
            return;
        }
        if let Err(error) = check(self.spec) {
            self.errors.push(error);
        }
    }

    fn range(&mut self, field: &str, value: u64, min: u64, max: u64) {
        self.field(field, |_| in_range(field, value, min, max));
    }

    /// Whether the field, a part of it, or what it is a part of is bad.
    fn is_bad(&self, field: &str) -> bool {
        let is_part = |part: &str, whole: &str| {
            part.strip_prefix(whole)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.bad
            .iter()
            .any(|bad| is_part(bad, field) || is_part(field, bad))
    }

    fn check_name(&mut self) {
        self.field("name", |spec| {
            let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
            let length = spec.name.len();
            if (1..=MAX_NAME_BYTES).contains(&length) && spec.name.bytes().all(allowed) {
                return Ok(());
            }
            Err(SpecError::Malformed {
                field: "name".to_owned(),
                value: spec.name.chars().take(2 * MAX_NAME_BYTES).collect(),
                expected: "1 to 32 characters of a-z, 0-9 and -",
            })
        });
    }

    fn check_difficulty(&mut self) {
        let spacing_s = u64::from(self.spec.target_spacing_s);
        self.range("target_spacing_s", spacing_s, 1, MAX_SPACING_S);
        self.field("pow_limit", |spec| is_target("pow_limit", spec.pow_limit));
        match self.spec.difficulty {
            Difficulty::Retarget { interval, .. } => {
                let name = "difficulty.interval";
                self.range(name, interval.into(), 2, u32::MAX.into());
                self.combination(&[name, "target_spacing_s"], |_| {
                    let timespan_s = u64::from(interval) * spacing_s;
                    if timespan_s >= MIN_TIMESPAN_S {
                        return Ok(());
                    }
                    Err(SpecError::TimespanTooShort {
                        timespan_s,
                        min_s: MIN_TIMESPAN_S,
                    })
                });
            }
            Difficulty::Asert {
                half_life_s,
                anchor_height,
            } => {
                let name = "difficulty.half_life_s";
                self.range(name, half_life_s.into(), 1, MAX_HALF_LIFE_S);
                let name = "difficulty.anchor_height";
                self.range(name, anchor_height.into(), 1, u32::MAX.into());
            }
            Difficulty::Lwma { window } => {
                let name = "difficulty.window";
                self.range(name, window.into(), MIN_WINDOW, MAX_WINDOW);
            }
            Difficulty::Fixed => {}
        }
    }

    fn check_min_difficulty(&mut self) {
        let name = "difficulty.min_difficulty_after_s";
        let Some(after_s) = self.spec.min_difficulty_after_s else {
            return;
        };
        self.combination(&[name, "target_spacing_s"], |spec| {
            let spacing_s = spec.target_spacing_s;
            if after_s > spacing_s {
                return Ok(());
            }
            Err(SpecError::MinDifficultyTooEarly { after_s, spacing_s })
        });
        let together = [name, "difficulty.algorithm", "genesis.bits", "pow_limit"];
        self.combination(&together, |spec| {
            if spec.difficulty == Difficulty::Fixed && spec.genesis.bits == spec.pow_limit {
                return Err(SpecError::MinDifficultyWithoutEffect);
            }
            Ok(())
        });
    }

    fn check_money(&mut self) {
        let spec = self.spec;
        let money = Amount::MAX_MONEY.to_sat();
        let subsidy_sat = spec.initial_subsidy.to_sat();
        self.range("initial_subsidy_sat", subsidy_sat, 0, money);
        let interval = spec.halving_interval.into();
        self.range("halving_interval", interval, 1, u32::MAX.into());
        let maturity = spec.coinbase_maturity.into();
        self.range("coinbase_maturity", maturity, 1, u32::MAX.into());
        let output_sat = spec.genesis.output_value.to_sat();
        self.range("genesis.output_value_sat", output_sat, 0, money);
        for (index, allocation) in spec.genesis.allocations.iter().enumerate() {
            let name = format!("genesis.allocations[{index}].value_sat");
            self.range(&name, allocation.value.to_sat(), 1, money);
        }
        // The sum is of all of them, so it counts as one field: the genesis block can't be made without it.
        self.field("genesis.allocations", |spec| {
            let values = spec.genesis.allocations.iter();
            let total_sat = values
                .map(|allocation| allocation.value.to_sat())
                .fold(0, u64::saturating_add);
            if total_sat <= money {
                return Ok(());
            }
            Err(SpecError::AllocationsTooLarge {
                total_sat,
                limit_sat: money,
            })
        });
    }

    fn check_limits(&mut self) {
        let limits = self.spec.limits;
        let name = "limits.max_block_weight";
        let weight = limits.max_block_weight;
        self.range(name, weight, MIN_BLOCK_WEIGHT, MAX_BLOCK_WEIGHT);
        let name = "limits.max_block_sigop_cost";
        let cost = limits.max_block_sigop_cost;
        self.range(name, cost, 1, MAX_BLOCK_SIGOP_COST);
    }

    /// Witness programs in P2SH need P2SH, and taproot is a version of witness programs.
    fn check_deployments(&mut self) {
        let Deployments {
            bip16,
            segwit,
            taproot,
            ..
        } = self.spec.deployments;
        let forks = [
            ("segwit", segwit, "bip16", bip16),
            ("taproot", taproot, "segwit", segwit),
        ];
        for (fork, height, base, base_height) in forks {
            let fields = [format!("deployments.{fork}"), format!("deployments.{base}")];
            self.combination(&[&fields[0], &fields[1]], |_| {
                if height >= base_height {
                    return Ok(());
                }
                Err(SpecError::DeploymentOrder { fork, base })
            });
        }
    }

    fn check_peers(&mut self) {
        let peers = &self.spec.bootstrap_peers;
        let count = u64::try_from(peers.len()).unwrap_or(u64::MAX);
        self.range("the number of bootstrap_peers", count, 0, MAX_PEERS);
        for (index, peer) in peers.iter().enumerate() {
            let field = format!("bootstrap_peers[{index}]");
            self.field(&field, |_| {
                // The network layer knows the rest of the syntax.
                if peer.starts_with('/') && peer.len() <= MAX_PEER_BYTES {
                    return Ok(());
                }
                Err(SpecError::Malformed {
                    field: field.clone(),
                    value: peer.chars().take(MAX_PEER_BYTES).collect(),
                    expected: "a multiaddr such as /ip4/127.0.0.1/tcp/9333",
                })
            });
        }
    }

    /// Heights ascend, no block is named twice, and each block of a chain has a transaction at least.
    fn check_assume_utxo(&mut self) {
        let entries = &self.spec.assume_utxo;
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        self.range("the number of assume_utxo", count, 0, MAX_ASSUME_UTXO);
        let mut least = 1;
        let mut blocks = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            let height = u64::from(entry.height.0);
            let name = format!("assume_utxo[{index}].height");
            self.range(&name, height, least, u32::MAX.into());
            least = least.max(height + 1);
            let name = format!("assume_utxo[{index}].chain_tx_count");
            self.range(&name, entry.chain_tx_count, height + 1, u64::MAX / 2);
            let name = format!("assume_utxo[{index}].block_hash");
            let is_new = blocks.insert(entry.block_hash);
            self.field(&name, |_| {
                if is_new {
                    return Ok(());
                }
                Err(SpecError::Malformed {
                    field: name.clone(),
                    value: entry.block_hash.to_string(),
                    expected: "a block that no entry before names",
                })
            });
        }
    }

    fn check_genesis(&mut self) {
        self.field("genesis.message", |spec| {
            let length = u64::try_from(spec.genesis.message.len()).unwrap_or(u64::MAX);
            let name = "the length of genesis.message";
            in_range(name, length, 0, MAX_MESSAGE_BYTES)
        });
        self.field("genesis.bits", |spec| {
            is_target("genesis.bits", spec.genesis.bits)
        });
        self.combination(&["genesis.bits", "pow_limit"], |spec| {
            let (bits, pow_limit) = (spec.genesis.bits, spec.pow_limit);
            if decode_bits(bits) <= decode_bits(pow_limit) {
                return Ok(());
            }
            Err(SpecError::BitsAboveLimit { bits, pow_limit })
        });
        self.combination(&["genesis", "limits.max_block_weight"], |spec| {
            let weight = spec.genesis_block().weight().to_wu();
            let limit = spec.limits.max_block_weight;
            if weight <= limit {
                return Ok(());
            }
            Err(SpecError::GenesisTooHeavy { weight, limit })
        });
        self.combination(&["genesis"], |spec| {
            let header = spec.genesis_block().header;
            // Its own bits as the limit: whether they are within the chain's was checked above.
            check_proof_of_work(&header, header.bits).map_err(|_| SpecError::GenesisProofOfWork {
                hash: header.block_hash(),
                bits: header.bits,
            })
        });
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
