//! The hashes of a set of coins: what one more coin costs, and what the end does.

#![expect(missing_docs, reason = "criterion's macro makes a function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, OutPoint, ScriptBuf, TxOut, Txid};
use pyrite_consensus::coin_stats::{CoinStatsBuilder, HashKind, MuHash};
use pyrite_consensus::{Coin, Height};

/// Coins that are added at a time.
const COINS: u32 = 1_000;

/// Coins of different transactions, with scripts as most coins have.
fn coins() -> Vec<(OutPoint, Coin)> {
    (0..COINS)
        .map(|number| {
            let outpoint = OutPoint {
                txid: Txid::hash(&number.to_le_bytes()),
                vout: 0,
            };
            let coin = Coin {
                output: TxOut {
                    value: Amount::from_sat(u64::from(number)),
                    script_pubkey: ScriptBuf::from(vec![0x51; 22]),
                },
                height: Height(number),
                is_coinbase: false,
            };
            (outpoint, coin)
        })
        .collect()
}

fn add_coins(criterion: &mut Criterion) {
    let coins = coins();
    let mut group = criterion.benchmark_group("add coins");
    group.throughput(Throughput::Elements(u64::from(COINS)));
    for (name, kind) in [
        ("none", HashKind::None),
        ("hash_serialized_3", HashKind::Serialized),
        ("muhash", HashKind::MuHash),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || CoinStatsBuilder::new(kind),
                |builder| {
                    for (outpoint, coin) in &coins {
                        builder.add(outpoint, coin);
                    }
                },
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn end(criterion: &mut Criterion) {
    let mut set = MuHash::new();
    set.insert(b"added");
    criterion.bench_function("muhash of additions", |bencher| {
        bencher.iter(|| black_box(&set).hash());
    });
    set.remove(b"removed");
    criterion.bench_function("muhash of additions and removals", |bencher| {
        bencher.iter(|| black_box(&set).hash());
    });
}

criterion_group!(benches, add_coins, end);
criterion_main!(benches);
