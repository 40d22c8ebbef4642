//! The simulation: `next_bits` is the node's own; only the search for nonces is replaced by a random time.

use anyhow::{Result, bail};
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::pow::{header_work, min_difficulty_from, next_bits};
use pyrite_consensus::{ChainSpec, earliest_time};

use super::profile::Phase;
use super::random::Random;

/// What a simulation is made of.
pub(super) struct Setting<'a> {
    pub(super) spec: &'a ChainSpec,
    /// Base hash power, in hashes a second.
    pub(super) hash_rate: f64,
    pub(super) phases: &'a [Phase],
    pub(super) seed: u64,
}

/// A simulated block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SimulatedBlock {
    /// Its header.
    pub(super) header: Header,
    /// Seconds that it took, in fractions that its time does not show.
    pub(super) solve_s: f64,
    /// Seconds that a block of its difficulty takes on average at its hash power.
    pub(super) expected_s: f64,
    /// Its hash power, in hashes a second.
    pub(super) hash_rate: f64,
}

/// Mines the blocks of all phases.
///
/// # Errors
/// The chain comes to the end of what a header can have as its time.
pub(super) fn run(setting: &Setting<'_>) -> Result<Vec<SimulatedBlock>> {
    let Setting { spec, phases, .. } = setting;
    let mut random = Random::new(setting.seed);
    let mut chain = vec![spec.genesis_block().header];
    let mut clock = f64::from(spec.genesis.time);
    let mut blocks = Vec::new();
    for phase in *phases {
        for index in phase.blocks.clone() {
            let hash_rate = setting.hash_rate * phase.power(index);
            let found = find_block(spec, &chain, clock, hash_rate, &mut random);
            if found >= f64::from(u32::MAX) {
                bail!(
                    "block {} would come after the year 2106, the last that a header can have: \
                     take fewer blocks or more hash power",
                    chain.len()
                );
            }
            let header = header(spec, &chain, found);
            blocks.push(SimulatedBlock {
                header,
                solve_s: found - clock,
                expected_s: expected_hashes(&header) / hash_rate,
                hash_rate,
            });
            chain.push(header);
            clock = found;
        }
    }
    Ok(blocks)
}

/// When the next block is found by miners that start at `clock` (Unix seconds).
fn find_block(
    spec: &ChainSpec,
    chain: &[Header],
    clock: f64,
    hash_rate: f64,
    random: &mut Random,
) -> f64 {
    let start = header(spec, chain, clock);
    let found = clock + random.exponential(expected_hashes(&start) / hash_rate);
    let Some(late) = min_difficulty_from(spec, chain) else {
        return found;
    };
    if start.time >= late || header_time(spec, chain, found) < late {
        return found;
    }
    // Not found in time: from now on the least difficulty is enough. What was tried before does not count.
    let clock = clock.max(f64::from(late));
    let easy = header(spec, chain, clock);
    clock + random.exponential(expected_hashes(&easy) / hash_rate)
}

/// The header of a block that is made at `clock`.
fn header(spec: &ChainSpec, chain: &[Header], clock: f64) -> Header {
    let parent = chain.last().expect("a chain has a genesis block");
    let time = header_time(spec, chain, clock);
    Header {
        version: Version::from_consensus(0x2000_0000),
        time,
        bits: next_bits(spec, chain, time),
        nonce: 0,
        ..*parent
    }
}

/// Whole seconds, and as late as the rules ask for.
fn header_time(spec: &ChainSpec, chain: &[Header], clock: f64) -> u32 {
    // Saturates at the last second that there is.
    (clock as u32).max(earliest_time(spec, chain))
}

/// How many hashes a block of these bits takes on average.
pub(super) fn expected_hashes(header: &Header) -> f64 {
    header_work(header)
        .to_be_bytes()
        .iter()
        .fold(0.0, |number, byte| number * 256.0 + f64::from(*byte))
}

#[cfg(test)]
mod tests;
