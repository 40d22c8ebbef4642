//! Targets in their compact form ("bits"), and the check that a hash meets one.

use bitcoin::CompactTarget;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;

use super::uint256::U256;
use crate::HeaderError;

const MANTISSA: u32 = 0x007f_ffff;
const SIGN: u32 = 0x0080_0000;

/// Checks a header's hash against its own bits, and its bits against the easiest target (Bitcoin
/// Core's `CheckProofOfWork`). It needs no other header, so it is the first check of data from a peer.
///
/// # Errors
/// `InvalidTarget` when the bits are negative, zero, wider than 256 bits or easier than `pow_limit`;
/// `HighHash` when the hash is above the target.
pub fn check_proof_of_work(header: &Header, pow_limit: CompactTarget) -> Result<(), HeaderError> {
    let target = decode_bits(header.bits)
        .filter(|target| decode_bits(pow_limit).is_some_and(|limit| *target <= limit))
        .ok_or(HeaderError::InvalidTarget {
            bits: header.bits,
            pow_limit,
        })?;
    let hash = header.block_hash();
    if U256::from_le_bytes(hash.to_byte_array()) > target {
        return Err(HeaderError::HighHash {
            hash,
            bits: header.bits,
        });
    }
    Ok(())
}

/// The target that bits stand for: a base-256 floating-point number with a sign (`SetCompact` of Bitcoin
/// Core's `arith_uint256`). `None` when it is negative, zero or wider than 256 bits.
pub(crate) fn decode_bits(bits: CompactTarget) -> Option<U256> {
    let bits = bits.to_consensus();
    let size = bits >> 24;
    let mantissa = bits & MANTISSA;
    let target = match size.checked_sub(3) {
        None | Some(0) => U256::from_u64(u64::from(mantissa >> (8 * (3 - size)))),
        Some(bytes) => U256::from_u64(u64::from(mantissa)).checked_shl(8 * bytes)?,
    };
    // Bitcoin Core calls a number that rounds to zero not negative; it is refused as zero all the same.
    (target != U256::ZERO && bits & SIGN == 0).then_some(target)
}

/// The bits of a target, rounded down to the precision of the form (`GetCompact`).
pub(super) fn encode_bits(target: U256) -> CompactTarget {
    let mut size = target.bit_length().div_ceil(8);
    let low = match size.checked_sub(3) {
        Some(bytes) => target.shr(8 * bytes).low_u64(),
        None => target.low_u64() << (8 * (3 - size)),
    };
    let mut mantissa = u32::try_from(low).expect("three bytes are left");
    if mantissa & SIGN != 0 {
        // The top bit is the sign: one byte less of precision keeps the number positive.
        mantissa >>= 8;
        size += 1;
    }
    CompactTarget::from_consensus(size << 24 | mantissa)
}

#[cfg(test)]
mod tests {
    use bitcoin::block::Version;
    use bitcoin::{BlockHash, TxMerkleNode};
    use proptest::prelude::*;

    use super::*;

    fn bits(value: u32) -> CompactTarget {
        CompactTarget::from_consensus(value)
    }

    fn number(value: u64, shift: u32) -> Option<U256> {
        U256::from_u64(value).checked_shl(shift)
    }

    #[test]
    fn decodes_the_values_of_bitcoin_core() {
        for (value, expected) in [
            (0x0112_3456, number(0x12, 0)),
            (0x0212_3456, number(0x1234, 0)),
            (0x0312_3456, number(0x12_3456, 0)),
            (0x0412_3456, number(0x1234_5600, 0)),
            (0x0500_9234, number(0x9234_0000, 0)),
            (0x1d00_ffff, number(0xffff, 208)),
            (0x2012_3456, number(0x12_3456, 232)),
            (0x207f_ffff, number(0x7f_ffff, 232)),
        ] {
            assert_eq!(decode_bits(bits(value)), expected, "{value:08x}");
        }
    }

    #[test]
    fn refuses_zero_negative_and_overflowing_bits() {
        for value in [
            0,
            0x0012_3456,
            0x0100_3456,
            0x0200_0056,
            0x0300_0000,
            0x0400_0000,
            0xff00_0000,
            // Negative, and negative zero.
            0x0080_0000,
            0x0180_3456,
            0x01fe_dcba,
            0x0492_3456,
            0x1d80_ffff,
            0x2092_3456,
            // More than 256 bits: three, two and one significant bytes.
            0x2112_3456,
            0x2200_1234,
            0x2300_0012,
            0xff12_3456,
        ] {
            assert_eq!(decode_bits(bits(value)), None, "{value:08x}");
        }
        // The largest size of each number of significant bytes.
        assert_eq!(decode_bits(bits(0x2100_1234)), number(0x1234, 240));
        assert_eq!(decode_bits(bits(0x2200_0012)), number(0x12, 248));
    }

    #[test]
    fn encodes_with_a_clear_sign_bit() {
        assert_eq!(encode_bits(U256::from_u64(0x80)), bits(0x0200_8000));
        assert_eq!(encode_bits(U256::from_u64(0x1234_5600)), bits(0x0412_3456));
        assert_eq!(encode_bits(U256::ZERO), bits(0));
        assert_eq!(
            encode_bits(number(0xff_ffff, 232).expect("256 bits")),
            bits(0x2100_ffff)
        );
    }

    fn header(bits: u32, nonce: u32) -> Header {
        Header {
            version: Version::ONE,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: 1,
            bits: CompactTarget::from_consensus(bits),
            nonce,
        }
    }

    #[test]
    fn proof_of_work_must_meet_the_bits() {
        let limit = bits(0x207f_ffff);
        let outcomes: Vec<_> = (0..64)
            .map(|nonce| check_proof_of_work(&header(0x207f_ffff, nonce), limit))
            .collect();
        // Every second hash is below half of the range.
        assert!(outcomes.contains(&Ok(())));
        let failed = outcomes
            .iter()
            .position(Result::is_err)
            .expect("one in two fails");
        let failed = header(0x207f_ffff, u32::try_from(failed).expect("below 64"));
        let error = HeaderError::HighHash {
            hash: failed.block_hash(),
            bits: failed.bits,
        };
        assert_eq!(check_proof_of_work(&failed, limit), Err(error.clone()));
        assert_eq!(error.reject_reason(), "high-hash");
    }

    #[test]
    fn bits_must_be_a_target_within_the_limit() {
        let pow_limit = bits(0x1d00_ffff);
        for value in [0, 0x1d80_ffff, 0xff12_3456, 0x1d01_0000, 0x207f_ffff] {
            let error = HeaderError::InvalidTarget {
                bits: bits(value),
                pow_limit,
            };
            assert_eq!(
                check_proof_of_work(&header(value, 0), pow_limit),
                Err(error.clone())
            );
            assert_eq!(error.reject_reason(), "high-hash");
        }
    }

    proptest! {
        #[test]
        fn encoding_is_a_fixed_point(value: u32) {
            if let Some(target) = decode_bits(bits(value)) {
                prop_assert_eq!(decode_bits(encode_bits(target)), Some(target));
            }
        }

        #[test]
        fn encoding_rounds_down_by_less_than_the_last_digit(bytes: [u8; 32], shift in 0u32..256) {
            let target = U256::from_le_bytes(bytes).shr(shift);
            prop_assume!(target != U256::ZERO);
            let encoded = encode_bits(target);
            let decoded = decode_bits(encoded).expect("a positive number of 256 bits");
            prop_assert!(decoded <= target);
            // The next larger mantissa would be too large.
            let step = U256::ONE.checked_shl(8 * (encoded.to_consensus() >> 24).saturating_sub(3));
            let next = decoded.checked_add(step.expect("at most the target"));
            prop_assert!(next.is_none_or(|next| next > target));
            prop_assert_eq!(encode_bits(decoded), encoded);
        }

        #[test]
        fn agrees_with_the_bitcoin_crate(bytes: [u8; 32]) {
            let target = U256::from_le_bytes(bytes);
            let theirs = bitcoin::Target::from_le_bytes(bytes).to_compact_lossy();
            prop_assert_eq!(encode_bits(target), theirs);
            if let Some(decoded) = decode_bits(theirs) {
                prop_assert_eq!(decoded.to_be_bytes(), bitcoin::Target::from_compact(theirs).to_be_bytes());
            }
        }
    }
}
