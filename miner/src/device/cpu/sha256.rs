//! SHA-256 in plain words (FIPS 180-4): its constants, and what of a header's second block does not depend on the nonce.

use crate::PreparedHeader;

/// The round constants (FIPS 180-4, 4.2.2).
pub(super) const K: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// The word after a message's end.
pub(in crate::device) const PADDING: u32 = 0x8000_0000;

/// The last word of a header's second block: 80 bytes in bits.
pub(in crate::device) const HEADER_BITS: u32 = 640;

/// The last word of the second hash's block: 32 bytes in bits.
pub(super) const HASH_BITS: u32 = 256;

/// What a message word gives to the one fifteen after it.
pub(in crate::device) const fn small_sigma0(x: u32) -> u32 {
    x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
}

/// What a message word gives to the one two after it.
pub(in crate::device) const fn small_sigma1(x: u32) -> u32 {
    x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
}

/// One round, with the round's constant and message word together.
pub(super) fn round([a, b, c, d, e, f, g, h]: [u32; 8], constant: u32) -> [u32; 8] {
    let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
    let choice = (e & f) ^ (!e & g);
    let t1 = h
        .wrapping_add(sum1)
        .wrapping_add(choice)
        .wrapping_add(constant);
    let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
    let majority = (a & b) ^ (a & c) ^ (b & c);
    let t2 = sum0.wrapping_add(majority);
    [t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g]
}

/// A header's second block with everything worked out that all nonces share.
#[derive(Clone, Copy, Debug)]
pub(in crate::device) struct SecondBlock {
    /// The state before the block.
    pub(in crate::device) midstate: [u32; 8],
    /// The first three words; the fourth is the nonce.
    pub(in crate::device) words: [u32; 3],
    /// The state after four rounds, as if the nonce were zero: the nonce is only added to the first and the fifth word.
    pub(in crate::device) after_four: [u32; 8],
}

impl SecondBlock {
    pub(in crate::device) fn new(header: &PreparedHeader, version: u16) -> Self {
        let midstate = header.midstates()[usize::from(version)];
        let (words, _) = header.tail().as_chunks::<4>();
        let words: [u32; 3] = std::array::from_fn(|index| u32::from_be_bytes(words[index]));
        let mut state = midstate;
        for (index, word) in words.iter().enumerate() {
            state = round(state, K[index].wrapping_add(*word));
        }
        Self {
            midstate,
            words,
            after_four: round(state, K[3]),
        }
    }
}

/// Whether a hash whose eighth state word is this can meet the target: read as a little-endian number, that word
/// holds the most significant bytes, in reverse order.
pub(super) const fn may_meet(eighth_word: u32, target_top: u32) -> bool {
    eighth_word.swap_bytes() <= target_top
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Network;
    use pyrite_consensus::bitcoin::constants::genesis_block;

    use super::*;

    /// Rounds over the whole block give what the `sha2` crate gives, and the nonce enters as promised.
    #[test]
    fn rounds_are_those_of_the_standard() {
        let header = PreparedHeader::new(&genesis_block(Network::Bitcoin).header);
        let block = SecondBlock::new(&header, 0);
        for nonce in [0_u32, 1, 0x1234_5678, u32::MAX] {
            let mut w = [0; 64];
            w[..3].copy_from_slice(&block.words);
            w[3] = nonce.swap_bytes();
            w[4] = PADDING;
            w[15] = HEADER_BITS;
            for t in 16..64 {
                w[t] = small_sigma1(w[t - 2])
                    .wrapping_add(w[t - 7])
                    .wrapping_add(small_sigma0(w[t - 15]))
                    .wrapping_add(w[t - 16]);
            }
            let mut state = block.after_four;
            for index in [0, 4] {
                state[index] = state[index].wrapping_add(w[3]);
            }
            for t in 4..64 {
                state = round(state, K[t].wrapping_add(w[t]));
            }
            let sum = |(a, b): (&u32, &u32)| a.wrapping_add(*b);
            let hash: Vec<u32> = block.midstate.iter().zip(&state).map(sum).collect();
            let mut bytes = [0_u8; 64];
            for (chunk, word) in bytes.chunks_exact_mut(4).zip(w) {
                chunk.copy_from_slice(&word.to_be_bytes());
            }
            let mut expected = block.midstate;
            sha2::block_api::compress256(&mut expected, std::slice::from_ref(&bytes));
            assert_eq!(hash, expected);
        }
    }
}
