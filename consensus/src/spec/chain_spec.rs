//! `ChainSpec` and its parts.

use bitcoin::{Amount, CompactTarget, ScriptBuf};

use super::address_kind::AddressKind;
use super::assume_utxo::AssumeUtxo;
use crate::Height;

/// Everything that makes a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSpec {
    /// The chain's own name: `pyrite`, `regtest`, `mainnet`, or what a file says. `[a-z0-9-]{1,32}`.
    pub name: String,
    /// Which address prefixes it uses, and the name that `getblockchaininfo` reports as `chain`.
    pub address_kind: AddressKind,
    /// Magic of its block files (and of its P2P messages in Bitcoin's own protocol).
    pub magic: [u8; 4],
    /// The genesis block.
    pub genesis: GenesisSpec,
    /// Intended time between blocks, in seconds.
    pub target_spacing_s: u32,
    /// The easiest target.
    pub pow_limit: CompactTarget,
    /// How the target follows the hash power.
    pub difficulty: Difficulty,
    /// Seconds after its parent's time from which on a block must have the least difficulty, so that a
    /// chain that lost its hash power moves again. Bitcoin's testnets have 1200. `None`: never.
    pub min_difficulty_after_s: Option<u32>,
    /// Subsidy of the first blocks.
    pub initial_subsidy: Amount,
    /// Blocks between halvings.
    pub halving_interval: u32,
    /// Blocks before a coinbase output can be spent.
    pub coinbase_maturity: u32,
    /// Limits of a block.
    pub limits: Limits,
    /// Heights from which the soft forks apply.
    pub deployments: Deployments,
    /// Peers to dial at the start, as multiaddrs.
    pub bootstrap_peers: Vec<String>,
    /// Blocks whose coins a node may take from a file, and validate afterwards; the lowest first.
    pub assume_utxo: Vec<AssumeUtxo>,
}

/// The genesis block's contents. Its coinbase is not spendable, as in Bitcoin. When there are allocations, the
/// coinbase pays their sum to `OP_TRUE` and a second transaction spends that to one output for each, so
/// that the allocated coins are ordinary ones: spendable at once, and understood by any wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisSpec {
    /// Header version.
    pub version: i32,
    /// Header time, Unix seconds.
    pub time: u32,
    /// Header bits.
    pub bits: CompactTarget,
    /// Header nonce.
    pub nonce: u32,
    /// Text in the coinbase's input script.
    pub message: String,
    /// Script of the coinbase's output when there are no allocations.
    pub output_script: ScriptBuf,
    /// Value of the coinbase's output when there are no allocations.
    pub output_value: Amount,
    /// Coins that exist from the start.
    pub allocations: Vec<Allocation>,
}

/// Coins that exist from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// To whom.
    pub script_pubkey: ScriptBuf,
    /// How much.
    pub value: Amount,
}

/// How the target follows the hash power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difficulty {
    /// Bitcoin's: every `interval` blocks, by the time that they took, at most by a factor of four.
    Retarget {
        /// Blocks between adjustments: 2016.
        interval: u32,
        /// BIP-0094, as Bitcoin's testnet4: an adjustment starts from the bits of the interval's first
        /// block, which is never one of the least difficulty; and an interval's first block is at most
        /// ten minutes before its parent.
        bip94: bool,
    },
    /// `aserti3-2d`: exponential in the distance from an ideal schedule.
    Asert {
        /// Seconds behind schedule that halve the difficulty.
        half_life_s: u32,
        /// The block whose bits and time the schedule starts from: 1, the first mined block, so
        /// that the time between making a spec and mining on it does not count. Until it, the
        /// genesis block's bits apply. The schedule's reference time is the anchor's own time less
        /// one spacing.
        anchor_height: u32,
    },
    /// LWMA-1: by the average of the last solve times, of which the newest weigh most.
    Lwma {
        /// Blocks that the average is taken of.
        window: u32,
    },
    /// Always the genesis block's bits (`regtest`).
    Fixed,
}

/// Limits of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// BIP-0141 weight: 4,000,000.
    pub max_block_weight: u64,
    /// BIP-0141 sigop cost: 80,000.
    pub max_block_sigop_cost: u64,
}

/// Heights from which the soft forks apply (`u32::MAX`: never).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployments {
    /// P2SH (always on where 0, but for exceptions that only Bitcoin's mainnet has).
    pub bip16: u32,
    /// Height in coinbase.
    pub bip34: u32,
    /// OP_CHECKLOCKTIMEVERIFY.
    pub bip65: u32,
    /// Strict DER signatures.
    pub bip66: u32,
    /// BIP-0068, BIP-0112, BIP-0113.
    pub csv: u32,
    /// BIP-0141, BIP-0143, BIP-0147.
    pub segwit: u32,
    /// BIP-0341, BIP-0342.
    pub taproot: u32,
}

impl ChainSpec {
    /// Subsidy of the block at `height`: the initial one, halved once per interval, rounded down, and
    /// nothing from the 64th halving on (Bitcoin Core's `GetBlockSubsidy`).
    ///
    /// # Panics
    /// When the halving interval is zero, which `validate` refuses.
    pub fn subsidy(&self, height: Height) -> Amount {
        let halvings = height.0 / self.halving_interval;
        Amount::from_sat(
            self.initial_subsidy
                .to_sat()
                .checked_shr(halvings)
                .unwrap_or(0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subsidy_halves_down_to_nothing() {
        let regtest = ChainSpec::regtest();
        let subsidy = |height| regtest.subsidy(Height(height)).to_sat();
        assert_eq!(subsidy(0), 5_000_000_000);
        assert_eq!(subsidy(149), 5_000_000_000);
        assert_eq!(subsidy(150), 2_500_000_000);
        assert_eq!(subsidy(150 * 32), 1);
        assert_eq!(subsidy(150 * 33), 0);
        assert_eq!(subsidy(150 * 64), 0);
        assert_eq!(subsidy(u32::MAX), 0);
    }

    /// The sum that Bitcoin Core's `subsidy_limit_test` has.
    #[test]
    fn mainnet_issues_just_below_21_million() {
        let mainnet = ChainSpec::mainnet();
        let total: u64 = (0..14_000_000)
            .step_by(1000)
            .map(|h| mainnet.subsidy(Height(h)).to_sat() * 1000)
            .sum();
        assert_eq!(total, 2_099_999_997_690_000);
    }
}
