//! The chains that need no file: `pyrite`, `regtest` and `mainnet`.

use bitcoin::opcodes::all::{OP_CHECKSIG, OP_RETURN};
use bitcoin::script::Builder;
use bitcoin::{Amount, CompactTarget, ScriptBuf};

use super::address_kind::AddressKind;
use super::assume_utxo::AssumeUtxo;
use super::chain_spec::{ChainSpec, Deployments, Difficulty, GenesisSpec, Limits};
use crate::Height;

/// Bitcoin's limits, which every built-in chain has.
const BITCOIN_LIMITS: Limits = Limits {
    max_block_weight: 4_000_000,
    max_block_sigop_cost: 80_000,
};

const BITCOIN_HALVING_INTERVAL: u32 = 210_000;

/// Client libraries take Bitcoin's maturity for granted.
const BITCOIN_COINBASE_MATURITY: u32 = 100;

/// The headline in Bitcoin's genesis block.
const BITCOIN_MESSAGE: &str =
    "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks";

/// The public key that Bitcoin's genesis block pays.
const BITCOIN_GENESIS_KEY: [u8; 65] = [
    0x04, 0x67, 0x8a, 0xfd, 0xb0, 0xfe, 0x55, 0x48, 0x27, 0x19, 0x67, 0xf1, 0xa6, 0x71, 0x30, 0xb7,
    0x10, 0x5c, 0xd6, 0xa8, 0x28, 0xe0, 0x39, 0x09, 0xa6, 0x79, 0x62, 0xe0, 0xea, 0x1f, 0x61, 0xde,
    0xb6, 0x49, 0xf6, 0xbc, 0x3f, 0x4c, 0xef, 0x38, 0xc4, 0xf3, 0x55, 0x04, 0xe5, 0x1e, 0xc1, 0x12,
    0xde, 0x5c, 0x38, 0x4d, 0xf7, 0xba, 0x0b, 0x8d, 0x57, 0x8a, 0x4c, 0x70, 0x2b, 0x6b, 0xf1, 0x1d,
    0x5f,
];

/// Height, block, hash of the coins, and transactions of the chain.
type KnownCoins = (u32, &'static str, &'static str, u64);

/// Bitcoin Core's, for the chains of its own tests.
const REGTEST_COINS: [KnownCoins; 3] = [
    (
        110,
        "6affe030b7965ab538f820a56ef56c8149b7dc1d1c144af57113be080db7c397",
        "b952555c8ab81fec46f3d4253b7af256d766ceb39fb7752b9d18cdf4a0141327",
        111,
    ),
    (
        200,
        "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9",
        "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a",
        201,
    ),
    (
        299,
        "7cc695046fec709f8c9394b6f928f81e81fd3ac20977bb68760fa1faa7916ea2",
        "d2b051ff5e8eef46520350776f4100dd710a63447a8e01d917e92e79751a63e2",
        334,
    ),
];

/// Bitcoin Core's.
const MAINNET_COINS: [KnownCoins; 4] = [
    (
        840_000,
        "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
        "a2a5521b1b5ab65f67818e5e8eccabb7171a517f9e2382208f77687310768f96",
        991_032_194,
    ),
    (
        880_000,
        "000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880",
        "dbd190983eaf433ef7c15f78a278ae42c00ef52e0fd2a54953782175fbadcea9",
        1_145_604_538,
    ),
    (
        910_000,
        "0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821",
        "4daf8a17b4902498c5787966a2b51c613acdab5df5db73f196fa59a4da2f1568",
        1_226_586_151,
    ),
    (
        935_000,
        "0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee",
        "e4b90ef9eae834f56c4b64d2d50143cee10ad87994c614d7d04125e2a6025050",
        1_305_397_408,
    ),
];

impl ChainSpec {
    /// Names of the built-in chains.
    pub const BUILTIN: [&'static str; 3] = ["pyrite", "regtest", "mainnet"];

    /// The built-in chain of that name.
    pub fn builtin(name: &str) -> Option<Self> {
        match name {
            "pyrite" => Some(Self::pyrite()),
            "regtest" => Some(Self::regtest()),
            "mainnet" => Some(Self::mainnet()),
            _ => None,
        }
    }

    /// The default private chain: Bitcoin's rules with all soft forks from the start, a block every ten
    /// seconds, and a start difficulty of about a million hashes.
    pub fn pyrite() -> Self {
        Self {
            name: "pyrite".to_owned(),
            address_kind: AddressKind::Regtest,
            magic: [0xfd, 0x9e, 0xc5, 0xd2],
            genesis: GenesisSpec {
                version: 1,
                time: 1_795_478_400, // 2026-11-24 00:00:00 UTC
                bits: CompactTarget::from_consensus(0x1e0f_ffff),
                nonce: 1_446_944,
                message: "Pyrite: fool's gold, mined for real".to_owned(),
                output_script: Builder::new().push_opcode(OP_RETURN).into_script(),
                output_value: Amount::ZERO,
                allocations: Vec::new(),
            },
            target_spacing_s: 10,
            pow_limit: CompactTarget::from_consensus(0x1f00_ffff),
            difficulty: Difficulty::Asert {
                half_life_s: 600,
                anchor_height: 1,
            },
            min_difficulty_after_s: None,
            initial_subsidy: Amount::from_sat(50 * Amount::ONE_BTC.to_sat()),
            halving_interval: BITCOIN_HALVING_INTERVAL,
            coinbase_maturity: BITCOIN_COINBASE_MATURITY,
            limits: BITCOIN_LIMITS,
            deployments: Deployments {
                bip16: 0,
                bip34: 1,
                bip65: 0,
                bip66: 0,
                csv: 0,
                segwit: 0,
                taproot: 0,
            },
            bootstrap_peers: Vec::new(),
            assume_utxo: Vec::new(),
        }
    }

    /// Bitcoin's regtest, byte for byte.
    pub fn regtest() -> Self {
        Self {
            name: "regtest".to_owned(),
            address_kind: AddressKind::Regtest,
            magic: [0xfa, 0xbf, 0xb5, 0xda],
            genesis: bitcoin_genesis(1_296_688_602, 0x207f_ffff, 2),
            target_spacing_s: 600,
            pow_limit: CompactTarget::from_consensus(0x207f_ffff),
            difficulty: Difficulty::Fixed,
            min_difficulty_after_s: None,
            initial_subsidy: Amount::from_sat(50 * Amount::ONE_BTC.to_sat()),
            halving_interval: 150,
            coinbase_maturity: BITCOIN_COINBASE_MATURITY,
            limits: BITCOIN_LIMITS,
            deployments: Deployments {
                bip16: 0,
                bip34: 1,
                bip65: 1,
                bip66: 1,
                csv: 1,
                segwit: 0,
                taproot: 0,
            },
            bootstrap_peers: Vec::new(),
            assume_utxo: REGTEST_COINS.map(known_coins).to_vec(),
        }
    }

    /// Bitcoin's rules, without peers.
    ///
    /// Bitcoin Core applies P2SH, segregated witness and taproot to all blocks but two that break them. A
    /// height each says the same of the blocks that exist: the exceptions are below the heights here.
    pub fn mainnet() -> Self {
        Self {
            name: "mainnet".to_owned(),
            address_kind: AddressKind::Mainnet,
            magic: [0xf9, 0xbe, 0xb4, 0xd9],
            genesis: bitcoin_genesis(1_231_006_505, 0x1d00_ffff, 2_083_236_893),
            target_spacing_s: 600,
            pow_limit: CompactTarget::from_consensus(0x1d00_ffff),
            difficulty: Difficulty::Retarget {
                interval: 2016,
                bip94: false,
            },
            min_difficulty_after_s: None,
            initial_subsidy: Amount::from_sat(50 * Amount::ONE_BTC.to_sat()),
            halving_interval: BITCOIN_HALVING_INTERVAL,
            coinbase_maturity: BITCOIN_COINBASE_MATURITY,
            limits: BITCOIN_LIMITS,
            deployments: Deployments {
                bip16: 173_805,
                bip34: 227_931,
                bip65: 388_381,
                bip66: 363_725,
                csv: 419_328,
                segwit: 481_824,
                taproot: 709_632,
            },
            bootstrap_peers: Vec::new(),
            assume_utxo: MAINNET_COINS.map(known_coins).to_vec(),
        }
    }
}

fn known_coins((height, block, coins, chain_tx_count): KnownCoins) -> AssumeUtxo {
    AssumeUtxo {
        height: Height(height),
        block_hash: block.parse().expect("a hash that is written here"),
        coins_hash: coins.parse().expect("a hash that is written here"),
        chain_tx_count,
    }
}

/// Bitcoin's networks share their genesis block but for the header.
fn bitcoin_genesis(time: u32, bits: u32, nonce: u32) -> GenesisSpec {
    GenesisSpec {
        version: 1,
        time,
        bits: CompactTarget::from_consensus(bits),
        nonce,
        message: BITCOIN_MESSAGE.to_owned(),
        output_script: bitcoin_genesis_script(),
        output_value: Amount::from_sat(50 * Amount::ONE_BTC.to_sat()),
        allocations: Vec::new(),
    }
}

fn bitcoin_genesis_script() -> ScriptBuf {
    Builder::new()
        .push_slice(BITCOIN_GENESIS_KEY)
        .push_opcode(OP_CHECKSIG)
        .into_script()
}
