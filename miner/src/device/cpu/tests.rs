//! All kernels: they find what is there, and what the reference finds.

use proptest::prelude::*;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::constants::genesis_block;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, Network, TxMerkleNode, consensus};

use super::choice::hashes_right;
use super::{Candidate, Kernel, Reference, fastest_kernel, kernel, kernels, search};
use crate::{PreparedHeader, SearchOutcome, Solution};

const GENESIS_NONCE: u32 = 2_083_236_893;

/// Headers and nonces that `make test` compares each kernel on: `PYRITE_KERNEL_HASHES` for more.
const HASHES: u32 = 2_000_000;

/// What the second hash's fifth word is after the round that decides: the eighth word of the hash but for the initial state.
#[cfg(target_arch = "x86_64")]
pub(super) fn top_word(header: &PreparedHeader, version: u16, nonce: u32) -> u32 {
    let version = header.version(version);
    let hash = header.header(Solution { version, nonce }).block_hash();
    let bytes = hash.to_byte_array();
    let word = u32::from_be_bytes(bytes[28..].try_into().unwrap());
    word.wrapping_sub(crate::job::SHA256_INITIAL_STATE[7])
}

fn never() -> bool {
    false
}

fn all() -> impl Iterator<Item = &'static dyn Kernel> {
    kernels().iter().map(AsRef::as_ref)
}

fn genesis() -> PreparedHeader {
    PreparedHeader::new(&genesis_block(Network::Bitcoin).header)
}

fn genesis_solution() -> Option<Solution> {
    Some(Solution {
        version: Version::ONE,
        nonce: GENESIS_NONCE,
    })
}

pub(super) fn any_header() -> impl Strategy<Value = Header> {
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
    for kernel in all() {
        let first = GENESIS_NONCE - 5_000;
        let outcome = search(kernel, &genesis(), first..=u32::MAX, never);
        assert_eq!(
            outcome,
            SearchOutcome {
                found: genesis_solution(),
                hashes: 5_001
            }
        );
    }
}

#[test]
fn finds_the_nonce_of_a_mainnet_block() {
    for kernel in all() {
        // Block 125552 of Bitcoin's mainnet, the usual example of header hashing.
        let bytes = hex::decode(
        "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d75\
         0423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695",
    )
    .unwrap();
        let header: Header = consensus::deserialize(&bytes).unwrap();
        let outcome = search(
            kernel,
            &PreparedHeader::new(&header),
            header.nonce - 10..=header.nonce + 10,
            never,
        );
        assert_eq!(
            outcome,
            SearchOutcome {
                found: Some(Solution {
                    version: header.version,
                    nonce: header.nonce,
                }),
                hashes: 11
            }
        );
    }
}

#[test]
fn covers_its_range_exactly() {
    for kernel in all() {
        let up_to_solution = search(kernel, &genesis(), GENESIS_NONCE..=GENESIS_NONCE, never);
        assert_eq!(
            up_to_solution,
            SearchOutcome {
                found: genesis_solution(),
                hashes: 1
            }
        );
        let before = search(
            kernel,
            &genesis(),
            GENESIS_NONCE - 9_000..=GENESIS_NONCE - 1,
            never,
        );
        assert_eq!(
            before,
            SearchOutcome {
                found: None,
                hashes: 9_000
            }
        );
        let at_the_end = search(kernel, &genesis(), u32::MAX - 2_047..=u32::MAX, never);
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
        let empty = search(kernel, &genesis(), 5..=4, never);
        assert_eq!(empty, SearchOutcome::default());
    }
}

#[test]
fn stops_when_cancelled() {
    for kernel in all() {
        let looks = std::cell::Cell::new(0_u64);
        let outcome = search(kernel, &genesis(), 0..=u32::MAX, || {
            looks.set(looks.get() + 1);
            looks.get() > 3
        });
        assert_eq!(
            outcome,
            SearchOutcome {
                found: None,
                hashes: 1 + 2 + 4
            }
        );
    }
}

/// One that takes the version's index for another.
struct Wrong;

impl Kernel for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        Reference.scan(header, first, count, found);
        for candidate in found {
            candidate.version = candidate.version.saturating_sub(1);
        }
    }
}

#[test]
fn a_kernel_that_hashes_wrong_is_found_out() {
    assert!(!hashes_right(&Wrong));
    assert!(all().all(hashes_right));
}

#[test]
fn kernels_are_found_by_name() {
    for known in all() {
        assert_eq!(kernel(known.name()).unwrap().name(), known.name());
    }
    assert!(kernel("abacus").is_none());
    let fastest = fastest_kernel();
    assert!(all().any(|known| known.name() == fastest.name()));
    assert_eq!(fastest.versions(), 1);
}

/// Random headers with random targets of which about one hash in a hundred has a top word as low: every kernel names the same
/// candidates as the `sha2` crate, up to those whose lower words decide.
#[test]
fn all_kernels_agree() {
    let hashes: u32 =
        std::env::var("PYRITE_KERNEL_HASHES").map_or(HASHES, |hashes| hashes.parse().unwrap());
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.rotate_left(20).to_le_bytes()
    };
    let mut left = hashes;
    let mut found = 0;
    while left > 0 {
        let bytes: [u8; 32] = std::array::from_fn(|_| random()[3]);
        let header = Header {
            version: Version::from_consensus(i32::from_le_bytes(random()[..4].try_into().unwrap())),
            prev_blockhash: BlockHash::from_byte_array(bytes),
            merkle_root: TxMerkleNode::from_byte_array(bytes.map(|byte| byte ^ random()[2])),
            time: u32::from_le_bytes(random()[1..5].try_into().unwrap()),
            bits: CompactTarget::from_consensus(0x2002_8f5c),
            nonce: 0,
        };
        let versions = [1, 5, 48, 200][usize::from(random()[5] % 4)];
        let prepared = PreparedHeader::with_versions(&header, versions);
        let first = u32::from_le_bytes(random()[2..6].try_into().unwrap());
        let last = first.saturating_add(1_000 / u32::from(versions) - 1);
        let mut next = Some(first);
        while let Some(start) = next {
            let expected = search(&Reference, &prepared, start..=last, never);
            for kernel in all() {
                let outcome = search(kernel, &prepared, start..=last, never);
                assert_eq!(outcome, expected, "{} on {header:?}", kernel.name());
            }
            found += u32::from(expected.found.is_some());
            next = expected
                .found
                .and_then(|solution| solution.nonce.checked_add(1))
                .filter(|n| *n <= last);
        }
        left = left.saturating_sub(1_000);
    }
    assert!(found > hashes / 400);
}
