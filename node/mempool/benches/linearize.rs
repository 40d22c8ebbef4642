//! The best order of clusters: single transactions, families, and full clusters of shapes that are hard.

#![expect(missing_docs, reason = "criterion's macro makes a function")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pyrite_mempool::cluster::{
    DependencyGraph, FeeWeight, chunk_order, compare_diagrams, linearize,
};

/// The hardest cluster that hill climbing found, a fee, a weight and the parents (a set in hexadecimal) in each line.
const HARD: &str = include_str!("hard_cluster.txt");

type Named = (&'static str, DependencyGraph);

/// Numbers that look random and are always the same (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % bound
    }

    /// A fee and a weight as on a real chain, the fee at a rate below the given one.
    fn rate(&mut self, below: u64) -> FeeWeight {
        let weight = 400 + self.below(2_000);
        let fee = weight * (1_000 + self.below(below * 1_000)) / 1_000;
        FeeWeight::new(fee.cast_signed(), weight)
    }

    /// Each of a set with a probability of one in `of`.
    fn some(&mut self, set: u64, of: u64) -> u64 {
        (0..64).fold(0, |some, position| {
            some | u64::from(self.below(of) == 0) << position & set
        })
    }
}

/// A graph whose rates and parents depend on the position.
fn build(count: usize, mut add: impl FnMut(usize) -> (FeeWeight, u64)) -> DependencyGraph {
    let mut graph = DependencyGraph::with_capacity(count);
    for position in 0..count {
        let (rate, parents) = add(position);
        graph.add(rate, parents);
    }
    graph
}

/// All before a position.
const fn before(position: usize) -> u64 {
    (1 << position) - 1
}

/// The one before a position, and none before the first.
const fn previous(position: usize) -> u64 {
    (1 << position) >> 1
}

fn chain(count: usize, fee: impl Fn(i64) -> i64) -> DependencyGraph {
    build(count, |i| {
        let fee = fee(i64::try_from(i).expect("a small number"));
        (FeeWeight::new(fee, 1_000), previous(i))
    })
}

/// At random rates, where the parents come from the position.
fn shaped(count: usize, parents: impl Fn(usize, &mut Numbers) -> u64) -> DependencyGraph {
    let mut numbers = Numbers(0x9e37_79b9);
    build(count, |i| {
        (numbers.rate(50), parents(i, &mut numbers) & before(i))
    })
}

/// Each earlier transaction is a parent in one of so many cases.
fn random(count: usize, one_in: u64) -> DependencyGraph {
    shaped(count, |i, numbers| numbers.some(before(i), one_in))
}

/// Half of the cluster spends some of the other half, and pays for it.
fn two_layers(one_in: u64, scale: i64) -> DependencyGraph {
    let mut numbers = Numbers(0x1234_5678_9abc);
    build(64, |i| {
        let layer = before(32);
        let (mut rate, parents) = if i < 32 {
            (numbers.rate(2), 0)
        } else {
            (numbers.rate(100), numbers.some(layer, one_in))
        };
        rate.fee *= scale;
        (rate, parents)
    })
}

/// Each child spends two neighbours and pays a little more than its share of what these lack, so that the flow is moved
/// along all of them.
fn zigzag() -> DependencyGraph {
    build(64, |i| {
        if i < 32 {
            return (FeeWeight::new(if i == 31 { 40 } else { 100 }, 1_000), 0);
        }
        let parents = 0b11 << (i - 32) & before(32);
        (
            FeeWeight::new(if i == 32 { 260 } else { 199 }, 1_000),
            parents,
        )
    })
}

fn hard() -> DependencyGraph {
    let mut lines = HARD.lines().map(|line| {
        let mut fields = line.split(' ');
        let mut field = || fields.next().expect("three fields");
        let fee = field().parse().expect("a fee");
        let weight = field().parse().expect("a weight");
        let parents = u64::from_str_radix(field(), 16).expect("a set");
        (FeeWeight::new(fee, weight), parents)
    });
    build(64, |_| lines.next().expect("64 lines"))
}

fn small() -> Vec<Named> {
    vec![
        ("1", chain(1, |_| 1_000)),
        ("2, the child pays less", chain(2, |i| 1_000 - i)),
        ("2, the child pays for its parent", chain(2, |i| 1_000 + i)),
        ("10, random", random(10, 3)),
        ("25, random", random(25, 6)),
        ("25, chain, random", shaped(25, |i, _| previous(i))),
    ]
}

fn full() -> Vec<Named> {
    let by_eight = |i: usize| {
        let above = (i / 8 * 8).checked_sub(8);
        above.map_or(0, |above| 0xff << above)
    };
    let comb = |i: usize| 1_u64 << i >> if i.is_multiple_of(2) { 2 } else { 1 };
    vec![
        ("chain, falling", chain(64, |i| 9_000 - i)),
        ("chain, equal", chain(64, |_| 9_000)),
        ("chain, rising", chain(64, |i| 9_000 + i)),
        ("chain, doubling", chain(64, |i| 1 << i.min(40))),
        ("chain, random", shaped(64, |i, _| previous(i))),
        (
            "tree",
            shaped(64, |i, numbers| 1 << numbers.below(i.max(1) as u64)),
        ),
        ("fan out", shaped(64, |_, _| 1)),
        (
            "fan in",
            shaped(64, |i, _| if i == 63 { before(63) } else { 0 }),
        ),
        ("comb", shaped(64, |i, _| comb(i))),
        (
            "layers of 8",
            shaped(64, |i, numbers| numbers.some(by_eight(i), 3)),
        ),
        ("random, 1 in 2", random(64, 2)),
        ("random, 1 in 8", random(64, 8)),
        ("random, 1 in 24", random(64, 24)),
        ("random, 1 in 50", random(64, 50)),
        ("two layers, 1 in 1", two_layers(1, 1)),
        ("two layers, 1 in 2", two_layers(2, 1)),
        ("two layers, 1 in 4", two_layers(4, 1)),
        ("two layers, 1 in 8", two_layers(8, 1)),
        ("two layers, 1 in 16", two_layers(16, 1)),
        ("two layers, 1 in 8, huge fees", two_layers(8, 1 << 36)),
        ("two layers, zigzag", zigzag()),
        ("found by search", hard()),
    ]
}

fn linearization(criterion: &mut Criterion) {
    for (name, graphs) in [("small", small()), ("64", full())] {
        let mut group = criterion.benchmark_group(format!("linearize {name}"));
        for (name, graph) in &graphs {
            let id = BenchmarkId::from_parameter(name);
            group.bench_with_input(id, graph, |bencher, graph| {
                bencher.iter(|| linearize(black_box(graph)));
            });
        }
        group.finish();
    }
}

fn graph_building(criterion: &mut Criterion) {
    let graph = random(64, 24);
    for count in [1, 64] {
        criterion.bench_function(&format!("build graph/{count}"), |bencher| {
            bencher.iter(|| build(black_box(count), |i| (graph.rate(i), graph.parents(i))));
        });
    }
}

fn diagrams(criterion: &mut Criterion) {
    let graph = random(64, 24);
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
