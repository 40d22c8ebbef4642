//! Work for a device: a header whose nonce and version are open, prepared for fast hashing, and the template that
//! it came from.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_consensus::bitcoin::{Block, Target};
use sha2::block_api::compress256;

use crate::{Extranonce, Solution, Template};

/// The initial state of SHA-256 (FIPS 180-4, 5.3.3).
pub(crate) const SHA256_INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Length of the first SHA-256 block, which holds no nonce, so that it is hashed once.
const MIDSTATE_LEN: usize = 64;

/// The lowest of the version's 16 bits that are free for miners, 0x1fffe000 (BIP-0320).
const FREE_VERSION_BITS_FROM: u32 = 13;

/// A header with everything computed that does not depend on the nonce, for one or more versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedHeader {
    header: Header,
    /// One for each version.
    midstates: Vec<[u32; 8]>,
    tail: [u8; 12],
    target: [u32; 8],
}

impl PreparedHeader {
    /// Prepares a header with its own version; its nonce does not matter.
    pub fn new(header: &Header) -> Self {
        Self::with_versions(header, 1)
    }

    /// Prepares a header for so many versions, one at least: [`Self::version`] tells which.
    pub fn with_versions(header: &Header, versions: u16) -> Self {
        let mut bytes = serialize(header);
        let mut tail = [0; 12];
        tail.copy_from_slice(&bytes[MIDSTATE_LEN..76]);
        let midstates = (0..versions.max(1)).map(|index| {
            let version = version_at(header.version, index).to_consensus();
            bytes[..4].copy_from_slice(&version.to_le_bytes());
            midstate(&bytes)
        });
        Self {
            header: *header,
            midstates: midstates.collect(),
            tail,
            target: target_words(header.target()),
        }
    }

    /// The header with this version and nonce.
    pub fn header(&self, Solution { version, nonce }: Solution) -> Header {
        Header {
            version,
            nonce,
            ..self.header
        }
    }

    /// How many versions it is prepared for.
    pub fn versions(&self) -> u16 {
        u16::try_from(self.midstates.len()).expect("they were counted by a u16")
    }

    /// The version with this index: the header's own, its 16 free bits (BIP-0320) changed by the index. So the first
    /// is the header's own, and no two are the same.
    pub fn version(&self, index: u16) -> Version {
        version_at(self.header.version, index)
    }

    /// The header's time.
    pub fn time(&self) -> u32 {
        self.header.time
    }

    /// Changes the time, which the midstate does not cover.
    pub fn set_time(&mut self, time: u32) {
        self.header.time = time;
        self.tail[4..8].copy_from_slice(&time.to_le_bytes());
    }

    /// SHA-256's states after the header's first 64 bytes, one for each version.
    pub fn midstates(&self) -> &[[u32; 8]] {
        &self.midstates
    }

    /// Bytes 64 to 75 of the header: the end of the merkle root, time and bits; the nonce follows.
    pub fn tail(&self) -> &[u8; 12] {
        &self.tail
    }

    /// The target as eight words, the most significant first; the hash, read as a little-endian
    /// number, must not exceed it.
    pub fn target_words(&self) -> &[u32; 8] {
        &self.target
    }

    /// Whether this is one of its versions, with a nonce that meets the target.
    pub fn is_solved_by(&self, solution: Solution) -> bool {
        self.has_version(solution.version)
            && self
                .header
                .target()
                .is_met_by(self.header(solution).block_hash())
    }

    fn has_version(&self, version: Version) -> bool {
        let difference = version.to_consensus() ^ self.header.version.to_consensus();
        let index = difference.cast_unsigned() >> FREE_VERSION_BITS_FROM;
        u16::try_from(index)
            .is_ok_and(|index| index < self.versions() && self.version(index) == version)
    }
}

fn midstate(header: &[u8]) -> [u32; 8] {
    let first: &[u8; MIDSTATE_LEN] = header
        .first_chunk()
        .expect("a header is 80 bytes long, more than one SHA-256 block");
    let mut state = SHA256_INITIAL_STATE;
    compress256(&mut state, std::slice::from_ref(first));
    state
}

fn version_at(version: Version, index: u16) -> Version {
    let changed = u32::from(index) << FREE_VERSION_BITS_FROM;
    Version::from_consensus(version.to_consensus() ^ changed.cast_signed())
}

fn target_words(target: Target) -> [u32; 8] {
    let bytes = target.to_be_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|i| u32::from_be_bytes(words[i]))
}

/// One unit of work: a template with an extranonce and a time; the device tries nonces, each with all versions.
#[derive(Clone, Debug)]
pub struct Job {
    template: Arc<Template>,
    extranonce: Extranonce,
    prepared: PreparedHeader,
}

impl Job {
    /// A job on `template` with so many versions, one at least: the template's own and those that differ from it in bits
    /// that are free for that (BIP-0320). Its headers differ from those of every job with another extranonce.
    pub fn new(template: Arc<Template>, extranonce: Extranonce, time: u32, versions: u16) -> Self {
        let header = template.header(extranonce, time, 0);
        Self {
            template,
            extranonce,
            prepared: PreparedHeader::with_versions(&header, versions),
        }
    }

    /// The template that the job came from.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }

    /// The extranonce in the coinbase.
    pub fn extranonce(&self) -> Extranonce {
        self.extranonce
    }

    /// The header, ready to be hashed.
    pub fn prepared(&self) -> &PreparedHeader {
        &self.prepared
    }

    /// How many versions to try each nonce with.
    pub fn versions(&self) -> u16 {
        self.prepared.versions()
    }

    /// The version with this index ([`PreparedHeader::version`]).
    pub fn version(&self, index: u16) -> Version {
        self.prepared.version(index)
    }

    /// The header with this version and nonce.
    pub fn header(&self, solution: Solution) -> Header {
        self.prepared.header(solution)
    }

    /// The header's time.
    pub fn time(&self) -> u32 {
        self.prepared.time()
    }

    /// Refreshes the header's time; the nonces tried before are fresh again.
    pub fn set_time(&mut self, time: u32) {
        self.prepared.set_time(time);
    }

    /// The whole block with this version and nonce.
    pub fn block(&self, solution: Solution) -> Block {
        let mut block = self
            .template
            .block(self.extranonce, self.time(), solution.nonce);
        block.header.version = solution.version;
        block
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::constants::genesis_block;
    use pyrite_consensus::bitcoin::{CompactTarget, Network};

    use super::*;

    #[test]
    fn a_new_time_equals_a_header_prepared_with_it() {
        let mut header = genesis_block(Network::Bitcoin).header;
        let mut prepared = PreparedHeader::new(&header);
        let solution = |nonce| Solution {
            version: header.version,
            nonce,
        };
        let (right, wrong) = (solution(header.nonce), solution(header.nonce + 1));
        assert!(prepared.is_solved_by(right));
        assert!(!prepared.is_solved_by(wrong));
        prepared.set_time(0x0102_0304);
        header.time = 0x0102_0304;
        assert_eq!(prepared, PreparedHeader::new(&header));
        assert!(!prepared.is_solved_by(right));
    }

    #[test]
    fn versions_differ_in_the_free_bits_and_the_first_is_the_own() {
        let header = genesis_block(Network::Bitcoin).header;
        let prepared = PreparedHeader::with_versions(&header, u16::MAX);
        assert_eq!(prepared.versions(), u16::MAX);
        assert_eq!(prepared.version(0), header.version);
        assert_eq!(prepared.version(5).to_consensus(), 1 | 5 << 13);
        assert_eq!(
            prepared.version(u16::MAX).to_consensus(),
            1 | 0x1fff_e000,
            "all bits of BIP-0320 and no other"
        );
        let other = Header {
            version: prepared.version(5),
            ..header
        };
        let alone = PreparedHeader::new(&other);
        assert_eq!(prepared.midstates()[5], alone.midstates()[0]);
    }

    #[test]
    fn a_solution_has_one_of_the_versions() {
        let header = Header {
            bits: CompactTarget::from_consensus(0x207f_ffff),
            ..genesis_block(Network::Bitcoin).header
        };
        let prepared = PreparedHeader::with_versions(&header, 8);
        let any_solved =
            |version| (0..64).any(|nonce| prepared.is_solved_by(Solution { version, nonce }));
        for index in 0..8 {
            assert!(any_solved(prepared.version(index)));
        }
        assert!(!any_solved(prepared.version(8)));
        assert!(!any_solved(Version::from_consensus(
            header.version.to_consensus() ^ 1
        )));
    }

    #[test]
    fn no_versions_are_one() {
        let header = genesis_block(Network::Bitcoin).header;
        assert_eq!(
            PreparedHeader::with_versions(&header, 0),
            PreparedHeader::new(&header)
        );
    }

    #[test]
    fn target_words_start_with_the_most_significant() {
        let header = genesis_block(Network::Bitcoin).header;
        let prepared = PreparedHeader::new(&header);
        assert_eq!(prepared.target_words(), &[0, 0xffff_0000, 0, 0, 0, 0, 0, 0]);
    }
}
