//! A full block of 7,000 payments (P2WPKH, one input and two outputs each) on its way into the chain:
//! with scripts that are verified there, and with scripts that were verified and coins that were read when the
//! transactions came alone, as those of the mempool are.

#![expect(missing_docs, reason = "criterion's macro makes a function")]

use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pyrite_chain::{Chain, ChainConfig, Clock, Submitted};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey};
use pyrite_consensus::bitcoin::sighash::{EcdsaSighashType, SighashCache};
use pyrite_consensus::bitcoin::{
    Amount, Block, CompressedPublicKey, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn,
    TxMerkleNode, TxOut, Witness, WitnessMerkleNode, transaction,
};
use pyrite_consensus::connect::genesis_coins;
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use pyrite_consensus::spec::Allocation;
use pyrite_consensus::{ChainSpec, Height};
use tempfile::TempDir;

const PAYMENTS: usize = 7_000;

const COIN: Amount = Amount::from_sat(100_000);

/// A chain whose genesis block has a coin for each payment, and the block that pays.
struct Scene {
    spec: Arc<ChainSpec>,
    block: Arc<Block>,
    spent: Vec<TxOut>,
}

impl Scene {
    fn new() -> Self {
        let secp = Secp256k1::new();
        let keys: Vec<_> = (0..PAYMENTS).map(secret_key).collect();
        let allocations = keys.iter().map(|key| Allocation {
            script_pubkey: locking_script(&secp, key),
            value: COIN,
        });
        let time = 1_700_000_000;
        let spec = ChainSpec::regtest().derive("bench", time, "bench", allocations.collect());
        let coins = genesis_coins(&spec);
        let payments = keys
            .iter()
            .zip(&coins)
            .map(|(key, (outpoint, coin))| payment(&secp, key, *outpoint, &coin.output));
        let block = block(&spec, payments.collect());
        Self {
            block: Arc::new(block),
            spent: coins.into_iter().map(|(_, coin)| coin.output).collect(),
            spec: Arc::new(spec),
        }
    }

    fn open(&self, threads: usize) -> (Chain, TempDir) {
        let directory = tempfile::tempdir().expect("makes a directory");
        let now = u64::from(self.spec.genesis.time) + 3_600;
        let config = ChainConfig {
            spec: Arc::clone(&self.spec),
            path: directory.path().join("chain"),
            script_threads: threads,
            coins_cache_bytes: 450 << 20,
            assume_valid: None,
            clock: Clock::new(move || now),
        };
        (Chain::open(config).expect("opens"), directory)
    }

    /// A chain that has seen the payments: their coins were read and their scripts verified, as the mempool has it do.
    fn open_knowing(&self, threads: usize) -> (Chain, TempDir) {
        let opened = self.open(threads);
        let reader = &opened.0.reader;
        let payments = &self.block.txdata[1..];
        let inputs = payments.iter().flat_map(|payment| &payment.input);
        let outpoints: Vec<OutPoint> = inputs.map(|input| input.previous_output).collect();
        reader.coins(&outpoints).expect("reads");
        for (payment, spent) in payments.iter().zip(&self.spent) {
            let check = ScriptCheck::new(payment, vec![spent.clone()], ScriptFlags::STANDARD);
            reader.scripts().verify(&check).expect("valid");
        }
        opened
    }
}

fn secret_key(number: usize) -> SecretKey {
    let mut bytes = [1; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SecretKey::from_slice(&bytes).expect("below the group's order")
}

fn locking_script(secp: &Secp256k1<All>, key: &SecretKey) -> ScriptBuf {
    let key = CompressedPublicKey(PublicKey::from_secret_key(secp, key));
    ScriptBuf::new_p2wpkh(&key.wpubkey_hash())
}

fn payment(secp: &Secp256k1<All>, key: &SecretKey, coin: OutPoint, spent: &TxOut) -> Transaction {
    let output = |value| TxOut {
        value,
        script_pubkey: spent.script_pubkey.clone(),
    };
    let mut payment = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: coin,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![output(COIN / 2), output(COIN / 2)],
    };
    let hash = SighashCache::new(&payment)
        .p2wpkh_signature_hash(0, &spent.script_pubkey, COIN, EcdsaSighashType::All)
        .expect("a P2WPKH output");
    let signature = secp.sign_ecdsa(&Message::from_digest(hash.to_byte_array()), key);
    let signature = [&signature.serialize_der()[..], &[1]].concat();
    let key = PublicKey::from_secret_key(secp, key).serialize();
    payment.input[0].witness = Witness::from_slice(&[signature, key.to_vec()]);
    payment
}

/// The block after the genesis block.
fn block(spec: &ChainSpec, payments: Vec<Transaction>) -> Block {
    let reserved = [0; 32];
    let mut coinbase = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new().push_int(1).push_int(1).into_script(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[reserved]),
        }],
        output: vec![TxOut {
            value: spec.subsidy(Height(1)),
            script_pubkey: ScriptBuf::new(),
        }],
    };
    let mut block = Block {
        header: Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: spec.genesis_hash(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: spec.genesis.time + 600,
            bits: spec.genesis.bits,
            nonce: 0,
        },
        txdata: [vec![coinbase.clone()], payments].concat(),
    };
    let root: WitnessMerkleNode = block.witness_root().expect("there are transactions");
    let commitment = Block::compute_witness_commitment(&root, &reserved);
    let script = [
        &[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed],
        &commitment.as_byte_array()[..],
    ]
    .concat();
    coinbase.output.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    });
    block.txdata[0] = coinbase;
    block.header.merkle_root = block.compute_merkle_root().expect("there are transactions");
    let target = Target::from_compact(block.header.bits);
    while !target.is_met_by(block.header.block_hash()) {
        block.header.nonce += 1;
    }
    block
}

/// One thread, and all cores.
fn threads() -> Vec<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 { vec![1] } else { vec![1, cores] }
}

/// Every rule but the proof of work and no write: what a template or a proposal goes through, and all
/// that a new block costs beside the database's writes.
fn check(criterion: &mut Criterion) {
    let scene = Scene::new();
    let mut group = criterion.benchmark_group("check a block of 7,000 payments");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PAYMENTS as u64));
    for threads in threads() {
        for (name, (chain, _directory)) in [
            ("new scripts", scene.open(threads)),
            ("known scripts", scene.open_knowing(threads)),
        ] {
            group.bench_function(BenchmarkId::new(name, threads), |bencher| {
                bencher.iter(|| {
                    let verdict = chain.handle.check_proposal(Arc::clone(&scene.block));
                    assert!(verdict.is_ok(), "{verdict:?}");
                });
            });
        }
    }
    group.finish();
}

/// The same up to the tip, with everything on the disk.
fn submit(criterion: &mut Criterion) {
    let scene = Scene::new();
    let mut group = criterion.benchmark_group("submit a block of 7,000 payments");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PAYMENTS as u64));
    for threads in threads() {
        for (name, open) in [
            (
                "new scripts",
                Scene::open as fn(&Scene, usize) -> (Chain, TempDir),
            ),
            ("known scripts", Scene::open_knowing),
        ] {
            group.bench_function(BenchmarkId::new(name, threads), |bencher| {
                bencher.iter_batched(
                    || open(&scene, threads),
                    |opened| {
                        let submitted = opened.0.handle.submit_block(Arc::clone(&scene.block));
                        assert_eq!(submitted.expect("valid"), Submitted::NewTip);
                        opened
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, check, submit);
criterion_main!(benches);
