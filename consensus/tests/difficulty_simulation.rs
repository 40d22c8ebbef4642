//! The `pyrite` chain's difficulty under changing hash power, in a simulation that always gives the same
//! figures: `next_bits` is the real one, only the search for nonces is replaced by a random time.

use pyrite_consensus::bitcoin::CompactTarget;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::pow::{difficulty, next_bits};
use pyrite_consensus::{ChainSpec, HeaderChain, check_header_in_chain, median_time_past};

/// Hashes per second of the first phase: twenty times what the start difficulty asks for.
const HASH_RATE: f64 = 2_000_000.0;

/// Hash power of the phases, relative to that.
const PHASES: [(&str, f64); 3] = [("start", 1.0), ("tripled", 3.0), ("cut to a third", 1.0)];

const PHASE_BLOCKS: usize = 1_500;

/// Blocks that a phase may take to settle: about seven half-lives at the intended spacing.
const SETTLING_BLOCKS: usize = 420;

const TOLERANCE: f64 = 0.1;

/// xorshift64*: a small generator of random numbers, seeded.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Exponentially distributed: the time until the next event of a memoryless process.
    fn exponential(&mut self, mean: f64) -> f64 {
        // 53 bits, above zero.
        let uniform = ((self.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        -mean * uniform.ln()
    }
}

/// Mines `blocks` blocks with this hash rate; returns the spacing of each, in real time.
fn mine(
    spec: &ChainSpec,
    chain: &mut Vec<Header>,
    clock: &mut f64,
    random: &mut Random,
    hash_rate: f64,
    blocks: usize,
) -> Vec<f64> {
    let mut spacings = Vec::with_capacity(blocks);
    for _ in 0..blocks {
        let bits = next_bits(spec, &chain[..], 0);
        let hashes = difficulty(bits) * 2_f64.powi(32);
        let spacing = random.exponential(hashes / hash_rate);
        *clock += spacing;
        let header = header(chain, bits, *clock as u32);
        let now = (*clock as u64).max(u64::from(header.time));
        assert_eq!(
            check_header_in_chain(spec, &header, &chain[..], now),
            Ok(())
        );
        chain.push(header);
        spacings.push(spacing);
    }
    spacings
}

/// Whole seconds, and after the median time past, as a miner has to.
fn header(chain: &[Header], bits: CompactTarget, clock: u32) -> Header {
    let parent = chain.last().expect("a chain has a genesis block");
    let earliest = median_time_past(chain, chain.tip_height()) + 1;
    Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.block_hash(),
        time: clock.max(earliest),
        bits,
        nonce: 0,
        ..*parent
    }
}

fn mean(spacings: &[f64]) -> f64 {
    spacings.iter().sum::<f64>() / spacings.len() as f64
}

#[test]
fn the_spacing_follows_the_hash_power() {
    let spec = ChainSpec::pyrite();
    let target = f64::from(spec.target_spacing_s);
    for seed in [1, 20_261_124, 0x9E37_79B9_7F4A_7C15] {
        let mut random = Random(seed);
        let mut chain = vec![spec.genesis_block().header];
        let mut clock = f64::from(spec.genesis.time);
        for (phase, power) in PHASES {
            let rate = HASH_RATE * power;
            let spacings = mine(
                &spec,
                &mut chain,
                &mut clock,
                &mut random,
                rate,
                PHASE_BLOCKS,
            );
            let at_once = mean(&spacings[..60]);
            let settled = mean(&spacings[SETTLING_BLOCKS..]);
            let last = chain.last().expect("a chain has a genesis block");
            println!(
                "seed {seed:x}, {phase}: {rate:.0} H/s, mean spacing of the first 60 blocks {at_once:.2} s, \
                 after {SETTLING_BLOCKS} blocks {settled:.2} s, difficulty {:.5}",
                difficulty(last.bits)
            );
            assert!(
                (settled - target).abs() <= TOLERANCE * target,
                "{phase}: {settled}"
            );
        }
        assert!(chain.len() > 2_000);
    }
}

/// The simulation is worth something: with a difficulty that does not move, the same hash power is far
/// off the intended spacing.
#[test]
fn a_fixed_difficulty_would_fail() {
    let mut spec = ChainSpec::pyrite();
    spec.difficulty = pyrite_consensus::spec::Difficulty::Fixed;
    let mut chain = vec![spec.genesis_block().header];
    let mut clock = f64::from(spec.genesis.time);
    let spacings = mine(
        &spec,
        &mut chain,
        &mut clock,
        &mut Random(1),
        HASH_RATE,
        600,
    );
    let mean = mean(&spacings);
    assert!(mean < 1.0, "blocks come every {mean} seconds");
}
