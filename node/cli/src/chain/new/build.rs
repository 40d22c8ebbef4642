//! From a base chain and the fields that are to be other: a spec whose genesis block is still to be mined.

use anyhow::{Result, anyhow, bail};
use pyrite_consensus::bitcoin::{CompactTarget, ScriptBuf, Target, Work};
use pyrite_consensus::pow::lwma::recommended_window;
use pyrite_consensus::spec::{AddressKind, Allocation, Difficulty};
use pyrite_consensus::{AddressError, ChainSpec};

use super::fields::{
    Algorithm, AllocationField, DifficultyFields, Fields, GenesisFields, OrNever, RuleFields,
};

const DEFAULT_NAME: &str = "my-chain";

/// The half-life of `pyrite`, in blocks.
const HALF_LIFE_BLOCKS: u32 = 60;

/// How many times harder than its limit `pyrite` starts: room for hash power to leave.
const HASHES_ABOVE_LIMIT: f64 = 16.0;

const BITCOIN_INTERVAL: u32 = 2_016;

/// The spec. `now` (Unix seconds) is the genesis block's time where no field says it.
///
/// # Errors
/// A field belongs to another difficulty algorithm, or a recipient is no address of the chain and no script.
pub(super) fn build(base: ChainSpec, fields: &Fields, now: u64) -> Result<ChainSpec> {
    let mut spec = base;
    spec.name = fields
        .name
        .clone()
        .unwrap_or_else(|| DEFAULT_NAME.to_owned());
    // Those of the base chain are on another network.
    spec.bootstrap_peers = fields.bootstrap_peers.clone();
    // Those of the base chain are not blocks of this one.
    spec.assume_utxo.clear();
    set(&mut spec.address_kind, fields.address_kind.map(Into::into));
    set(&mut spec.magic, fields.magic);
    set(&mut spec.initial_subsidy, fields.subsidy);
    set(&mut spec.halving_interval, fields.halving_interval);
    set(&mut spec.coinbase_maturity, fields.coinbase_maturity);
    set_difficulty(&mut spec, fields.spacing, &fields.difficulty)?;
    set_rules(&mut spec, &fields.rules);
    set_genesis(&mut spec, &fields.genesis, now)?;
    Ok(spec)
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn set_difficulty(
    spec: &mut ChainSpec,
    spacing_s: Option<u32>,
    fields: &DifficultyFields,
) -> Result<()> {
    let old_spacing_s = spec.target_spacing_s;
    set(&mut spec.target_spacing_s, spacing_s);
    let algorithm = fields
        .difficulty
        .unwrap_or_else(|| algorithm_of(&spec.difficulty));
    check_parameters(algorithm, fields)?;
    if algorithm != algorithm_of(&spec.difficulty) {
        spec.difficulty = default_difficulty(algorithm, spec.target_spacing_s);
    } else if let Difficulty::Asert { half_life_s, .. } = &mut spec.difficulty {
        // As many blocks as before.
        let scaled = u64::from(*half_life_s) * u64::from(spec.target_spacing_s)
            / u64::from(old_spacing_s.max(1));
        *half_life_s = u32::try_from(scaled).unwrap_or(u32::MAX).max(1);
    }
    match &mut spec.difficulty {
        Difficulty::Asert {
            half_life_s,
            anchor_height,
        } => {
            set(half_life_s, fields.half_life);
            set(anchor_height, fields.anchor_height);
        }
        Difficulty::Lwma { window } => set(window, fields.window),
        Difficulty::Retarget { interval, bip94 } => {
            set(interval, fields.interval);
            set(bip94, fields.bip94);
        }
        Difficulty::Fixed => {}
    }
    if let Some(OrNever(after_s)) = fields.min_difficulty_after {
        spec.min_difficulty_after_s = after_s;
    }
    set(&mut spec.pow_limit, fields.pow_limit);
    set(&mut spec.genesis.bits, fields.genesis_bits);
    if let Some(hash_rate) = fields.start_hashrate {
        let hashes = hash_rate * f64::from(spec.target_spacing_s);
        spec.genesis.bits = bits_of(hashes);
        let limit = Target::from_compact(spec.pow_limit);
        if fields.pow_limit.is_none() && Target::from_compact(spec.genesis.bits) > limit {
            spec.pow_limit = bits_of(hashes / HASHES_ABOVE_LIMIT);
        }
    }
    Ok(())
}

fn algorithm_of(difficulty: &Difficulty) -> Algorithm {
    match difficulty {
        Difficulty::Asert { .. } => Algorithm::Asert,
        Difficulty::Lwma { .. } => Algorithm::Lwma,
        Difficulty::Retarget { .. } => Algorithm::Retarget,
        Difficulty::Fixed => Algorithm::Fixed,
    }
}

fn default_difficulty(algorithm: Algorithm, spacing_s: u32) -> Difficulty {
    match algorithm {
        Algorithm::Asert => Difficulty::Asert {
            half_life_s: spacing_s.saturating_mul(HALF_LIFE_BLOCKS),
            anchor_height: 1,
        },
        Algorithm::Lwma => Difficulty::Lwma {
            window: recommended_window(spacing_s),
        },
        Algorithm::Retarget => Difficulty::Retarget {
            interval: BITCOIN_INTERVAL,
            bip94: false,
        },
        Algorithm::Fixed => Difficulty::Fixed,
    }
}

/// Parameters of another algorithm are a mistake.
fn check_parameters(algorithm: Algorithm, fields: &DifficultyFields) -> Result<()> {
    let parameters = [
        (
            "--half-life",
            fields.half_life.is_some(),
            Algorithm::Asert,
            "asert",
        ),
        (
            "--anchor-height",
            fields.anchor_height.is_some(),
            Algorithm::Asert,
            "asert",
        ),
        ("--window", fields.window.is_some(), Algorithm::Lwma, "lwma"),
        (
            "--interval",
            fields.interval.is_some(),
            Algorithm::Retarget,
            "retarget",
        ),
        (
            "--bip94",
            fields.bip94.is_some(),
            Algorithm::Retarget,
            "retarget",
        ),
    ];
    for (flag, is_given, owner, name) in parameters {
        if is_given && owner != algorithm {
            bail!("{flag} belongs to another algorithm: it needs --difficulty {name}");
        }
    }
    Ok(())
}

/// The bits of a target that a hash meets once in so many.
fn bits_of(hashes: f64) -> CompactTarget {
    // The cast saturates: no miner does 2^128 hashes. A target is 2^256 over one more than the work that it is
    // made from here.
    let work = (hashes as u128).saturating_sub(1);
    let mut bytes = [0; 32];
    bytes[16..].copy_from_slice(&work.to_be_bytes());
    Work::from_be_bytes(bytes).to_target().to_compact_lossy()
}

fn set_rules(spec: &mut ChainSpec, fields: &RuleFields) {
    set(&mut spec.limits.max_block_weight, fields.max_block_weight);
    set(
        &mut spec.limits.max_block_sigop_cost,
        fields.max_block_sigop_cost,
    );
    let forks = &mut spec.deployments;
    for (height, field) in [
        (&mut forks.bip16, fields.bip16),
        (&mut forks.bip34, fields.bip34),
        (&mut forks.bip65, fields.bip65),
        (&mut forks.bip66, fields.bip66),
        (&mut forks.csv, fields.csv),
        (&mut forks.segwit, fields.segwit),
        (&mut forks.taproot, fields.taproot),
    ] {
        set(
            height,
            field.map(|OrNever(height)| height.unwrap_or(u32::MAX)),
        );
    }
}

fn set_genesis(spec: &mut ChainSpec, fields: &GenesisFields, now: u64) -> Result<()> {
    let kind = spec.address_kind;
    let genesis = &mut spec.genesis;
    // Those of the base chain belong to its users.
    genesis.allocations = fields
        .allocations
        .iter()
        .map(|field| {
            Ok(Allocation {
                script_pubkey: recipient(field, kind)?,
                value: field.value,
            })
        })
        .collect::<Result<_>>()?;
    set(&mut genesis.version, fields.genesis_version);
    let now = u32::try_from(now).unwrap_or(u32::MAX);
    genesis.time = fields.genesis_time.unwrap_or(now);
    set(&mut genesis.message, fields.genesis_message.clone());
    set(
        &mut genesis.output_script,
        fields.genesis_output_script.clone(),
    );
    set(&mut genesis.output_value, fields.genesis_output_value);
    Ok(())
}

fn recipient(field: &AllocationField, kind: AddressKind) -> Result<ScriptBuf> {
    let text = &field.recipient;
    match kind.parse_address(text) {
        Ok(address) => Ok(address.script_pubkey()),
        Err(AddressError::OtherKind) => {
            bail!("--allocate: {text} is not an address of this chain's kind")
        }
        Err(AddressError::Malformed(_)) => ScriptBuf::from_hex(text)
            .map_err(|_| anyhow!("--allocate: {text:?} is neither an address nor a script in hex")),
    }
}

#[cfg(test)]
mod tests;
