//! Double SHA-256 search with the `sha2` crate, which takes the processor's SHA instructions where
//! there are some.

use std::ops::RangeInclusive;

use sha2::block_api::compress256;

use crate::job::SHA256_INITIAL_STATE;
use crate::{PreparedHeader, SearchOutcome};

/// Hashes between two looks at the cancellation: about a millisecond in software, a tenth of it with
/// SHA instructions.
const HASHES_PER_CHECK: u32 = 1 << 11;

/// Searches `nonces` for one with which the header meets its target; `is_cancelled` is asked every
/// few thousand hashes, before the first one too.
pub fn search(
    header: &PreparedHeader,
    nonces: RangeInclusive<u32>,
    is_cancelled: impl Fn() -> bool,
) -> SearchOutcome {
    let mut hasher = HeaderHasher::new(header);
    let target = header.target_words();
    let mut hashes = 0_u64;
    let last = *nonces.end();
    let mut next = Some(*nonces.start()).filter(|first| *first <= last);
    while let Some(first) = next {
        if is_cancelled() {
            break;
        }
        let end = last.min(first.saturating_add(HASHES_PER_CHECK - 1));
        let found = (first..=end).find(|nonce| is_met(&hasher.hash(*nonce), target));
        let tried = found.unwrap_or(end) - first;
        hashes += u64::from(tried) + 1;
        if found.is_some() {
            return SearchOutcome { found, hashes };
        }
        next = end.checked_add(1).filter(|first| *first <= last);
    }
    SearchOutcome {
        found: None,
        hashes,
    }
}

/// The two SHA-256 blocks that depend on the nonce, padded.
struct HeaderHasher {
    midstate: [u32; 8],
    /// The end of the header. SHA-256's padding gives the length in bits: 640.
    header_end: [u8; 64],
    /// The first hash: 256 bits.
    first_hash: [u8; 64],
}

impl HeaderHasher {
    fn new(header: &PreparedHeader) -> Self {
        let mut header_end = [0; 64];
        header_end[..12].copy_from_slice(header.tail());
        header_end[16] = 0x80;
        header_end[56..].copy_from_slice(&640_u64.to_be_bytes());
        let mut first_hash = [0; 64];
        first_hash[32] = 0x80;
        first_hash[56..].copy_from_slice(&256_u64.to_be_bytes());
        Self {
            midstate: *header.midstate(),
            header_end,
            first_hash,
        }
    }

    /// The double hash with this nonce, as SHA-256's state words.
    #[inline]
    fn hash(&mut self, nonce: u32) -> [u32; 8] {
        self.header_end[12..16].copy_from_slice(&nonce.to_le_bytes());
        let mut state = self.midstate;
        compress256(&mut state, std::slice::from_ref(&self.header_end));
        let (words, _) = self.first_hash.as_chunks_mut::<4>();
        for (bytes, word) in words.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        let mut hash = SHA256_INITIAL_STATE;
        compress256(&mut hash, std::slice::from_ref(&self.first_hash));
        hash
    }
}

/// Whether a hash is at most the target. The hash is a little-endian number, so its last state word
/// holds the most significant bytes, in reverse order; it alone decides nearly always.
#[inline]
fn is_met(hash: &[u32; 8], target: &[u32; 8]) -> bool {
    let top = hash[7].swap_bytes();
    if top != target[0] {
        return top < target[0];
    }
    hash.iter()
        .rev()
        .map(|word| word.swap_bytes())
        .le(target.iter().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pyrite_consensus::bitcoin::block::{Header, Version};
    use pyrite_consensus::bitcoin::constants::genesis_block;
    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::{
        BlockHash, CompactTarget, Network, Target, TxMerkleNode, consensus,
    };

    use super::*;

    const GENESIS_NONCE: u32 = 2_083_236_893;

    fn never() -> bool {
        false
    }

    fn genesis() -> PreparedHeader {
        PreparedHeader::new(&genesis_block(Network::Bitcoin).header)
    }

    fn hash_bytes(words: [u32; 8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    fn any_header() -> impl Strategy<Value = Header> {
        let hash = any::<[u8; 32]>;
        (
            any::<i32>(),
            hash(),
            hash(),
            any::<u32>(),
            any::<u32>(),
            any::<u32>(),
        )
            .prop_map(|(version, previous, root, time, bits, nonce)| Header {
                version: Version::from_consensus(version),
                prev_blockhash: BlockHash::from_byte_array(previous),
                merkle_root: TxMerkleNode::from_byte_array(root),
                time,
                bits: CompactTarget::from_consensus(bits & 0x1f7f_ffff),
                nonce,
            })
    }

    #[test]
    fn finds_the_genesis_nonce() {
        let first = GENESIS_NONCE - 5_000;
        let outcome = search(&genesis(), first..=u32::MAX, never);
        assert_eq!(
            outcome,
            SearchOutcome {
                found: Some(GENESIS_NONCE),
                hashes: 5_001
            }
        );
    }

    #[test]
    fn finds_the_nonce_of_a_mainnet_block() {
        // Block 125552 of Bitcoin's mainnet, the usual example of header hashing.
        let bytes = hex::decode(
            "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d75\
             0423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695",
        )
        .unwrap();
        let header: Header = consensus::deserialize(&bytes).unwrap();
        let outcome = search(
            &PreparedHeader::new(&header),
            header.nonce - 10..=header.nonce + 10,
            never,
        );
        assert_eq!(
            outcome,
            SearchOutcome {
                found: Some(header.nonce),
                hashes: 11
            }
        );
    }

    #[test]
    fn covers_its_range_exactly() {
        let up_to_solution = search(&genesis(), GENESIS_NONCE..=GENESIS_NONCE, never);
        assert_eq!(
            up_to_solution,
            SearchOutcome {
                found: Some(GENESIS_NONCE),
                hashes: 1
            }
        );
        let before = search(&genesis(), GENESIS_NONCE - 9_000..=GENESIS_NONCE - 1, never);
        assert_eq!(
            before,
            SearchOutcome {
                found: None,
                hashes: 9_000
            }
        );
        let at_the_end = search(&genesis(), u32::MAX - 2_047..=u32::MAX, never);
        assert_eq!(
            at_the_end,
            SearchOutcome {
                found: None,
                hashes: 2_048
            }
        );
        #[expect(
            clippy::reversed_empty_ranges,
            reason = "an empty range is what is tested"
        )]
        let empty = search(&genesis(), 5..=4, never);
        assert_eq!(empty, SearchOutcome::default());
    }

    #[test]
    fn stops_when_cancelled() {
        let looks = std::cell::Cell::new(0_u64);
        let outcome = search(&genesis(), 0..=u32::MAX, || {
            looks.set(looks.get() + 1);
            looks.get() > 3
        });
        assert_eq!(
            outcome,
            SearchOutcome {
                found: None,
                hashes: 3 * u64::from(HASHES_PER_CHECK)
            }
        );
    }

    #[test]
    fn the_target_itself_is_met_and_less_is_not() {
        let hash = [1, 2, 3, 4, 5, 6, 7, 8_u32];
        let exact: [u32; 8] = std::array::from_fn(|i| hash[7 - i].swap_bytes());
        assert!(is_met(&hash, &exact));
        for word in 0..8 {
            let (mut easier, mut harder) = (exact, exact);
            easier[word] += 1;
            harder[word] -= 1;
            assert!(is_met(&hash, &easier));
            assert!(!is_met(&hash, &harder));
        }
    }

    proptest! {
        #[test]
        fn hashes_like_the_header_itself(header in any_header()) {
            let prepared = PreparedHeader::new(&header);
            let hash = HeaderHasher::new(&prepared).hash(header.nonce);
            prop_assert_eq!(hash_bytes(hash), header.block_hash().to_byte_array());
        }

        #[test]
        fn compares_like_the_target_itself(hash in any::<[u32; 8]>(), target in any::<[u8; 32]>()) {
            let block_hash = BlockHash::from_byte_array(hash_bytes(hash));
            let words: [u32; 8] = std::array::from_fn(|i| {
                u32::from_be_bytes(target[4 * i..4 * i + 4].try_into().unwrap())
            });
            let expected = Target::from_be_bytes(target).is_met_by(block_hash);
            prop_assert_eq!(is_met(&hash, &words), expected);
        }
    }
}
