//! The work of chains: what headers' bits say, added up.

mod big_target;

use num_bigint::BigUint;
use proptest::prelude::*;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, TxMerkleNode, Work};
use pyrite_consensus::pow::header_work;

/// The work of a header with these bits.
fn work(bits: u32) -> Work {
    header_work(&Header {
        version: Version::ONE,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 0,
        bits: CompactTarget::from_consensus(bits),
        nonce: 0,
    })
}

fn number(work: Work) -> BigUint {
    BigUint::from_bytes_be(&work.to_be_bytes())
}

/// Bits of any kind, more of them near the sizes that are targets.
fn any_bits() -> impl Strategy<Value = u32> {
    let sized = (0..0x24_u32, 0..0x0100_0000_u32);
    prop_oneof![
        sized.prop_map(|(size, mantissa)| size << 24 | mantissa),
        any::<u32>()
    ]
}

/// Bits whose work is below 2^240, so that no sum of some hundreds of them is too large.
fn easy_bits() -> impl Strategy<Value = u32> {
    (5..=0x20_u32, 0x8000..0x0080_0000_u32).prop_map(|(size, mantissa)| size << 24 | mantissa)
}

proptest! {
    #[test]
    fn work_is_two_to_the_256_over_the_target_plus_one(bits in any_bits()) {
        prop_assert_eq!(number(work(bits)), big_target::work(bits), "{:08x}", bits);
    }

    #[test]
    fn an_easier_target_is_no_more_work(one in any_bits(), other in any_bits()) {
        let targets = (big_target::target(one), big_target::target(other));
        if let (Some(target), Some(other_target)) = targets {
            let order = work(one).cmp(&work(other));
            prop_assert!(order.is_eq() || order == other_target.cmp(&target));
        }
    }

    #[test]
    fn the_work_of_a_chain_adds_up(chain in prop::collection::vec(easy_bits(), 1..300)) {
        let (mut sum, mut expected) = (work(chain[0]), big_target::work(chain[0]));
        for bits in &chain[1..] {
            let longer = sum + work(*bits);
            prop_assert!(longer > sum);
            sum = longer;
            expected += big_target::work(*bits);
            prop_assert_eq!(number(sum), expected.clone());
        }
    }
}
