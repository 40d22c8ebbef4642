//! What bits stand for: expected hashes, and difficulty.

use bitcoin::block::Header;
use bitcoin::{CompactTarget, Work};

use super::target::decode_bits;
use super::uint256::U256;

/// The work that a header with these bits stands for: the expected number of hashes, 2^256 over the
/// target plus one (Bitcoin Core's `GetBlockProof`). Zero for bits that are no target.
pub fn header_work(header: &Header) -> Work {
    let tries = decode_bits(header.bits)
        .and_then(U256::expected_tries)
        .unwrap_or(U256::ZERO);
    Work::from_be_bytes(tries.to_be_bytes())
}

/// The difficulty of a header's bits, relative to 0x1d00ffff (Bitcoin Core's `GetDifficulty`), with the
/// same floating-point steps, so that the digits agree.
pub fn difficulty(bits: CompactTarget) -> f64 {
    const UNIT_SIZE: u32 = 0x1d;
    let bits = bits.to_consensus();
    let mut difficulty = f64::from(0xffff_u32) / f64::from(bits & 0x00ff_ffff);
    let mut size = bits >> 24;
    while size < UNIT_SIZE {
        difficulty *= 256.0;
        size += 1;
    }
    while size > UNIT_SIZE {
        difficulty /= 256.0;
        size -= 1;
    }
    difficulty
}

#[cfg(test)]
mod tests {
    use bitcoin::block::Version;
    use bitcoin::hashes::Hash;
    use bitcoin::{BlockHash, TxMerkleNode};

    use super::*;

    fn work(bits: u32) -> [u8; 32] {
        header_work(&Header {
            version: Version::ONE,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: 0,
            bits: CompactTarget::from_consensus(bits),
            nonce: 0,
        })
        .to_be_bytes()
    }

    fn low(value: u64) -> [u8; 32] {
        U256::from_u64(value).to_be_bytes()
    }

    #[test]
    fn work_is_the_expected_number_of_hashes() {
        assert_eq!(work(0x1d00_ffff), low(0x1_0001_0001));
        assert_eq!(work(0x207f_ffff), low(2));
        assert_eq!(work(0x1e0f_ffff), low(0x10_0001));
        // A target of one: half of the range of hashes.
        assert_eq!(
            work(0x0101_0000),
            U256::ONE.checked_shl(255).expect("256 bits").to_be_bytes()
        );
    }

    #[test]
    fn bits_that_are_no_target_have_no_work() {
        for bits in [0, 0x0100_3456, 0x0492_3456, 0xff12_3456] {
            assert_eq!(work(bits), [0; 32], "{bits:08x}");
        }
    }

    #[test]
    fn difficulty_has_the_digits_of_bitcoin_core() {
        for (bits, expected) in [
            (0x1f11_1111, "0.000001"),
            (0x1ef8_8f6f, "0.000016"),
            (0x1df8_8f6f, "0.004023"),
            (0x1cf8_8f6f, "1.029916"),
            (0x1234_5678, "5913134931067755359633408.000000"),
        ] {
            let difficulty = difficulty(CompactTarget::from_consensus(bits));
            assert_eq!(format!("{difficulty:.6}"), expected, "{bits:08x}");
        }
        assert_eq!(
            difficulty(CompactTarget::from_consensus(0x1d00_ffff)).to_string(),
            "1"
        );
        // Block 32256, the first with another difficulty.
        let first = difficulty(CompactTarget::from_consensus(0x1d00_d86a));
        assert_eq!(first.to_string(), "1.1828995343128408");
        let regtest = difficulty(CompactTarget::from_consensus(0x207f_ffff));
        assert_eq!(format!("{regtest:e}"), "4.6565423739069247e-10");
    }
}
