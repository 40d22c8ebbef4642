//! Headers: their encoding, what their bits stand for, and the check of their proof of work.

use bolero::{TypeGenerator, check, produce};
use num_bigint::BigUint;
use pyrite_consensus::HeaderError;
use pyrite_consensus::bitcoin::CompactTarget;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::{deserialize, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::pow::{check_proof_of_work, header_work};

use crate::big_target;

/// Where the bits stand in a header.
const BITS: std::ops::Range<usize> = 72..76;

/// Bits whose size is near to one that matters, or any.
#[derive(Clone, Debug, TypeGenerator)]
enum Bits {
    Sized {
        #[generator(0..40_u8)]
        size: u8,
        #[generator(0..0x0100_0000_u32)]
        mantissa: u32,
    },
    Any(u32),
}

impl Bits {
    fn value(&self) -> u32 {
        match self {
            Self::Sized { size, mantissa } => u32::from(*size) << 24 | mantissa,
            Self::Any(bits) => *bits,
        }
    }
}

#[test]
fn fuzz_header_and_its_bits() {
    let headers = produce::<[u8; 80]>();
    check!()
        .with_generator((headers, produce::<Bits>(), produce::<Bits>()))
        .for_each(|(bytes, bits, pow_limit)| {
            let (bits, pow_limit) = (bits.value(), pow_limit.value());
            let mut bytes = *bytes;
            bytes[BITS].copy_from_slice(&bits.to_le_bytes());
            let header: Header = deserialize(&bytes).expect("any 80 bytes are a header");
            assert_eq!(serialize(&header), bytes);

            let work = BigUint::from_bytes_be(&header_work(&header).to_be_bytes());
            assert_eq!(work, big_target::work(bits), "{bits:08x}");

            let limit = big_target::target(pow_limit);
            let target = big_target::target(bits)
                .filter(|target| limit.as_ref().is_some_and(|limit| target <= limit));
            let pow_limit = CompactTarget::from_consensus(pow_limit);
            let hash = header.block_hash();
            let number = BigUint::from_bytes_le(&hash.to_byte_array());
            let bits = header.bits;
            let expected = match target {
                None => Err(HeaderError::InvalidTarget { bits, pow_limit }),
                Some(target) if number > target => Err(HeaderError::HighHash { hash, bits }),
                Some(_) => Ok(()),
            };
            assert_eq!(check_proof_of_work(&header, pow_limit), expected);
        });
}
