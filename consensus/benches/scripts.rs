//! Signature checks per second through [`ScriptCheck`], for transactions of 1,000 inputs, beside what
//! libsecp256k1 does alone: from bytes, and with keys and signatures read before.

#![expect(missing_docs, reason = "criterion's macro makes a function")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::secp256k1::{
    All, Keypair, Message, PublicKey, Secp256k1, SecretKey, XOnlyPublicKey, ecdsa, schnorr,
};
use pyrite_consensus::bitcoin::{
    Amount, CompressedPublicKey, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid,
    Witness, absolute, key::TweakedPublicKey, transaction,
};
use pyrite_consensus::script::sighash::{
    SpendingTransaction, TaprootContext, legacy_signature_hash, segwit_v0_signature_hash,
    taproot_signature_hash,
};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags, Secp256k1Verifier};

const INPUTS: usize = 1000;

/// Inputs that a core takes at once.
const SHARE: usize = 8;

/// SIGHASH_ALL.
const ALL: u8 = 1;

/// A transaction with the outputs that it spends.
struct Spend {
    transaction: Arc<Transaction>,
    spent_outputs: Vec<TxOut>,
    signatures: Vec<Signed>,
}

/// What one input's signature signs, and by whom.
struct Signed {
    digest: [u8; 32],
    signature: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Kind {
    P2pkh,
    P2wpkh,
    P2tr,
}

fn pair(secp: &Secp256k1<All>, input: usize) -> Keypair {
    let mut secret = [1; 32];
    secret[..8].copy_from_slice(&input.to_be_bytes());
    let secret = SecretKey::from_slice(&secret).expect("below the group's order");
    Keypair::from_secret_key(secp, &secret)
}

impl Spend {
    fn new(secp: &Secp256k1<All>, kind: Kind, inputs: usize) -> Self {
        let pairs: Vec<_> = (0..inputs).map(|input| pair(secp, input)).collect();
        let input = |vout| TxIn {
            previous_output: OutPoint {
                txid: Txid::from_byte_array([7; 32]),
                vout: u32::try_from(vout).expect("few inputs"),
            },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        };
        let spent = pairs.iter().map(|pair| TxOut {
            value: Amount::from_sat(100_000),
            script_pubkey: locking_script(kind, pair),
        });
        let mut transaction = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: (0..inputs).map(input).collect(),
            output: vec![TxOut {
                value: Amount::from_sat(50_000),
                script_pubkey: locking_script(kind, &pairs[0]),
            }],
        };
        let spent_outputs: Vec<_> = spent.collect();
        let spending =
            SpendingTransaction::new(Arc::new(transaction.clone()), spent_outputs.clone());
        let signatures: Vec<_> = pairs
            .iter()
            .enumerate()
            .map(|(input, pair)| sign(secp, kind, &spending, input, pair))
            .collect();
        for (input, signed) in transaction.input.iter_mut().zip(&signatures) {
            let with_type = [&signed.signature[..], &[ALL]].concat();
            match kind {
                Kind::P2pkh => {
                    let mut script_sig = vec![u8::try_from(with_type.len()).expect("short")];
                    script_sig.extend(with_type);
                    script_sig.push(33);
                    script_sig.extend(&signed.key);
                    input.script_sig = ScriptBuf::from_bytes(script_sig);
                }
                Kind::P2wpkh => {
                    input.witness = Witness::from_slice(&[with_type, signed.key.clone()])
                }
                Kind::P2tr => input.witness = Witness::from_slice(&[&signed.signature]),
            }
        }
        let spend = Self {
            transaction: Arc::new(transaction),
            spent_outputs,
            signatures,
        };
        assert_eq!(spend.check().verify(), Ok(()));
        spend
    }

    /// A check that has computed nothing yet.
    fn check(&self) -> ScriptCheck {
        let spent_outputs = self.spent_outputs.clone();
        ScriptCheck::shared(self.transaction.clone(), spent_outputs, ScriptFlags::ALL)
    }
}

fn locking_script(kind: Kind, pair: &Keypair) -> ScriptBuf {
    let key = CompressedPublicKey(pair.public_key());
    match kind {
        Kind::P2pkh => ScriptBuf::new_p2pkh(&key.pubkey_hash()),
        Kind::P2wpkh => ScriptBuf::new_p2wpkh(&key.wpubkey_hash()),
        Kind::P2tr => {
            let key = pair.x_only_public_key().0;
            ScriptBuf::new_p2tr_tweaked(TweakedPublicKey::dangerous_assume_tweaked(key))
        }
    }
}

fn sign(
    secp: &Secp256k1<All>,
    kind: Kind,
    spending: &SpendingTransaction,
    input: usize,
    pair: &Keypair,
) -> Signed {
    let key = CompressedPublicKey(pair.public_key());
    let code = ScriptBuf::new_p2pkh(&key.pubkey_hash());
    let hash_type = u32::from(ALL);
    let digest = match kind {
        Kind::P2pkh => {
            legacy_signature_hash(spending.transaction(), input, code.as_bytes(), hash_type)
        }
        Kind::P2wpkh => segwit_v0_signature_hash(spending, input, code.as_bytes(), hash_type),
        Kind::P2tr => taproot_signature_hash(spending, input, 0, &TaprootContext::default())
            .expect("the default hash type is defined"),
    };
    let message = Message::from_digest(digest);
    let (signature, key) = match kind {
        Kind::P2pkh | Kind::P2wpkh => (
            secp.sign_ecdsa(&message, &pair.secret_key())
                .serialize_der()
                .to_vec(),
            pair.public_key().serialize().to_vec(),
        ),
        Kind::P2tr => (
            secp.sign_schnorr_no_aux_rand(&message, pair)
                .serialize()
                .to_vec(),
            pair.x_only_public_key().0.serialize().to_vec(),
        ),
    };
    Signed {
        digest,
        signature,
        key,
    }
}

fn verify_ecdsa(secp: &Secp256k1<All>, signed: &Signed) {
    let key = PublicKey::from_slice(&signed.key).expect("a key");
    let signature = ecdsa::Signature::from_der(&signed.signature).expect("a signature");
    let message = Message::from_digest(signed.digest);
    secp.verify_ecdsa(&message, &signature, &key)
        .expect("valid");
}

fn verify_schnorr(secp: &Secp256k1<All>, signed: &Signed) {
    let key = XOnlyPublicKey::from_slice(&signed.key).expect("a key");
    let signature = schnorr::Signature::from_slice(&signed.signature).expect("a signature");
    let message = Message::from_digest(signed.digest);
    secp.verify_schnorr(&signature, &message, &key)
        .expect("valid");
}

/// Does the work of every input, on all cores.
fn on_all_cores(work: impl Fn(usize) + Sync) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // A core that is busy with something else leaves its share to the others.
    let next = AtomicUsize::new(0);
    let take = || loop {
        let first = next.fetch_add(SHARE, Ordering::Relaxed);
        if first >= INPUTS {
            break;
        }
        (first..(first + SHARE).min(INPUTS)).for_each(&work);
    };
    std::thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(take);
        }
        take();
    });
}

fn script_checks(criterion: &mut Criterion) {
    let secp = Secp256k1::new();
    let p2wpkh = Spend::new(&secp, Kind::P2wpkh, INPUTS);
    let p2tr = Spend::new(&secp, Kind::P2tr, INPUTS);
    let p2pkh = Spend::new(&secp, Kind::P2pkh, INPUTS);

    let mut group = criterion.benchmark_group("signatures");
    group.sample_size(20);
    group.throughput(Throughput::Elements(INPUTS as u64));
    group.bench_function("ecdsa alone, from bytes", |bencher| {
        bencher.iter(|| {
            for signed in black_box(&p2wpkh.signatures) {
                verify_ecdsa(&secp, signed);
            }
        });
    });
    for (name, spend) in [
        ("p2wpkh, 1000 inputs", &p2wpkh),
        ("p2pkh, 1000 inputs", &p2pkh),
    ] {
        group.bench_function(name, |bencher| {
            let check = || spend.check();
            bencher.iter_batched(check, |check| check.verify(), BatchSize::LargeInput);
        });
    }
    group.bench_function("schnorr alone, from bytes", |bencher| {
        bencher.iter(|| {
            for signed in black_box(&p2tr.signatures) {
                verify_schnorr(&secp, signed);
            }
        });
    });
    group.bench_function("p2tr key path, 1000 inputs", |bencher| {
        let check = || p2tr.check();
        bencher.iter_batched(check, |check| check.verify(), BatchSize::LargeInput);
    });
    group.bench_function("ecdsa alone, all cores", |bencher| {
        bencher.iter(|| on_all_cores(|input| verify_ecdsa(&secp, &p2wpkh.signatures[input])));
    });
    for (name, spend) in [
        ("p2wpkh, all cores", &p2wpkh),
        ("p2tr key path, all cores", &p2tr),
    ] {
        group.bench_function(name, |bencher| {
            let check = || spend.check();
            bencher.iter_batched(
                check,
                |check| {
                    on_all_cores(|input| {
                        check
                            .verify_input(input, &Secp256k1Verifier)
                            .expect("valid");
                    });
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// libsecp256k1's arithmetic without reading points and numbers.
fn parsed(criterion: &mut Criterion) {
    let secp = Secp256k1::new();
    let p2wpkh = Spend::new(&secp, Kind::P2wpkh, 1);
    let p2tr = Spend::new(&secp, Kind::P2tr, 1);
    let mut group = criterion.benchmark_group("read before");
    group.throughput(Throughput::Elements(1));
    let signed = &p2wpkh.signatures[0];
    let key = PublicKey::from_slice(&signed.key).expect("a key");
    let signature = ecdsa::Signature::from_der(&signed.signature).expect("a signature");
    let message = Message::from_digest(signed.digest);
    group.bench_function("ecdsa alone", |bencher| {
        bencher.iter(|| secp.verify_ecdsa(black_box(&message), &signature, &key));
    });
    let signed = &p2tr.signatures[0];
    let key = XOnlyPublicKey::from_slice(&signed.key).expect("a key");
    let signature = schnorr::Signature::from_slice(&signed.signature).expect("a signature");
    let message = Message::from_digest(signed.digest);
    group.bench_function("schnorr alone", |bencher| {
        bencher.iter(|| secp.verify_schnorr(&signature, black_box(&message), &key));
    });
    group.finish();
}

criterion_group!(benches, script_checks, parsed);
criterion_main!(benches);
