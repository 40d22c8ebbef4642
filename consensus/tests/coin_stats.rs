//! The hashes of a set of coins against those that Bitcoin Core publishes.

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::{Hash, sha256d};
use pyrite_consensus::bitcoin::opcodes::all::OP_CHECKSIG;
use pyrite_consensus::bitcoin::script::{Builder, PushBytesBuf};
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, Script, ScriptBuf, Sequence, Target, Transaction, TxIn,
    TxMerkleNode, TxOut, Witness, transaction,
};
use pyrite_consensus::coin_stats::{CoinStats, CoinStatsBuilder, HashKind};
use pyrite_consensus::{ChainSpec, Coin, Height};

/// The public key of the secret key 1.
const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/// When the first block of the chain of Bitcoin Core's unit tests was mined; the next a second later.
const FIRST_TIME: u32 = 1_598_887_952;

/// How Bitcoin Core makes coinbases.
#[derive(Clone, Copy)]
enum Coinbases {
    /// Up to version 29.
    Plain,
    /// From version 30 on, with a lock time that makes them differ from all earlier ones.
    Locked,
}

/// The chain that Bitcoin Core's unit tests and its regtest snapshots are made of: one key, one second
/// between blocks, the smallest nonce that does.
fn test_chain(spec: &ChainSpec, coinbases: Coinbases, blocks: u32) -> Vec<Block> {
    let key = hex::decode(KEY).expect("the key is in hexadecimal");
    let key = PushBytesBuf::try_from(key).expect("33 bytes can be pushed");
    let script = Builder::new()
        .push_slice(key)
        .push_opcode(OP_CHECKSIG)
        .into_script();
    let mut parent = spec.genesis_hash();
    (1..=blocks)
        .map(|height| {
            let coinbase = coinbase(spec, coinbases, Height(height), &script);
            let block = mine(spec, parent, FIRST_TIME + height - 1, coinbase);
            parent = block.block_hash();
            block
        })
        .collect()
}

fn coinbase(
    spec: &ChainSpec,
    coinbases: Coinbases,
    height: Height,
    script: &Script,
) -> Transaction {
    let (lock_time, sequence) = match coinbases {
        Coinbases::Plain => (0, Sequence::MAX),
        Coinbases::Locked => (height.0 - 1, Sequence::ENABLE_LOCKTIME_NO_RBF),
    };
    // No transaction has a witness, so the commitment is to zeros (BIP-0141).
    let mut commitment = vec![0xaa, 0x21, 0xa9, 0xed];
    commitment.extend(sha256d::Hash::hash(&[0; 64]).to_byte_array());
    let commitment = PushBytesBuf::try_from(commitment).expect("36 bytes can be pushed");
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::from_consensus(lock_time),
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new()
                .push_int(i64::from(height.0))
                .push_int(0)
                .into_script(),
            sequence,
            witness: Witness::from_slice(&[[0; 32]]),
        }],
        output: vec![
            TxOut {
                value: spec.subsidy(height),
                script_pubkey: script.to_owned(),
            },
            TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::new_op_return(commitment),
            },
        ],
    }
}

fn mine(spec: &ChainSpec, parent: BlockHash, time: u32, coinbase: Transaction) -> Block {
    let mut header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent,
        merkle_root: TxMerkleNode::from_raw_hash(coinbase.compute_txid().to_raw_hash()),
        time,
        bits: spec.genesis.bits,
        nonce: 0,
    };
    let target = Target::from_compact(header.bits);
    while !target.is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    Block {
        header,
        txdata: vec![coinbase],
    }
}

/// The figures of the coins of a chain in which nothing is spent.
fn stats(chain: &[Block], kind: HashKind) -> CoinStats {
    let mut coins: Vec<_> = (1..)
        .zip(chain)
        .map(|(height, block)| {
            let coinbase = &block.txdata[0];
            let coin = Coin {
                output: coinbase.output[0].clone(),
                height: Height(height),
                is_coinbase: true,
            };
            (coinbase.compute_txid(), coin)
        })
        .collect();
    coins.sort_by_key(|(txid, _)| txid.to_byte_array());
    let mut builder = CoinStatsBuilder::new(kind);
    for (txid, coin) in coins {
        builder.add(&OutPoint { txid, vout: 0 }, &coin);
    }
    builder.finish()
}

/// Bitcoin Core's regtest parameters name the hash of these chains' coins at height 110: those of version
/// 29, and those from version 30 on.
#[test]
fn the_serialized_hash_is_that_of_bitcoin_core_s_snapshots() {
    let spec = ChainSpec::regtest();
    for (coinbases, block, coins) in [
        (
            Coinbases::Plain,
            "696e92821f65549c7ee134edceeeeaaa4105647a3c4fd9f298c0aec0ab50425c",
            "6657b736d4fe4db0cbc796789e812d5dba7f5c143764b1b6905612f1830609d1",
        ),
        (
            Coinbases::Locked,
            "6affe030b7965ab538f820a56ef56c8149b7dc1d1c144af57113be080db7c397",
            "b952555c8ab81fec46f3d4253b7af256d766ceb39fb7752b9d18cdf4a0141327",
        ),
    ] {
        let chain = test_chain(&spec, coinbases, 110);
        assert_eq!(chain[109].block_hash().to_string(), block);
        let stats = stats(&chain, HashKind::Serialized);
        assert_eq!(stats.hash.unwrap().to_string(), coins);
    }
}

#[test]
fn figures_are_those_of_all_coins_whatever_the_hash() {
    let chain = test_chain(&ChainSpec::regtest(), Coinbases::Plain, 3);
    for (kind, has_hash) in [
        (HashKind::None, false),
        (HashKind::Serialized, true),
        (HashKind::MuHash, true),
    ] {
        let stats = stats(&chain, kind);
        assert_eq!((stats.outputs, stats.transactions), (3, 3));
        // A script of 35 bytes each.
        assert_eq!(stats.bogo_size, 3 * (50 + 35));
        assert_eq!(stats.total_amount, Some(Amount::from_int_btc(150)));
        assert_eq!(stats.hash.is_some(), has_hash);
    }
}

#[test]
fn outputs_of_one_transaction_count_it_once_and_an_impossible_total_is_none() {
    let coin = |sat: u64| Coin {
        output: TxOut {
            value: Amount::from_sat(sat),
            script_pubkey: ScriptBuf::new(),
        },
        height: Height(1),
        is_coinbase: false,
    };
    let mut builder = CoinStatsBuilder::new(HashKind::None);
    for vout in 0..3 {
        builder.add(
            &OutPoint {
                vout,
                ..OutPoint::null()
            },
            &coin(u64::MAX / 2),
        );
    }
    let stats = builder.finish();
    assert_eq!((stats.outputs, stats.transactions), (3, 1));
    assert_eq!(stats.total_amount, None);
}

#[test]
fn muhash_of_a_chain_does_not_depend_on_the_order_of_its_coins() {
    let chain = test_chain(&ChainSpec::regtest(), Coinbases::Plain, 5);
    let sorted = stats(&chain, HashKind::MuHash);
    let mut builder = CoinStatsBuilder::new(HashKind::MuHash);
    for (height, block) in (1..).zip(&chain) {
        let coin = Coin {
            output: block.txdata[0].output[0].clone(),
            height: Height(height),
            is_coinbase: true,
        };
        let txid = block.txdata[0].compute_txid();
        builder.add(&OutPoint { txid, vout: 0 }, &coin);
    }
    assert_eq!(builder.finish().hash, sorted.hash);
}
