//! Reads a spec from TOML. The file has a shape of its own, with hex and addresses as text; every
//! conversion names the field that it fails on.

use std::str::FromStr;

use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::{Amount, BlockHash, CompactTarget, ScriptBuf};
use toml::de::{DeTable, DeValue};

use super::address_kind::AddressKind;
use super::assume_utxo::AssumeUtxo;
use super::chain_spec::{Allocation, ChainSpec, Deployments, Difficulty, GenesisSpec, Limits};
use super::fields::{MAX_ERRORS, Reader, Section, as_number, quoted};
use super::validate::Checker;
use crate::coin_stats::CoinSetHash;
use crate::{Height, SpecError};

/// Longer than a spec whose allocations fill a genesis block.
const MAX_TOML_BYTES: usize = 8 << 20;

/// What a deployment's height, and other fields that may have no number, may say instead of it.
pub(super) const NEVER: &str = "never";

const BELOW_2_32: &str = "a whole number from 0 to 4294967295";
const BELOW_2_64: &str = "a whole number from 0 up";
const HEIGHT: &str = "a block height below 2^32, or \"never\"";
const SECONDS: &str = "a whole number of seconds from 0 to 4294967295, or \"never\"";

impl ChainSpec {
    /// Reads a spec from TOML and checks it: unknown keys, ranges, impossible combinations, and that
    /// the genesis block meets its own target.
    ///
    /// # Errors
    /// The first thing that is wrong, with its field or line.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        read(text).map_err(|errors| {
            let first = errors.into_iter().next();
            first.expect("a refused spec has an error")
        })
    }

    /// Everything that is wrong with a spec in TOML, each with its field, up to a hundred things; nothing when
    /// it is valid.
    ///
    /// A text that is not TOML has only the errors of its syntax. A value that can't be read is reported
    /// once, and left out of the checks of several values together.
    pub fn check_toml(text: &str) -> Vec<SpecError> {
        read(text).err().unwrap_or_default()
    }
}

/// A valid spec, or at least one error.
fn read(text: &str) -> Result<ChainSpec, Vec<SpecError>> {
    if text.len() > MAX_TOML_BYTES {
        return Err(vec![SpecError::TooLong {
            bytes: text.len(),
            limit: MAX_TOML_BYTES,
        }]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors
            .iter()
            .take(MAX_ERRORS)
            .map(|error| syntax_error(error, text))
            .collect());
    }
    let mut reader = Reader::new(text);
    let (spec, genesis_hash) = read_spec(&mut reader, document.get_ref());
    let Reader {
        mut errors, unread, ..
    } = reader;
    let mut checker = Checker::new(&spec, unread);
    checker.check_all();
    checker.check_genesis_hash(genesis_hash);
    errors.append(&mut checker.errors);
    errors.truncate(MAX_ERRORS);
    // What is at home nowhere first: it often explains what is missing.
    errors.sort_by_key(|error| !matches!(error, SpecError::UnknownField { .. }));
    if errors.is_empty() {
        Ok(spec)
    } else {
        Err(errors)
    }
}

/// The spec, with any value where there is none to be read, and what the file says its genesis hash is.
fn read_spec<'t>(
    reader: &mut Reader<'t>,
    document: &'t DeTable<'t>,
) -> (ChainSpec, Option<BlockHash>) {
    let root = &mut Section::new(String::new(), document);
    let name = reader.string(root, "name").unwrap_or_default();
    let address_kind = read_address_kind(reader, root);
    let magic = read_magic(reader, root);
    let target_spacing_s = read_u32(reader, root, "target_spacing_s");
    let pow_limit = read_bits(reader, root, "pow_limit");
    let initial_subsidy = read_amount(reader, root, "initial_subsidy_sat");
    let halving_interval = read_u32(reader, root, "halving_interval");
    let coinbase_maturity = read_u32(reader, root, "coinbase_maturity");
    let bootstrap_peers = reader.strings(root, "bootstrap_peers");
    let (difficulty, min_difficulty_after_s) = read_difficulty(reader, root);
    let limits = read_limits(reader, root);
    let deployments = read_deployments(reader, root);
    let (genesis, genesis_hash) = read_genesis(reader, root, address_kind);
    let assume_utxo = reader
        .tables(root, "assume_utxo")
        .into_iter()
        .map(|mut entry| read_assume_utxo(reader, &mut entry))
        .collect();
    reader.finish(root);
    let spec = ChainSpec {
        name,
        address_kind: address_kind.unwrap_or(AddressKind::Regtest),
        magic,
        genesis,
        target_spacing_s,
        pow_limit,
        difficulty,
        min_difficulty_after_s,
        initial_subsidy,
        halving_interval,
        coinbase_maturity,
        limits,
        deployments,
        bootstrap_peers,
        assume_utxo,
    };
    (spec, genesis_hash)
}

fn read_address_kind<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
) -> Option<AddressKind> {
    let expected = "\"mainnet\", \"testnet\" or \"regtest\"";
    reader.read(section, "address_kind", expected, |value| {
        match value.as_str()? {
            "mainnet" => Some(AddressKind::Mainnet),
            "testnet" => Some(AddressKind::Testnet),
            "regtest" => Some(AddressKind::Regtest),
            _ => None,
        }
    })
}

fn read_difficulty<'t>(
    reader: &mut Reader<'t>,
    root: &mut Section<'t>,
) -> (Difficulty, Option<u32>) {
    let Some(section) = &mut reader.table(root, "difficulty") else {
        return (Difficulty::Fixed, None);
    };
    let expected = "\"asert\", \"lwma\", \"retarget\" or \"fixed\"";
    let algorithm = reader.read(section, "algorithm", expected, |value| {
        let name = value.as_str()?;
        ["asert", "lwma", "retarget", "fixed"]
            .into_iter()
            .find(|known| *known == name)
    });
    let difficulty = match algorithm {
        Some("retarget") => Difficulty::Retarget {
            interval: read_u32(reader, section, "interval"),
            bip94: reader.flag(section, "bip94"),
        },
        Some("asert") => Difficulty::Asert {
            half_life_s: read_u32(reader, section, "half_life_s"),
            anchor_height: read_u32(reader, section, "anchor_height"),
        },
        Some("lwma") => Difficulty::Lwma {
            window: read_u32(reader, section, "window"),
        },
        _ => Difficulty::Fixed,
    };
    let after_s = reader
        .read_optional(section, "min_difficulty_after_s", SECONDS, number_or_never)
        .flatten();
    // Which keys there may be depends on the algorithm.
    if algorithm.is_some() {
        reader.finish(section);
    }
    (difficulty, after_s)
}

fn read_limits<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Limits {
    let mut limits = Limits {
        max_block_weight: 0,
        max_block_sigop_cost: 0,
    };
    if let Some(section) = &mut reader.table(root, "limits") {
        limits.max_block_weight = read_u64(reader, section, "max_block_weight");
        limits.max_block_sigop_cost = read_u64(reader, section, "max_block_sigop_cost");
        reader.finish(section);
    }
    limits
}

fn read_deployments<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Deployments {
    let section = &mut reader.table(root, "deployments");
    let mut height = |key| {
        let section = section.as_mut()?;
        reader.read(section, key, HEIGHT, number_or_never)
    };
    let mut from = |key| height(key).flatten().unwrap_or(u32::MAX);
    let deployments = Deployments {
        bip16: from("bip16"),
        bip34: from("bip34"),
        bip65: from("bip65"),
        bip66: from("bip66"),
        csv: from("csv"),
        segwit: from("segwit"),
        taproot: from("taproot"),
    };
    if let Some(section) = section {
        reader.finish(section);
    }
    deployments
}

fn read_genesis<'t>(
    reader: &mut Reader<'t>,
    root: &mut Section<'t>,
    kind: Option<AddressKind>,
) -> (GenesisSpec, Option<BlockHash>) {
    let Some(section) = &mut reader.table(root, "genesis") else {
        let nothing = GenesisSpec {
            version: 0,
            time: 0,
            bits: CompactTarget::default(),
            nonce: 0,
            message: String::new(),
            output_script: ScriptBuf::new(),
            output_value: Amount::ZERO,
            allocations: Vec::new(),
        };
        return (nothing, None);
    };
    let version = "a whole number from -2147483648 to 2147483647";
    let genesis = GenesisSpec {
        version: reader.number(section, "version", version).unwrap_or(0),
        time: read_u32(reader, section, "time"),
        bits: read_bits(reader, section, "bits"),
        nonce: read_u32(reader, section, "nonce"),
        message: reader.string(section, "message").unwrap_or_default(),
        output_script: read_script(reader, section, "output_script"),
        output_value: read_amount(reader, section, "output_value_sat"),
        allocations: reader
            .tables(section, "allocations")
            .into_iter()
            .map(|mut allocation| read_allocation(reader, &mut allocation, kind))
            .collect(),
    };
    let hash = read_hash(reader, section);
    reader.finish(section);
    (genesis, hash)
}

fn read_allocation<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    kind: Option<AddressKind>,
) -> Allocation {
    let address = reader.optional_string(section, "address");
    let script = reader.optional_string(section, "script");
    let script_pubkey = match (address, script) {
        (Some(address), None) => allocation_address(reader, section, &address, kind),
        (None, Some(script)) => {
            let field = section.field("script");
            parse_script(reader, field, &script)
        }
        _ => {
            let field = section.field("");
            let field = field.trim_end_matches('.').to_owned();
            reader.refuse(field.clone(), SpecError::AllocationRecipient { field });
            ScriptBuf::new()
        }
    };
    let value = read_amount(reader, section, "value_sat");
    reader.finish(section);
    Allocation {
        script_pubkey,
        value,
    }
}

fn read_assume_utxo<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> AssumeUtxo {
    let entry = AssumeUtxo {
        height: Height(read_u32(reader, section, "height")),
        block_hash: read_required_hash(reader, section, "block_hash")
            .unwrap_or_else(BlockHash::all_zeros),
        coins_hash: read_required_hash(reader, section, "coins_hash").unwrap_or(CoinSetHash::ZERO),
        chain_tx_count: read_u64(reader, section, "chain_tx_count"),
    };
    reader.finish(section);
    entry
}

fn allocation_address(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    address: &str,
    kind: Option<AddressKind>,
) -> ScriptBuf {
    let field = section.field("address");
    // Without a kind nothing can be said about an address.
    let Some(kind) = kind else {
        reader.unread.insert(field);
        return ScriptBuf::new();
    };
    match kind.parse_address(address) {
        Ok(address) => address.script_pubkey(),
        Err(_) => {
            let error = malformed(&field, address, address_description(kind));
            reader.refuse(field, error);
            ScriptBuf::new()
        }
    }
}

fn read_u32<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>, key: &'static str) -> u32 {
    reader.number(section, key, BELOW_2_32).unwrap_or(0)
}

fn read_u64<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>, key: &'static str) -> u64 {
    reader.number(section, key, BELOW_2_64).unwrap_or(0)
}

fn read_amount<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    key: &'static str,
) -> Amount {
    Amount::from_sat(read_u64(reader, section, key))
}

/// A number, or `None` for "never".
fn number_or_never(value: &DeValue<'_>) -> Option<Option<u32>> {
    match value.as_str() {
        Some(NEVER) => Some(None),
        Some(_) => None,
        None => as_number(value).map(Some),
    }
}

fn read_magic<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> [u8; 4] {
    read_hex(reader, section, "magic", "8 hex digits").unwrap_or_default()
}

fn read_bits<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    key: &'static str,
) -> CompactTarget {
    let bytes = read_hex(reader, section, key, "8 hex digits such as 1e0fffff").unwrap_or_default();
    CompactTarget::from_consensus(u32::from_be_bytes(bytes))
}

fn read_hex<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    key: &'static str,
    expected: &'static str,
) -> Option<[u8; 4]> {
    let text = reader.string(section, key)?;
    let bytes = FromHex::from_hex(&text).ok();
    if bytes.is_none() {
        let field = section.field(key);
        let error = malformed(&field, &text, expected);
        reader.refuse(field, error);
    }
    bytes
}

fn read_script<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    key: &'static str,
) -> ScriptBuf {
    let text = reader.string(section, key).unwrap_or_default();
    parse_script(reader, section.field(key), &text)
}

fn parse_script(reader: &mut Reader<'_>, field: String, text: &str) -> ScriptBuf {
    let bytes: Vec<u8> = FromHex::from_hex(text).unwrap_or_else(|_| {
        let error = malformed(&field, text, "a script in hex");
        reader.refuse(field, error);
        Vec::new()
    });
    ScriptBuf::from_bytes(bytes)
}

fn read_hash<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> Option<BlockHash> {
    let text = reader.optional_string(section, "hash")?;
    let hash = text.parse().ok();
    if hash.is_none() {
        // It is no part of the block, whose checks do without it.
        let error = malformed(&section.field("hash"), &text, "64 hex digits");
        reader.note(error);
    }
    hash
}

fn read_required_hash<'t, T: FromStr>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    key: &'static str,
) -> Option<T> {
    let text = reader.string(section, key)?;
    let hash = text.parse().ok();
    if hash.is_none() {
        let field = section.field(key);
        let error = malformed(&field, &text, "64 hex digits");
        reader.refuse(field, error);
    }
    hash
}

fn address_description(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Mainnet => "an address of the kind mainnet (bc1…)",
        AddressKind::Testnet => "an address of the kind testnet (tb1…)",
        AddressKind::Regtest => "an address of the kind regtest (bcrt1…)",
    }
}

fn malformed(field: &str, value: &str, expected: &'static str) -> SpecError {
    SpecError::Malformed {
        field: field.to_owned(),
        value: quoted(value),
        expected,
    }
}

/// One line that has the place and the cause, where the parser would draw several.
fn syntax_error(error: &toml::de::Error, text: &str) -> SpecError {
    let message = error
        .message()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let start = error.span().map_or(text.len(), |span| span.start);
    let line = Reader::new(text).line(start);
    let source = text.lines().nth(line - 1).unwrap_or_default().trim();
    SpecError::Syntax {
        line,
        text: quoted(source),
        message,
    }
}

#[cfg(test)]
mod tests;
