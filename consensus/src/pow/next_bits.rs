//! Which bits the next block must have, by the spec's difficulty algorithm.

use bitcoin::CompactTarget;

use super::asert::{self, Anchor, Schedule};
use super::retarget::retarget;
use crate::spec::Difficulty;
use crate::{ChainSpec, HeaderChain, Height};

/// The bits that the block after `parent` must have.
///
/// # Panics
/// When the spec or the headers did not pass their checks.
pub fn next_bits(spec: &ChainSpec, parent: &(impl HeaderChain + ?Sized)) -> CompactTarget {
    match spec.difficulty {
        Difficulty::Retarget { interval } => next_retarget(spec, interval, parent),
        Difficulty::Asert {
            half_life_s,
            anchor_height,
        } => next_asert(spec, half_life_s, Height(anchor_height), parent),
        Difficulty::Fixed => spec.genesis.bits,
    }
}

/// Bitcoin Core's `GetNextWorkRequired`.
fn next_retarget(
    spec: &ChainSpec,
    interval: u32,
    parent: &(impl HeaderChain + ?Sized),
) -> CompactTarget {
    let last_height = parent.tip_height();
    let last = parent.header(last_height);
    if !last_height.next().0.is_multiple_of(interval) {
        return last.bits;
    }
    // The first block of the interval that ends here, not the last of the one before it.
    let first_height = last_height
        .next()
        .0
        .checked_sub(interval)
        .expect("a positive multiple");
    let first = parent.header(Height(first_height));
    let timespan_s = u64::from(interval) * u64::from(spec.target_spacing_s);
    retarget(last.bits, first.time, last.time, timespan_s, spec.pow_limit)
}

fn next_asert(
    spec: &ChainSpec,
    half_life_s: u32,
    anchor_height: Height,
    parent: &(impl HeaderChain + ?Sized),
) -> CompactTarget {
    let last_height = parent.tip_height();
    if last_height < anchor_height {
        return spec.genesis.bits;
    }
    let anchor = parent.header(anchor_height);
    let anchor = Anchor {
        bits: anchor.bits,
        height: u64::from(anchor_height.0),
        // Not the real parent's time: as if the anchor had come on schedule.
        parent_time: i64::from(anchor.time) - i64::from(spec.target_spacing_s),
    };
    let schedule = Schedule {
        spacing_s: spec.target_spacing_s,
        half_life_s,
        pow_limit: spec.pow_limit,
    };
    let last_time = i64::from(parent.header(last_height).time);
    asert::next_target_bits(&anchor, &schedule, u64::from(last_height.0), last_time)
}

#[cfg(test)]
mod tests {
    use bitcoin::block::{Header, Version};
    use bitcoin::hashes::Hash;
    use bitcoin::{BlockHash, TxMerkleNode};

    use super::*;

    fn header(time: u32, bits: u32) -> Header {
        Header {
            version: Version::ONE,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time,
            bits: CompactTarget::from_consensus(bits),
            nonce: 0,
        }
    }

    /// Only the two headers that an adjustment may look at exist.
    struct Interval {
        first: (Height, Header),
        last: (Height, Header),
    }

    impl HeaderChain for Interval {
        fn tip_height(&self) -> Height {
            self.last.0
        }

        fn header(&self, height: Height) -> Header {
            [self.first, self.last]
                .into_iter()
                .find_map(|(at, header)| (at == height).then_some(header))
                .expect("only the ends of the interval are asked for")
        }
    }

    #[test]
    fn retargets_from_the_first_block_of_the_interval() {
        let mainnet = ChainSpec::mainnet();
        let chain = Interval {
            first: (Height(30_240), header(1_261_130_161, 0x1d00_ffff)),
            last: (Height(32_255), header(1_262_152_739, 0x1d00_ffff)),
        };
        assert_eq!(
            next_bits(&mainnet, &chain),
            CompactTarget::from_consensus(0x1d00_d86a)
        );
    }

    #[test]
    fn keeps_the_bits_within_an_interval() {
        let mainnet = ChainSpec::mainnet();
        for height in [32_254, 32_256, 32_257] {
            let last = (Height(height), header(1_262_152_739, 0x1d00_d86a));
            let chain = Interval { first: last, last };
            assert_eq!(
                next_bits(&mainnet, &chain),
                CompactTarget::from_consensus(0x1d00_d86a)
            );
        }
    }

    #[test]
    fn asert_starts_at_its_anchor() {
        let pyrite = ChainSpec::pyrite();
        let start = pyrite.genesis.bits;
        let genesis = pyrite.genesis_block().header;
        // The first block comes a year late: the schedule starts from it.
        let late = genesis.time + 365 * 86_400;
        let first = header(late, start.to_consensus());
        assert_eq!(next_bits(&pyrite, &[genesis][..]), start);
        assert_eq!(next_bits(&pyrite, &[genesis, first][..]), start);
        let on_time = header(late + 10, start.to_consensus());
        assert_eq!(next_bits(&pyrite, &[genesis, first, on_time][..]), start);
        // 600 seconds behind the schedule: twice the target.
        let behind = header(late + 610, start.to_consensus());
        let doubled = next_bits(&pyrite, &[genesis, first, behind][..]);
        assert_eq!(doubled, CompactTarget::from_consensus(0x1e1f_fffe));
    }

    #[test]
    fn asert_with_a_later_anchor_keeps_the_start_until_it() {
        let mut spec = ChainSpec::pyrite();
        spec.difficulty = Difficulty::Asert {
            half_life_s: 600,
            anchor_height: 3,
        };
        let genesis = spec.genesis_block().header;
        let mut chain = vec![genesis];
        for height in 1..=3 {
            assert_eq!(next_bits(&spec, &chain[..]), spec.genesis.bits, "{height}");
            chain.push(header(
                genesis.time + height,
                spec.genesis.bits.to_consensus(),
            ));
        }
        assert_eq!(next_bits(&spec, &chain[..]), spec.genesis.bits);
        chain.push(header(genesis.time + 4, spec.genesis.bits.to_consensus()));
        assert_ne!(next_bits(&spec, &chain[..]), spec.genesis.bits);
    }

    #[test]
    fn fixed_never_moves() {
        let regtest = ChainSpec::regtest();
        let genesis = regtest.genesis_block().header;
        let fast = header(genesis.time + 1, 0x207f_ffff);
        assert_eq!(
            next_bits(&regtest, &[genesis, fast][..]),
            regtest.genesis.bits
        );
    }
}
