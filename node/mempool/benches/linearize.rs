//! The best order of clusters: single transactions, families, and full clusters of shapes that are hard.

#![expect(missing_docs, reason = "criterion's macro makes a function")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pyrite_mempool::cluster::{
    DependencyGraph, FeeWeight, chunk_order, compare_diagrams, linearize,
};

/// Numbers that look random and are always the same (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % bound
    }

    /// A fee and a weight as on a real chain.
    fn rate(&mut self) -> FeeWeight {
        let weight = 400 + self.below(2_000);
        FeeWeight::new((weight * (1 + self.below(50))).cast_signed(), weight)
    }

    /// Each of a set with the probability `one / of`.
    fn some(&mut self, set: u64, one: u64, of: u64) -> u64 {
        (0..64).fold(0, |some, position| {
            some | u64::from(self.below(of) < one) << position & set
        })
    }
}

/// A graph of so many transactions whose rates and parents depend on the position.
fn build(count: usize, mut add: impl FnMut(usize) -> (FeeWeight, u64)) -> DependencyGraph {
    let mut graph = DependencyGraph::with_capacity(count);
    for position in 0..count {
        let (rate, parents) = add(position);
        graph.add(rate, parents);
    }
    graph
}

const fn before(position: usize) -> u64 {
    (1 << position) - 1
}

const fn previous(position: usize) -> u64 {
    (1 << position) >> 1
}

/// Each earlier transaction is a parent with the probability `one / of`.
fn random(count: usize, one: u64, of: u64) -> DependencyGraph {
    let mut numbers = Numbers(0x9e37_79b9 ^ one << 32 ^ of);
    build(count, |position| {
        (numbers.rate(), numbers.some(before(position), one, of))
    })
}

/// Half of the cluster spends some of the other half, at rates that get all parents below those of all children.
fn two_layers(one: u64, of: u64, fee: impl Fn(usize, &mut Numbers) -> i64) -> DependencyGraph {
    let mut numbers = Numbers(0x1234_5678_9abc);
    build(64, |position| {
        let weight = 400 + numbers.below(2_000);
        let fee = fee(position, &mut numbers);
        let parents = if position < 32 {
            0
        } else {
            numbers.some(before(32), one, of)
        };
        (FeeWeight::new(fee, weight), parents)
    })
}

/// Pairs of neighbours: a child spends its parent and the next, so that flow has a long way to go.
fn zigzag() -> DependencyGraph {
    build(64, |position| {
        if position < 32 {
            return (
                FeeWeight::new(if position == 31 { 40 } else { 100 }, 1_000),
                0,
            );
        }
        let first = position - 32;
        let parents = 0b11 << first & before(32);
        (
            FeeWeight::new(if first == 0 { 260 } else { 199 }, 1_000),
            parents,
        )
    })
}

fn shapes() -> Vec<(&'static str, DependencyGraph)> {
    let mut numbers = Numbers(7);
    vec![
        (
            "chain, rising",
            build(64, |i| {
                (FeeWeight::new(1_000 + 10 * i as i64, 1_000), previous(i))
            }),
        ),
        (
            "chain, falling",
            build(64, |i| {
                (FeeWeight::new(9_000 - 10 * i as i64, 1_000), previous(i))
            }),
        ),
        (
            "chain, doubling",
            build(64, |i| (FeeWeight::new(1 << i.min(40), 1_000), previous(i))),
        ),
        (
            "chain, random",
            build(64, |i| (numbers.rate(), previous(i))),
        ),
        (
            "tree, random",
            build(64, |i| {
                (
                    numbers.rate(),
                    if i == 0 {
                        0
                    } else {
                        1 << numbers.below(i as u64)
                    },
                )
            }),
        ),
        (
            "fan out, random",
            build(64, |i| (numbers.rate(), u64::from(i > 0))),
        ),
        (
            "fan in, random",
            build(64, |i| {
                (numbers.rate(), if i == 63 { before(63) } else { 0 })
            }),
        ),
        (
            "comb, random",
            build(64, |i| {
                (
                    numbers.rate(),
                    match i {
                        0 => 0,
                        i if i % 2 == 0 => 1 << (i - 2),
                        i => 1 << (i - 1),
                    },
                )
            }),
        ),
        (
            "ladder of singles, doubling",
            build(64, |i| {
                (
                    FeeWeight::new(1 << (63 - i).min(40), 1_000),
                    if i == 63 { 1 } else { 0 },
                )
            }),
        ),
        (
            "layers of 8, random",
            build(64, |i| {
                (
                    numbers.rate(),
                    if i < 8 {
                        0
                    } else {
                        numbers.some(0xff << (i / 8 * 8 - 8), 1, 3)
                    },
                )
            }),
        ),
        ("random, 1 in 2", random(64, 1, 2)),
        ("random, 1 in 8", random(64, 1, 8)),
        ("random, 1 in 24", random(64, 1, 24)),
        ("random, 1 in 50", random(64, 1, 50)),
        ("equal rates, random 1 in 8", {
            let mut numbers = Numbers(99);
            build(64, |i| {
                (FeeWeight::new(1_000, 1_000), numbers.some(before(i), 1, 8))
            })
        }),
        (
            "two layers, all, random",
            two_layers(1, 1, |i, n| {
                (if i < 32 {
                    n.below(1_000)
                } else {
                    n.below(90_000)
                }) as i64
            }),
        ),
        (
            "two layers, 1 in 2, random",
            two_layers(1, 2, |i, n| {
                (if i < 32 {
                    n.below(1_000)
                } else {
                    n.below(90_000)
                }) as i64
            }),
        ),
        (
            "two layers, 1 in 4, random",
            two_layers(1, 4, |i, n| {
                (if i < 32 {
                    n.below(1_000)
                } else {
                    n.below(90_000)
                }) as i64
            }),
        ),
        (
            "two layers, 1 in 8, random",
            two_layers(1, 8, |i, n| {
                (if i < 32 {
                    n.below(1_000)
                } else {
                    n.below(90_000)
                }) as i64
            }),
        ),
        (
            "two layers, 1 in 16, random",
            two_layers(1, 16, |i, n| {
                (if i < 32 {
                    n.below(1_000)
                } else {
                    n.below(90_000)
                }) as i64
            }),
        ),
        (
            "two layers, 1 in 8, doubling",
            two_layers(1, 8, |i, _| 1 << (i % 32)),
        ),
        (
            "two layers, 1 in 8, huge",
            two_layers(1, 8, |i, n| {
                ((if i < 32 {
                    n.below(1_000)
                } else {
                    n.below(90_000)
                }) as i64)
                    << 39
            }),
        ),
        ("two layers, zigzag", zigzag()),
    ]
}

fn families() -> Vec<(&'static str, DependencyGraph)> {
    let rate = |fee| FeeWeight::new(fee, 1_000);
    vec![
        ("single", build(1, |_| (rate(1_000), 0))),
        (
            "child pays less",
            build(2, |i| (rate(2_000 - i as i64), previous(i))),
        ),
        (
            "child pays for parent",
            build(2, |i| (rate(1_000 + i as i64), previous(i))),
        ),
        ("chain of 25, random", {
            let mut numbers = Numbers(3);
            build(25, |i| (numbers.rate(), previous(i)))
        }),
        ("random 10, 1 in 3", random(10, 1, 3)),
        ("random 25, 1 in 6", random(25, 1, 6)),
    ]
}

fn linearization(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("linearize");
    for (name, graph) in families().iter().chain(&shapes()) {
        group.bench_with_input(
            BenchmarkId::from_parameter(name),
            graph,
            |bencher, graph| {
                bencher.iter(|| linearize(black_box(graph)));
            },
        );
    }
    group.finish();
}

fn graph_building(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("graph");
    let graph = random(64, 1, 24);
    group.bench_function("64, 1 in 24", |bencher| {
        bencher.iter(|| build(64, |i| (graph.rate(i), graph.parents(i))));
    });
    group.bench_function("single", |bencher| {
        bencher.iter(|| build(1, |_| (black_box(FeeWeight::new(1, 1)), 0)));
    });
    group.finish();
}

fn diagrams(criterion: &mut Criterion) {
    let graph = random(64, 1, 24);
    let order: Vec<u8> = (0..64).collect();
    let best: Vec<_> = linearize(&graph)
        .into_iter()
        .map(|chunk| chunk.rate)
        .collect();
    let other = chunk_order(&graph, &order);
    criterion.bench_function("chunk_order/64", |bencher| {
        bencher.iter(|| chunk_order(black_box(&graph), black_box(&order)));
    });
    criterion.bench_function("compare_diagrams/64", |bencher| {
        bencher.iter(|| compare_diagrams(black_box(&best), black_box(&other)));
    });
}

criterion_group!(benches, linearization, graph_building, diagrams);
criterion_main!(benches);
