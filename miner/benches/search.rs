//! Hashes per second of the search kernel, and the time to build a template from a full mempool.

#![expect(missing_docs, reason = "criterion's macro makes a function")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, transaction,
};
use pyrite_consensus::{ChainSpec, HeaderChain, Height};
use pyrite_miner::device::cpu;
use pyrite_miner::{
    Candidate, CandidateChunk, Extranonce, Job, PreparedHeader, TemplateTip, build_template,
};

const HASHES: u32 = 1 << 18;
const CANDIDATES: usize = 20_000;

/// Every fourth candidate spends the one before it and makes a chunk with it.
const CHAINED_EACH: usize = 4;

fn search(criterion: &mut Criterion) {
    // Nonces 0 to 2^18 of Bitcoin's genesis block: none of them solves it.
    let header = ChainSpec::mainnet().genesis_block().header;
    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(u64::from(HASHES)));
    for kernel in cpu::kernels() {
        group.bench_function(kernel.name(), |bencher| {
            let kernel = kernel.as_ref();
            let header = PreparedHeader::with_versions(&header, kernel.versions());
            let nonces = HASHES / u32::from(kernel.versions());
            bencher.iter(|| cpu::search(kernel, black_box(&header), 0..=nonces - 1, || false));
        });
    }
    group.finish();
}

struct Genesis(Header);

impl HeaderChain for Genesis {
    fn tip_height(&self) -> Height {
        Height::GENESIS
    }

    fn header(&self, _: Height) -> Header {
        self.0
    }
}

fn chunks() -> Vec<CandidateChunk> {
    let mut chunks: Vec<CandidateChunk> = Vec::with_capacity(CANDIDATES);
    for (number, fee) in (0_u32..).zip((0..CANDIDATES as u64).map(|n| 200 + n * 7_919 % 10_007)) {
        let is_child = number as usize % CHAINED_EACH == 1;
        let parent = chunks
            .last()
            .and_then(|chunk| chunk.transactions.last())
            .filter(|_| is_child);
        let confirmed = OutPoint {
            txid: Txid::from_byte_array([1; 32]),
            vout: number,
        };
        let previous_output = parent.map_or(confirmed, |parent| OutPoint {
            txid: parent.txid,
            vout: 0,
        });
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::from_slice(&[[7_u8; 72].as_slice(), &[8; 33]]),
            }],
            output: vec![
                TxOut {
                    value: Amount::ONE_BTC,
                    script_pubkey: ScriptBuf::from_bytes(vec![9; 22])
                };
                2
            ],
        };
        let candidate = Candidate {
            txid: tx.compute_txid(),
            wtxid: tx.compute_wtxid(),
            fee: Amount::from_sat(fee),
            weight: tx.weight().to_wu(),
            sigop_cost: 1,
            is_alone: false,
            tx: Arc::new(tx),
        };
        if !is_child {
            chunks.push(CandidateChunk {
                fee: 0,
                weight: 0,
                transactions: Vec::new(),
            });
        }
        let chunk = chunks.last_mut().expect("the first one is no child");
        chunk.fee += i64::try_from(fee).expect("a small fee");
        chunk.weight += candidate.weight;
        chunk.transactions.push(candidate);
    }
    // By falling fee rate.
    chunks.sort_by(|a, b| {
        let cross = |one: &CandidateChunk, other: &CandidateChunk| {
            i128::from(one.fee) * i128::from(other.weight)
        };
        cross(b, a).cmp(&cross(a, b))
    });
    chunks
}

fn template(criterion: &mut Criterion) {
    let spec = ChainSpec::regtest();
    let genesis = Genesis(spec.genesis_block().header);
    let tip = TemplateTip {
        parent: &genesis,
        hash: spec.genesis_hash(),
    };
    let chunks = chunks();
    let payout = ScriptBuf::from_bytes(vec![0x51]);
    let build = || build_template(&spec, &tip, black_box(&chunks), &payout, 1_800_000_000);
    criterion.bench_function("template of 20,000 candidates", |bencher| {
        bencher.iter(build)
    });
    let template = Arc::new(build());
    criterion.bench_function("job with a new extranonce", |bencher| {
        let mut counter = 0;
        bencher.iter(|| {
            counter += 1;
            Job::new(
                Arc::clone(&template),
                Extranonce::new(7, counter),
                1_800_000_000,
                1,
            )
        });
    });
}

criterion_group!(benches, search, template);
criterion_main!(benches);
