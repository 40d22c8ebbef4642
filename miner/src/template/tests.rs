//! Templates: their fields, their coinbase, and their blocks under the rules. `selection_tests` has
//! the choice of transactions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn,
    TxOut, Txid, Witness, transaction,
};
use pyrite_consensus::transaction::sigop_cost;
use pyrite_consensus::{
    BlockContents, BlockContext, ChainSpec, Coin, HashedBlock, HeaderChain, Height, check_block,
    check_block_in_chain, check_header, connect_block,
};

use super::*;
use crate::solve;
use crate::test_chain::TestChain;

const NOW: u64 = 1_800_000_000;

fn op_true() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

/// Coins, and candidates that spend them, each a chunk.
struct Pool {
    coins: HashMap<OutPoint, Coin>,
    confirmed: HashMap<OutPoint, Coin>,
    chunks: Vec<CandidateChunk>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Legacy,
    Segwit,
}

impl Pool {
    fn new() -> Self {
        Self {
            coins: HashMap::new(),
            confirmed: HashMap::new(),
            chunks: Vec::new(),
        }
    }

    fn script(kind: Kind) -> ScriptBuf {
        match kind {
            Kind::Legacy => op_true(),
            Kind::Segwit => op_true().to_p2wsh(),
        }
    }

    /// A confirmed coin of one bitcoin.
    fn coin(&mut self, kind: Kind) -> OutPoint {
        let number = u32::try_from(self.confirmed.len()).unwrap();
        let outpoint = OutPoint {
            txid: Txid::from_byte_array([0xee; 32]),
            vout: number,
        };
        let output = TxOut {
            value: Amount::ONE_BTC,
            script_pubkey: Self::script(kind),
        };
        let coin = Coin {
            output,
            height: Height(1),
            is_coinbase: false,
        };
        self.coins.insert(outpoint, coin.clone());
        self.confirmed.insert(outpoint, coin);
        outpoint
    }

    /// A candidate that spends these coins to one of the same kind.
    fn spend(&mut self, inputs: &[OutPoint], fee: u64, kind: Kind, lock_time: u32) -> OutPoint {
        let total: Amount = inputs
            .iter()
            .map(|input| self.coins[input].output.value)
            .sum();
        let witness = match kind {
            Kind::Legacy => Witness::new(),
            Kind::Segwit => Witness::from_slice(&[op_true().as_bytes()]),
        };
        let spend = |previous_output: &OutPoint| TxIn {
            previous_output: *previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
            witness: witness.clone(),
        };
        let value = total - Amount::from_sat(fee);
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::from_consensus(lock_time),
            input: inputs.iter().map(spend).collect(),
            output: vec![TxOut {
                value,
                script_pubkey: Self::script(kind),
            }],
        };
        let outpoint = OutPoint {
            txid: tx.compute_txid(),
            vout: 0,
        };
        let candidate = Candidate {
            txid: outpoint.txid,
            wtxid: tx.compute_wtxid(),
            fee: Amount::from_sat(fee),
            weight: tx.weight().to_wu(),
            sigop_cost: sigop_cost(&tx, &self.coins),
            is_alone: false,
            tx: Arc::new(tx.clone()),
        };
        self.chunks.push(CandidateChunk {
            fee: i64::try_from(fee).unwrap(),
            weight: candidate.weight,
            transactions: vec![candidate],
        });
        let output = tx.output[0].clone();
        self.coins.insert(
            outpoint,
            Coin {
                output,
                height: Height(2),
                is_coinbase: false,
            },
        );
        outpoint
    }
}

fn build(
    spec: &ChainSpec,
    chain: &TestChain,
    chunks: &[CandidateChunk],
    payout: &Script,
) -> Template {
    let tip = TemplateTip {
        parent: chain,
        hash: chain.tip_hash(),
    };
    build_template(spec, &tip, chunks, payout, NOW)
}

fn empty_template(spec: &ChainSpec, height: u32) -> Template {
    build(
        spec,
        &TestChain::at_height(spec, height - 1),
        &[],
        &op_true(),
    )
}

fn txids(template: &Template) -> Vec<Txid> {
    template
        .transactions
        .iter()
        .map(|entry| entry.txid)
        .collect()
}

/// Every rule that a block has to satisfy, proof of work and scripts included.
fn assert_valid(spec: &ChainSpec, chain: &TestChain, template: &Template, pool: &Pool) {
    let block = template.block(Extranonce::new(1, 2), template.time, 0);
    let block = solve(block, u64::MAX, &AtomicBool::new(false)).expect("regtest is easy");
    let context = BlockContext::new(chain);
    assert_eq!(check_header(spec, &block.header, chain, NOW), Ok(()));
    let block = HashedBlock::from(block);
    assert_eq!(check_block(spec, &block), Ok(()));
    assert_eq!(check_block_in_chain(spec, &block, &context), Ok(()));
    let effects = connect_block(spec, &block, &context, &pool.confirmed).unwrap();
    assert_eq!(effects.fees, template.total_fees);
    assert_eq!(effects.scripts(&block).count(), template.transactions.len());
    for scripts in effects.scripts(&block) {
        assert_eq!(scripts.check().verify(), Ok(()));
    }
    assert!(block.check_merkle_root());
    assert!(block.check_witness_commitment());
    assert!(block.weight().to_wu() <= template.weight);
    assert_is_proposed(template, &block);
}

/// The proposal is the block but for its nonce.
fn assert_is_proposed(template: &Template, block: &HashedBlock) {
    let proposal = template.proposal(Extranonce::new(1, 2));
    let header = Header {
        nonce: block.header.nonce,
        ..*proposal.header()
    };
    assert_eq!(header, block.header);
    assert_eq!(proposal.txids(), block.txids());
    assert_eq!(proposal.wtxids(), block.wtxids());
    assert!(proposal.body().eq(block.body()));
}

#[test]
fn an_empty_block_is_valid() {
    let spec = ChainSpec::regtest();
    for height in [1, 2, 16, 17, 127, 128, 300] {
        let chain = TestChain::at_height(&spec, height - 1);
        let template = build(&spec, &chain, &[], &op_true());
        assert_eq!(template.height, Height(height));
        assert_eq!(template.previous, chain.tip_hash());
        assert_eq!(template.coinbase_value, spec.subsidy(Height(height)));
        assert_eq!(template.merkle_branch, []);
        assert_valid(&spec, &chain, &template, &Pool::new());
    }
}

#[test]
fn a_block_of_dependent_and_segwit_transactions_is_valid() {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 20);
    let mut pool = Pool::new();
    for (round, kind) in [Kind::Legacy, Kind::Segwit, Kind::Segwit]
        .into_iter()
        .enumerate()
    {
        let (one, other) = (pool.coin(kind), pool.coin(kind));
        let parent = pool.spend(&[one], 100, kind, 0);
        let child = pool.spend(&[parent, other], 5_000 + round as u64, kind, 0);
        pool.spend(&[child], 700, kind, 20);
    }
    let template = build(&spec, &chain, &pool.chunks, &op_true());
    assert_eq!(template.transactions.len(), 9);
    assert_eq!(template.total_fees, Amount::from_sat(3 * 5_800 + 3));
    assert_eq!(
        template.coinbase_value,
        spec.subsidy(Height(21)) + template.total_fees
    );
    assert_valid(&spec, &chain, &template, &pool);
    for (position, entry) in template.transactions.iter().enumerate() {
        assert!(entry.depends.iter().all(|parent| *parent < position));
        assert_eq!(entry.wtxid, entry.tx.compute_wtxid());
        let spent: HashSet<Txid> = entry
            .tx
            .input
            .iter()
            .map(|input| input.previous_output.txid)
            .collect();
        let depends: Vec<usize> = (0..position)
            .filter(|parent| spent.contains(&template.transactions[*parent].txid))
            .collect();
        assert_eq!(entry.depends, depends);
    }
}

#[test]
fn the_witness_commitment_is_there_without_witnesses() {
    let template = empty_template(&ChainSpec::regtest(), 2);
    let commitment = template.witness_commitment.clone().unwrap();
    // The root of a lone coinbase is zeros; BIP-0141's hash of it and of the reserved value, zeros
    // too.
    assert_eq!(
        commitment.to_hex_string(),
        "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
    );
    let coinbase = template.coinbase(Extranonce::new(0, 0));
    assert_eq!(coinbase.output.len(), 2);
    assert_eq!(
        coinbase.output[1],
        TxOut {
            value: Amount::ZERO,
            script_pubkey: commitment
        }
    );
    assert_eq!(
        coinbase.input[0].witness,
        Witness::from_slice(&[[0_u8; 32]])
    );
}

#[test]
fn before_segwit_nothing_has_a_witness() {
    let mut spec = ChainSpec::regtest();
    spec.deployments.segwit = u32::MAX;
    spec.deployments.taproot = u32::MAX;
    let chain = TestChain::at_height(&spec, 5);
    let mut pool = Pool::new();
    let (one, other) = (pool.coin(Kind::Legacy), pool.coin(Kind::Segwit));
    let legacy = pool.spend(&[one], 100, Kind::Legacy, 0);
    pool.spend(&[other], 5_000, Kind::Segwit, 0);
    let template = build(&spec, &chain, &pool.chunks, &op_true());
    assert_eq!(txids(&template), [legacy.txid]);
    assert_eq!(template.witness_commitment, None);
    let coinbase = template.coinbase(Extranonce::new(0, 0));
    assert!(coinbase.input[0].witness.is_empty());
    assert_eq!(coinbase.output.len(), 1);
    assert_valid(&spec, &chain, &template, &pool);
}

#[test]
fn leaves_out_what_is_not_final_and_its_descendants() {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 20);
    let median_time_past = BlockContext::new(&chain).median_time_past;
    let mut pool = Pool::new();
    // The block's height is 21; a lock holds up to its own value.
    let locks = [20, 21, median_time_past - 1, median_time_past];
    let mut spends = Vec::new();
    for lock in locks {
        let coin = pool.coin(Kind::Legacy);
        spends.push(pool.spend(&[coin], 100, Kind::Legacy, lock));
    }
    let child_of_final = pool.spend(&[spends[0]], 900, Kind::Legacy, 0);
    pool.spend(&[spends[1]], 1_000, Kind::Legacy, 0);
    pool.spend(&[spends[3], spends[2]], 1_100, Kind::Legacy, 0);
    let template = build(&spec, &chain, &pool.chunks, &op_true());
    let taken: HashSet<Txid> = txids(&template).into_iter().collect();
    assert_eq!(
        taken,
        HashSet::from([spends[0].txid, spends[2].txid, child_of_final.txid])
    );
    assert_valid(&spec, &chain, &template, &pool);
}

#[test]
fn the_coinbase_starts_with_the_height() {
    // Scripts as BIP-0034 and Bitcoin Core write them.
    let expected: [(u32, &[u8]); 7] = [
        (1, &[0x51]),
        (16, &[0x60]),
        (17, &[1, 17]),
        (127, &[1, 127]),
        (128, &[2, 128, 0]),
        (255, &[2, 255, 0]),
        (256, &[2, 0, 1]),
    ];
    let spec = ChainSpec::regtest();
    for (height, push) in expected {
        let coinbase = empty_template(&spec, height).coinbase(Extranonce::new(0x0102_0304, 5));
        let mut script = push.to_vec();
        script.extend([8, 1, 2, 3, 4, 0, 0, 0, 5]);
        script.extend(b"\x08/pyrite/");
        assert_eq!(
            coinbase.input[0].script_sig.as_bytes(),
            script,
            "height {height}"
        );
        assert!(coinbase.is_coinbase());
        assert_eq!(coinbase.lock_time.to_consensus_u32(), height - 1);
        assert!(coinbase.input[0].sequence.enables_absolute_lock_time());
    }
}

#[test]
fn extranonces_make_coinbases_and_headers_unique() {
    let template = empty_template(&ChainSpec::regtest(), 2);
    let extranonces = (0..20).flat_map(|prefix| {
        (0..20).map(move |counter| Extranonce::new(prefix << 20, counter << 20))
    });
    let headers: HashSet<BlockHash> = extranonces
        .map(|extranonce| template.header(extranonce, 0, 0).block_hash())
        .collect();
    assert_eq!(headers.len(), 400);
    assert_eq!(
        template.coinbase(7_u64),
        template.coinbase(Extranonce::new(0, 7))
    );
    assert_eq!(
        template.coinbase(Extranonce::from([1; 8])),
        template.coinbase([1; 8])
    );
}

#[test]
fn the_header_is_that_of_the_block() {
    let template = empty_template(&ChainSpec::regtest(), 2);
    let block = template.block([9; 8], 1_234, 5_678);
    assert_eq!(block.header, template.header([9; 8], 1_234, 5_678));
    assert_eq!(block.header.version.to_consensus(), 0x2000_0000);
    assert_eq!((block.header.time, block.header.nonce), (1_234, 5_678));
    assert_eq!(block.header.bits, template.bits);
    assert_eq!(block.header.prev_blockhash, template.previous);
}

#[test]
fn the_time_is_now_but_after_the_median() {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 30);
    let min_time = BlockContext::new(&chain).median_time_past + 1;
    let tip = TemplateTip {
        parent: &chain,
        hash: chain.tip_hash(),
    };
    let time_at = |now| build_template(&spec, &tip, &[], &op_true(), now).time;
    assert_eq!(u64::from(time_at(NOW)), NOW);
    assert_eq!(time_at(0), min_time);
    assert_eq!(time_at(u64::from(min_time) - 1), min_time);
    assert_eq!(time_at(u64::from(min_time) + 1), min_time + 1);
    assert_eq!(time_at(u64::MAX), u32::MAX);
    let template = empty_template(&spec, 31);
    assert_eq!(template.min_time, min_time);
    assert_eq!(
        (template.time_at(5), template.time_at(NOW)),
        (min_time, template.time)
    );
}

/// The least difficulty begins 1,201 seconds after the parent: one template for the time before it, one for
/// the time after it, and neither lets its time leave that.
#[test]
fn the_bits_of_a_late_block_need_another_template() {
    let mut spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 30);
    spec.min_difficulty_after_s = Some(1_200);
    spec.pow_limit = CompactTarget::from_consensus(0x2100_ffff);
    let from = chain.header(chain.tip_height()).time + 1_201;
    let tip = TemplateTip {
        parent: &chain,
        hash: chain.tip_hash(),
    };
    let build = |time| build_template(&spec, &tip, &[], &op_true(), u64::from(time));
    let in_time = build(from - 1);
    assert_eq!(in_time.bits, spec.genesis.bits);
    assert_eq!(in_time.max_time, Some(from - 1));
    assert_eq!(in_time.time_at(u64::from(from) + 50), from - 1);
    assert!(!in_time.is_outdated(u64::from(from) - 1));
    assert!(in_time.is_outdated(u64::from(from)));
    let late = build(from);
    assert_eq!(late.bits, spec.pow_limit);
    assert_eq!((late.min_time, late.max_time), (from, None));
    assert_eq!(late.time_at(0), from);
    assert!(!late.is_outdated(u64::MAX));
}

#[test]
fn another_payout_changes_the_coinbase_alone() {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 20);
    let mut pool = Pool::new();
    for fee in [100, 200, 300] {
        let coin = pool.coin(Kind::Segwit);
        pool.spend(&[coin], fee, Kind::Segwit, 0);
    }
    let payout = op_true().to_p2wsh();
    let template = build(&spec, &chain, &pool.chunks, &op_true());
    let retargeted = template.with_payout(&payout);
    assert_eq!(retargeted, build(&spec, &chain, &pool.chunks, &payout));
    assert_eq!(retargeted.coinbase(1_u64).output[0].script_pubkey, payout);
    assert_eq!(retargeted.transactions, template.transactions);
    assert_valid(&spec, &chain, &retargeted, &pool);
}

#[test]
fn transactions_give_way_to_a_large_payout() {
    let mut spec = ChainSpec::regtest();
    spec.limits.max_block_weight = 45_000;
    let chain = TestChain::at_height(&spec, 20);
    let mut pool = Pool::new();
    for _ in 0..200 {
        let coin = pool.coin(Kind::Segwit);
        pool.spend(&[coin], 100, Kind::Segwit, 0);
    }
    let large = ScriptBuf::from_bytes(vec![0x6a; 9_000]);
    let template = build(&spec, &chain, &pool.chunks, &op_true());
    let mut built = build(&spec, &chain, &pool.chunks, &large);
    let retargeted = template.with_payout(&large);
    // How much is settled is no part of the block.
    built.settled = retargeted.settled;
    assert!(retargeted.transactions.len() < template.transactions.len());
    assert!(!retargeted.transactions.is_empty());
    assert_eq!(retargeted, built);
    for template in [&template, &built] {
        assert!(template.weight <= 45_000);
        assert_valid(&spec, &chain, template, &pool);
    }
}

#[test]
fn the_bounds_are_those_of_the_options() {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 20);
    let mut pool = Pool::new();
    for fee in (1..=100).rev() {
        let coin = pool.coin(Kind::Segwit);
        pool.spend(&[coin], fee, Kind::Segwit, 0);
    }
    let tip = TemplateTip {
        parent: &chain,
        hash: chain.tip_hash(),
    };
    let build = |options: &TemplateOptions| {
        build_template_with(&spec, &tip, &pool.chunks, &op_true(), NOW, options, None)
    };
    let one = pool.chunks[0].weight;
    let options = TemplateOptions {
        max_weight: 5_000 + 10 * one,
        reserved_weight: 5_000,
        min_fee_rate_sat_per_kvb: 0,
    };
    let template = build(&options);
    assert_eq!(template.transactions.len(), 10);
    assert_eq!(template.weight, options.max_weight);
    assert_valid(&spec, &chain, &template, &pool);
    let lighter = TemplateOptions {
        max_weight: options.max_weight - 1,
        ..options
    };
    assert_eq!(build(&lighter).transactions.len(), 9);
    // The chain's own limit stays.
    let unlimited = TemplateOptions {
        max_weight: u64::MAX,
        ..options
    };
    assert!(build(&unlimited).weight <= spec.limits.max_block_weight);
    // 50 satoshi for `one` weight units is the least that is taken.
    let rate = (50 * 4_000_u64).div_euclid(one);
    let choosy = TemplateOptions {
        max_weight: 4_000_000,
        min_fee_rate_sat_per_kvb: rate,
        ..options
    };
    let template = build(&choosy);
    assert_eq!(template.transactions.len(), 51);
    assert_eq!(template.transactions[50].fee, Amount::from_sat(50));
}

#[test]
fn by_default_what_pays_nothing_stays_out() {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 20);
    let mut pool = Pool::new();
    let coins = [pool.coin(Kind::Segwit), pool.coin(Kind::Segwit)];
    let paying = pool.spend(&coins[..1], 1, Kind::Segwit, 0);
    pool.spend(&coins[1..], 0, Kind::Segwit, 0);
    let template = build(&spec, &chain, &pool.chunks, &op_true());
    assert_eq!(txids(&template), [paying.txid]);
}
