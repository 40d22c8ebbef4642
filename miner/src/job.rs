//! Work for a device: a header whose nonce is open, prepared for fast hashing, and the template that
//! it came from.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_consensus::bitcoin::{Block, Target};
use sha2::block_api::compress256;

use crate::{Extranonce, Template};

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

/// A header with everything computed that does not depend on the nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedHeader {
    header: Header,
    midstate: [u32; 8],
    tail: [u8; 12],
    target: [u32; 8],
}

impl PreparedHeader {
    /// Prepares a header; its nonce does not matter.
    pub fn new(header: &Header) -> Self {
        let bytes = serialize(header);
        let first: &[u8; MIDSTATE_LEN] = bytes
            .first_chunk()
            .expect("a header is 80 bytes long, more than one SHA-256 block");
        let mut midstate = SHA256_INITIAL_STATE;
        compress256(&mut midstate, std::slice::from_ref(first));
        let mut tail = [0; 12];
        tail.copy_from_slice(&bytes[MIDSTATE_LEN..76]);
        Self {
            header: *header,
            midstate,
            tail,
            target: target_words(header.target()),
        }
    }

    /// The header with this nonce.
    pub fn header(&self, nonce: u32) -> Header {
        Header {
            nonce,
            ..self.header
        }
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

    /// SHA-256's state after the header's first 64 bytes.
    pub fn midstate(&self) -> &[u32; 8] {
        &self.midstate
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

    /// Whether the header with this nonce meets its target.
    pub fn is_solved_by(&self, nonce: u32) -> bool {
        self.header
            .target()
            .is_met_by(self.header(nonce).block_hash())
    }
}

fn target_words(target: Target) -> [u32; 8] {
    let bytes = target.to_be_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|i| u32::from_be_bytes(words[i]))
}

/// One unit of work: a template with an extranonce and a time; the device tries nonces.
#[derive(Clone, Debug)]
pub struct Job {
    template: Arc<Template>,
    extranonce: Extranonce,
    prepared: PreparedHeader,
}

impl Job {
    /// A job on `template`. Its header differs from that of every job with another extranonce.
    pub fn new(template: Arc<Template>, extranonce: Extranonce, time: u32) -> Self {
        let header = template.header(extranonce, time, 0);
        Self {
            template,
            extranonce,
            prepared: PreparedHeader::new(&header),
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

    /// The header with this nonce.
    pub fn header(&self, nonce: u32) -> Header {
        self.prepared.header(nonce)
    }

    /// The header's time.
    pub fn time(&self) -> u32 {
        self.prepared.time()
    }

    /// Refreshes the header's time; the nonces tried before are fresh again.
    pub fn set_time(&mut self, time: u32) {
        self.prepared.set_time(time);
    }

    /// The whole block with this nonce.
    pub fn block(&self, nonce: u32) -> Block {
        self.template.block(self.extranonce, self.time(), nonce)
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Network;
    use pyrite_consensus::bitcoin::constants::genesis_block;

    use super::*;

    #[test]
    fn a_new_time_equals_a_header_prepared_with_it() {
        let mut header = genesis_block(Network::Bitcoin).header;
        let mut prepared = PreparedHeader::new(&header);
        assert!(prepared.is_solved_by(header.nonce));
        assert!(!prepared.is_solved_by(header.nonce + 1));
        prepared.set_time(0x0102_0304);
        header.time = 0x0102_0304;
        assert_eq!(prepared, PreparedHeader::new(&header));
        assert!(!prepared.is_solved_by(header.nonce));
    }

    #[test]
    fn target_words_start_with_the_most_significant() {
        let header = genesis_block(Network::Bitcoin).header;
        let prepared = PreparedHeader::new(&header);
        assert_eq!(prepared.target_words(), &[0, 0xffff_0000, 0, 0, 0, 0, 0, 0]);
    }
}
