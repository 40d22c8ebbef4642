//! Every kernel finds the nonces of real blocks.

use std::path::PathBuf;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::deserialize;
use pyrite_miner::device::cpu;
use pyrite_miner::{PreparedHeader, SearchOutcome, Solution};

/// Nonces that are tried before the right one: some steps of each kernel, and the beginning of the next.
const BEFORE: u32 = 1_000;

/// Before each block of the file: the network's magic and the block's length.
const PREFIX: usize = 8;

/// Length of a header.
const HEADER: usize = 80;

/// The bytes of a file of blocks; `None` when the data is not on this machine.
fn read(name: &str) -> Option<Vec<u8>> {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors"));
    let folder = std::env::var_os("PYRITE_VECTORS").map_or_else(default, PathBuf::from);
    let path = folder.join("blocks").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let shown = path.display();
            assert!(std::env::var_os("CI").is_none(), "{shown}: {error}");
            println!("skipped: {shown} can't be read: {error}");
            None
        }
    }
}

fn header(block: &[u8]) -> Header {
    deserialize(&block[..HEADER]).expect("a block begins with its header")
}

/// The headers of mainnet's first 255 blocks, and of two that came later.
fn headers() -> Option<Vec<Header>> {
    let first = read("mainnet_1_to_255.blk")?;
    let mut headers = Vec::new();
    let mut rest = first.as_slice();
    while rest.len() > PREFIX + HEADER {
        let length = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
        headers.push(header(&rest[PREFIX..]));
        rest = &rest[PREFIX + length..];
    }
    assert_eq!(headers.len(), 255);
    for name in ["block277647.raw", "block413567.raw"] {
        headers.push(header(&read(name)?));
    }
    Some(headers)
}

#[test]
fn every_kernel_finds_the_nonces_of_mainnet() {
    for header in headers().into_iter().flatten() {
        let solution = Solution {
            version: header.version,
            nonce: header.nonce,
        };
        let first = header.nonce.saturating_sub(BEFORE);
        for versions in [1, 7] {
            let prepared = PreparedHeader::with_versions(&header, versions);
            assert!(prepared.is_solved_by(solution));
            let before = u64::from(header.nonce - first);
            let expected = SearchOutcome {
                found: Some(solution),
                hashes: before * u64::from(versions) + 1,
            };
            for kernel in cpu::kernels() {
                let nonces = first..=header.nonce.saturating_add(BEFORE);
                let outcome = cpu::search(kernel.as_ref(), &prepared, nonces, || false);
                assert_eq!(outcome, expected, "{} on {header:?}", kernel.name());
            }
        }
    }
}
