//! Double SHA-256 with the `sha2` crate, which takes the processor's SHA instructions where there are some: what all other kernels
//! are measured by, in speed and in results.

use sha2::block_api::compress256;

use super::kernel::{Candidate, Kernel};
use crate::PreparedHeader;
use crate::job::SHA256_INITIAL_STATE;

/// The `sha2` crate, used plainly.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Kernel for Reference {
    fn name(&self) -> &'static str {
        "sha2"
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        let target = header.target_words();
        for version in 0..header.versions() {
            let mut hasher = HeaderHasher::new(header, version);
            let nonces = first..=first.saturating_add(count - 1);
            let solved = nonces.filter(|nonce| is_met(&hasher.hash(*nonce), target));
            found.extend(solved.map(|nonce| Candidate { nonce, version }));
        }
    }
}

/// Whether the candidate's header meets its target.
pub(super) fn is_solved(header: &PreparedHeader, candidate: Candidate) -> bool {
    let mut hasher = HeaderHasher::new(header, candidate.version);
    is_met(&hasher.hash(candidate.nonce), header.target_words())
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
    fn new(header: &PreparedHeader, version: u16) -> Self {
        let mut header_end = [0; 64];
        header_end[..12].copy_from_slice(header.tail());
        header_end[16] = 0x80;
        header_end[56..].copy_from_slice(&640_u64.to_be_bytes());
        let mut first_hash = [0; 64];
        first_hash[32] = 0x80;
        first_hash[56..].copy_from_slice(&256_u64.to_be_bytes());
        Self {
            midstate: header.midstates()[usize::from(version)],
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
    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::{BlockHash, Target};

    use super::super::tests::any_header;
    use super::*;

    fn hash_bytes(words: [u32; 8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
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
            let hash = HeaderHasher::new(&prepared, 0).hash(header.nonce);
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
