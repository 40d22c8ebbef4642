//! The flags of `pyrite chain new`: one for every field of a spec.

use clap::{Args, ValueEnum};
use pyrite_consensus::bitcoin::hex::FromHex;
use pyrite_consensus::bitcoin::{Amount, CompactTarget, Denomination, ScriptBuf};
use pyrite_consensus::spec;

/// The fields that are to be other than the base chain's.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    /// The chain's own name: 1 to 32 characters of a-z, 0-9 and - [default: my-chain]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Which addresses it uses
    #[arg(long, value_name = "KIND")]
    pub(super) address_kind: Option<AddressKind>,
    /// Four bytes in front of each block in block files, in hex
    #[arg(long, value_name = "HEX", value_parser = magic)]
    pub(super) magic: Option<[u8; 4]>,
    /// Intended time between blocks, in seconds. The half-life of ASERT changes with it
    #[arg(long, value_name = "SECONDS")]
    pub(super) spacing: Option<u32>,
    /// What the first blocks pay their miner, in coins
    #[arg(long, value_name = "COINS", value_parser = coins)]
    pub(super) subsidy: Option<Amount>,
    /// Blocks after which that is halved
    #[arg(long, value_name = "BLOCKS")]
    pub(super) halving_interval: Option<u32>,
    /// Blocks before what a miner was paid can be spent
    #[arg(long, value_name = "BLOCKS")]
    pub(super) coinbase_maturity: Option<u32>,
    /// A peer to dial at the start, as a multiaddr; may be given several times
    #[arg(long = "bootstrap-peer", value_name = "MULTIADDR")]
    pub(super) bootstrap_peers: Vec<String>,
    #[command(flatten)]
    pub(super) difficulty: DifficultyFields,
    #[command(flatten)]
    pub(super) rules: RuleFields,
    #[command(flatten)]
    pub(super) genesis: GenesisFields,
}

/// How the target follows the hash power.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Difficulty")]
pub(super) struct DifficultyFields {
    /// How the target follows the hash power
    #[arg(long, value_name = "ALGORITHM")]
    pub(super) difficulty: Option<Algorithm>,
    /// ASERT: seconds behind schedule that halve the difficulty [default: 60 times the spacing]
    #[arg(long, value_name = "SECONDS")]
    pub(super) half_life: Option<u32>,
    /// ASERT: the block that the schedule starts from [default: 1, the first that is mined]
    #[arg(long, value_name = "HEIGHT")]
    pub(super) anchor_height: Option<u32>,
    /// LWMA-1: blocks that the average is taken of [default: 60, 90 or 120, by the spacing]
    #[arg(long, value_name = "BLOCKS")]
    pub(super) window: Option<u32>,
    /// Retarget: blocks between adjustments [default: 2016]
    #[arg(long, value_name = "BLOCKS")]
    pub(super) interval: Option<u32>,
    /// Retarget: BIP-0094, as on Bitcoin's testnet4
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) bip94: Option<bool>,
    /// Seconds after its parent from which on a block has the least difficulty, or never
    #[arg(long, value_name = "SECONDS", value_parser = number_or_never)]
    pub(super) min_difficulty_after: Option<OrNever>,
    /// The easiest target, in compact form
    #[arg(long, value_name = "HEX", value_parser = bits)]
    pub(super) pow_limit: Option<CompactTarget>,
    /// The start difficulty, in compact form
    #[arg(long, value_name = "HEX", value_parser = bits, conflicts_with = "start_hashrate")]
    pub(super) genesis_bits: Option<CompactTarget>,
    /// The start difficulty, as the hash power that finds blocks at the intended spacing, in hashes a second. The
    /// easiest target is made easier where it has to be
    #[arg(long, value_name = "H/S", value_parser = hash_rate)]
    pub(super) start_hashrate: Option<f64>,
}

/// Limits of a block, and the soft forks.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Limits and soft forks (heights, or never)")]
pub(super) struct RuleFields {
    /// Weight of a block (BIP-0141): at most 4000000
    #[arg(long, value_name = "WEIGHT")]
    pub(super) max_block_weight: Option<u64>,
    /// Signature operations in a block, as cost (BIP-0141): at most 80000
    #[arg(long, value_name = "COST")]
    pub(super) max_block_sigop_cost: Option<u64>,
    /// Pay to script hash (BIP-0016)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) bip16: Option<OrNever>,
    /// The height in the coinbase's input (BIP-0034)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) bip34: Option<OrNever>,
    /// OP_CHECKLOCKTIMEVERIFY (BIP-0065)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) bip65: Option<OrNever>,
    /// Strict DER signatures (BIP-0066)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) bip66: Option<OrNever>,
    /// Relative locks and median time past (BIP-0068, BIP-0112, BIP-0113)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) csv: Option<OrNever>,
    /// Segregated witness (BIP-0141, BIP-0143, BIP-0147)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) segwit: Option<OrNever>,
    /// Taproot (BIP-0341, BIP-0342)
    #[arg(long, value_name = "HEIGHT", value_parser = number_or_never)]
    pub(super) taproot: Option<OrNever>,
}

/// The genesis block.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Genesis block")]
pub(super) struct GenesisFields {
    /// Coins from the start, to an address or a script in hex; may be given several times
    #[arg(long = "allocate", value_name = "RECIPIENT=COINS", value_parser = allocation)]
    pub(super) allocations: Vec<AllocationField>,
    /// Version of its header
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) genesis_version: Option<i32>,
    /// Time of its header, in Unix seconds [default: now]
    #[arg(long, value_name = "TIME")]
    pub(super) genesis_time: Option<u32>,
    /// Text in its coinbase's input: at most 91 bytes
    #[arg(long, value_name = "TEXT")]
    pub(super) genesis_message: Option<String>,
    /// Script of its coinbase's output, in hex; not used where there are allocations
    #[arg(long, value_name = "HEX", value_parser = script)]
    pub(super) genesis_output_script: Option<ScriptBuf>,
    /// Value of its coinbase's output, in coins; nobody can spend it
    #[arg(long, value_name = "COINS", value_parser = coins)]
    pub(super) genesis_output_value: Option<Amount>,
}

/// An algorithm's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Algorithm {
    /// aserti3-2d: exponential in how far the chain is behind its schedule
    Asert,
    /// LWMA-1: by the average of the last solve times, of which the newest weigh most
    Lwma,
    /// Bitcoin's: by the time that the last blocks took, at most by a factor of four
    Retarget,
    /// Always the start difficulty
    Fixed,
}

/// A kind of address, by its name in a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AddressKind {
    /// bc1…
    Mainnet,
    /// tb1…
    Testnet,
    /// bcrt1…
    Regtest,
}

impl From<AddressKind> for spec::AddressKind {
    fn from(kind: AddressKind) -> Self {
        match kind {
            AddressKind::Mainnet => Self::Mainnet,
            AddressKind::Testnet => Self::Testnet,
            AddressKind::Regtest => Self::Regtest,
        }
    }
}

/// A number, or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrNever(pub(super) Option<u32>);

/// Coins for somebody whose address is read once the chain's kind of address is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AllocationField {
    /// An address, or a script in hex.
    pub(super) recipient: String,
    pub(super) value: Amount,
}

/// A number, or `never`.
pub(super) fn number_or_never(text: &str) -> Result<OrNever, String> {
    if text == "never" {
        return Ok(OrNever(None));
    }
    let number = text.parse();
    number
        .map(|number| OrNever(Some(number)))
        .map_err(|_| "a whole number below 2^32, or never".to_owned())
}

/// An amount in coins, such as 0.5.
pub(super) fn coins(text: &str) -> Result<Amount, String> {
    Amount::from_str_in(text, Denomination::Bitcoin)
        .map_err(|_| "an amount of coins such as 12.5, with at most 8 decimals".to_owned())
}

/// `RECIPIENT=COINS`.
pub(super) fn allocation(text: &str) -> Result<AllocationField, String> {
    let (recipient, value) = text
        .split_once('=')
        .ok_or_else(|| "a recipient, = and an amount of coins".to_owned())?;
    Ok(AllocationField {
        recipient: recipient.trim().to_owned(),
        value: coins(value.trim())?,
    })
}

/// A hash power.
pub(super) fn hash_rate(text: &str) -> Result<f64, String> {
    let wrong = || "a number of hashes a second above zero".to_owned();
    let rate: f64 = text.parse().map_err(|_| wrong())?;
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err(wrong())
    }
}

fn magic(text: &str) -> Result<[u8; 4], String> {
    FromHex::from_hex(text).map_err(|_| "8 hex digits".to_owned())
}

fn bits(text: &str) -> Result<CompactTarget, String> {
    let bytes = FromHex::from_hex(text).map_err(|_| "8 hex digits such as 1e0fffff".to_owned())?;
    Ok(CompactTarget::from_consensus(u32::from_be_bytes(bytes)))
}

fn script(text: &str) -> Result<ScriptBuf, String> {
    ScriptBuf::from_hex(text).map_err(|_| "a script in hex".to_owned())
}

#[cfg(test)]
mod fuzz;
