//! Reads a spec from TOML. The file has a shape of its own, with hex and addresses as text; every
//! conversion names the field that it fails on.

use std::fmt;
use std::str::FromStr;

use bitcoin::address::NetworkUnchecked;
use bitcoin::hex::FromHex;
use bitcoin::{Address, Amount, BlockHash, CompactTarget, ScriptBuf};
use serde::{Deserialize, Deserializer, de};

use super::chain_spec::{
    AddressKind, Allocation, ChainSpec, Deployments, Difficulty, GenesisSpec, Limits,
};
use crate::SpecError;

/// Longer than a spec whose allocations fill a genesis block.
const MAX_TOML_BYTES: usize = 8 << 20;

/// How much of a wrong value an error repeats.
const MAX_QUOTED_CHARS: usize = 120;

/// What a deployment's height may say instead of a number.
pub(super) const NEVER: &str = "never";

impl ChainSpec {
    /// Reads a spec from TOML and checks it: unknown keys, ranges, impossible combinations, and that
    /// the genesis block meets its own target.
    ///
    /// # Errors
    /// The first thing that is wrong, with its field or line.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        if text.len() > MAX_TOML_BYTES {
            return Err(SpecError::TooLong {
                bytes: text.len(),
                limit: MAX_TOML_BYTES,
            });
        }
        let file: SpecFile = toml::from_str(text).map_err(|error| syntax_error(&error, text))?;
        let expected_hash = file.genesis.hash.as_deref().map(parse_hash).transpose()?;
        let spec = file.into_spec()?;
        spec.validate()?;
        match expected_hash {
            Some(expected) if expected != spec.genesis_hash() => Err(SpecError::GenesisHash {
                expected,
                actual: spec.genesis_hash(),
            }),
            _ => Ok(spec),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecFile {
    name: String,
    address_kind: AddressKindName,
    magic: String,
    target_spacing_s: u32,
    pow_limit: String,
    initial_subsidy_sat: u64,
    halving_interval: u32,
    coinbase_maturity: u32,
    #[serde(default)]
    bootstrap_peers: Vec<String>,
    difficulty: DifficultyTable,
    limits: LimitsTable,
    deployments: DeploymentsTable,
    genesis: GenesisTable,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AddressKindName {
    Mainnet,
    Testnet,
    Regtest,
}

#[derive(Deserialize)]
#[serde(tag = "algorithm", rename_all = "lowercase", deny_unknown_fields)]
enum DifficultyTable {
    Retarget {
        interval: u32,
    },
    Asert {
        half_life_s: u32,
        anchor_height: u32,
    },
    // With braces, so that unknown keys beside it are refused.
    Fixed {},
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    max_block_weight: u64,
    max_block_sigop_cost: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeploymentsTable {
    bip16: ForkHeight,
    bip34: ForkHeight,
    bip65: ForkHeight,
    bip66: ForkHeight,
    csv: ForkHeight,
    segwit: ForkHeight,
    taproot: ForkHeight,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisTable {
    version: i32,
    time: u32,
    bits: String,
    nonce: u32,
    message: String,
    output_script: String,
    output_value_sat: u64,
    hash: Option<String>,
    #[serde(default)]
    allocations: Vec<AllocationTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllocationTable {
    address: Option<String>,
    script: Option<String>,
    value_sat: u64,
}

/// A height, or `"never"`.
#[derive(Clone, Copy)]
struct ForkHeight(u32);

impl<'de> Deserialize<'de> for ForkHeight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ForkHeightVisitor)
    }
}

struct ForkHeightVisitor;

impl de::Visitor<'_> for ForkHeightVisitor {
    type Value = ForkHeight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a block height below 2^32, or \"never\"")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<ForkHeight, E> {
        let height = u32::try_from(value)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))?;
        Ok(ForkHeight(height))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<ForkHeight, E> {
        let height = u32::try_from(value)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))?;
        Ok(ForkHeight(height))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<ForkHeight, E> {
        if value == NEVER {
            Ok(ForkHeight(u32::MAX))
        } else {
            Err(E::invalid_value(de::Unexpected::Str(value), &self))
        }
    }
}

impl SpecFile {
    fn into_spec(self) -> Result<ChainSpec, SpecError> {
        let address_kind = match self.address_kind {
            AddressKindName::Mainnet => AddressKind::Mainnet,
            AddressKindName::Testnet => AddressKind::Testnet,
            AddressKindName::Regtest => AddressKind::Regtest,
        };
        Ok(ChainSpec {
            name: self.name,
            address_kind,
            magic: FromHex::from_hex(&self.magic)
                .map_err(|_| malformed("magic", &self.magic, "8 hex digits"))?,
            genesis: self.genesis.into_genesis(address_kind)?,
            target_spacing_s: self.target_spacing_s,
            pow_limit: parse_bits("pow_limit", &self.pow_limit)?,
            difficulty: match self.difficulty {
                DifficultyTable::Retarget { interval } => Difficulty::Retarget { interval },
                DifficultyTable::Asert {
                    half_life_s,
                    anchor_height,
                } => Difficulty::Asert {
                    half_life_s,
                    anchor_height,
                },
                DifficultyTable::Fixed {} => Difficulty::Fixed,
            },
            initial_subsidy: Amount::from_sat(self.initial_subsidy_sat),
            halving_interval: self.halving_interval,
            coinbase_maturity: self.coinbase_maturity,
            limits: Limits {
                max_block_weight: self.limits.max_block_weight,
                max_block_sigop_cost: self.limits.max_block_sigop_cost,
            },
            deployments: Deployments {
                bip16: self.deployments.bip16.0,
                bip34: self.deployments.bip34.0,
                bip65: self.deployments.bip65.0,
                bip66: self.deployments.bip66.0,
                csv: self.deployments.csv.0,
                segwit: self.deployments.segwit.0,
                taproot: self.deployments.taproot.0,
            },
            bootstrap_peers: self.bootstrap_peers,
        })
    }
}

impl GenesisTable {
    fn into_genesis(self, address_kind: AddressKind) -> Result<GenesisSpec, SpecError> {
        let mut allocations = Vec::with_capacity(self.allocations.len());
        for (index, allocation) in self.allocations.into_iter().enumerate() {
            allocations.push(allocation.into_allocation(index, address_kind)?);
        }
        Ok(GenesisSpec {
            version: self.version,
            time: self.time,
            bits: parse_bits("genesis.bits", &self.bits)?,
            nonce: self.nonce,
            message: self.message,
            output_script: parse_script("genesis.output_script", &self.output_script)?,
            output_value: Amount::from_sat(self.output_value_sat),
            allocations,
        })
    }
}

impl AllocationTable {
    fn into_allocation(self, index: usize, kind: AddressKind) -> Result<Allocation, SpecError> {
        let field = format!("genesis.allocations[{index}]");
        let script_pubkey = match (&self.address, &self.script) {
            (Some(address), None) => parse_address(address, kind).ok_or_else(|| {
                malformed(
                    &format!("{field}.address"),
                    address,
                    address_description(kind),
                )
            })?,
            (None, Some(script)) => parse_script(&format!("{field}.script"), script)?,
            _ => return Err(SpecError::AllocationRecipient { field }),
        };
        Ok(Allocation {
            script_pubkey,
            value: Amount::from_sat(self.value_sat),
        })
    }
}

/// The script of an address of this kind.
pub(super) fn parse_address(address: &str, kind: AddressKind) -> Option<ScriptBuf> {
    let address = Address::<NetworkUnchecked>::from_str(address).ok()?;
    Some(
        address
            .require_network(kind.network())
            .ok()?
            .script_pubkey(),
    )
}

fn address_description(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Mainnet => "an address of the kind mainnet (bc1…)",
        AddressKind::Testnet => "an address of the kind testnet (tb1…)",
        AddressKind::Regtest => "an address of the kind regtest (bcrt1…)",
    }
}

fn parse_bits(field: &str, value: &str) -> Result<CompactTarget, SpecError> {
    let bytes: [u8; 4] = FromHex::from_hex(value)
        .map_err(|_| malformed(field, value, "8 hex digits such as 1e0fffff"))?;
    Ok(CompactTarget::from_consensus(u32::from_be_bytes(bytes)))
}

fn parse_script(field: &str, value: &str) -> Result<ScriptBuf, SpecError> {
    let bytes: Vec<u8> =
        FromHex::from_hex(value).map_err(|_| malformed(field, value, "a script in hex"))?;
    Ok(ScriptBuf::from_bytes(bytes))
}

fn parse_hash(value: &str) -> Result<BlockHash, SpecError> {
    value
        .parse()
        .map_err(|_| malformed("genesis.hash", value, "64 hex digits"))
}

fn malformed(field: &str, value: &str, expected: &'static str) -> SpecError {
    SpecError::Malformed {
        field: field.to_owned(),
        value: quoted(value),
        expected,
    }
}

fn quoted(value: &str) -> String {
    value.chars().take(MAX_QUOTED_CHARS).collect()
}

/// One line that has the place and the cause, where the parser would draw several.
fn syntax_error(error: &toml::de::Error, text: &str) -> SpecError {
    let message = error
        .message()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return SpecError::Structure { message };
    };
    let line = before.matches('\n').count();
    let source = text.lines().nth(line).unwrap_or_default().trim();
    SpecError::Syntax {
        line: line + 1,
        text: quoted(source),
        message,
    }
}

#[cfg(test)]
mod tests;
