//! Solves one block on the calling thread, for `generatetoaddress`.

use std::sync::atomic::{AtomicBool, Ordering};

use pyrite_consensus::bitcoin::Block;

use crate::PreparedHeader;
use crate::device::cpu;

/// Searches nonces from the block's own one upwards until its header meets its target.
///
/// Returns `None` after `max_tries` hashes, at the end of the 32-bit nonce space (take another
/// extranonce or time then), or soon after `cancel` was set.
pub fn solve(mut block: Block, max_tries: u64, cancel: &AtomicBool) -> Option<Block> {
    let first = block.header.nonce;
    let last_try = max_tries.checked_sub(1)?;
    let last = u32::try_from(last_try).map_or(u32::MAX, |tries| first.saturating_add(tries));
    let header = PreparedHeader::new(&block.header);
    let outcome = cpu::search(cpu::fastest_kernel(), &header, first..=last, || {
        cancel.load(Ordering::Relaxed)
    });
    block.header.nonce = outcome.found?.nonce;
    Some(block)
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Network;
    use pyrite_consensus::bitcoin::constants::genesis_block;

    use super::*;

    #[test]
    fn starts_with_the_nonce_of_the_block() {
        let genesis = genesis_block(Network::Regtest);
        let never = AtomicBool::new(false);
        assert_eq!(solve(genesis.clone(), 1, &never), Some(genesis));
    }

    #[test]
    fn gives_up_after_its_tries() {
        // The nonce of Bitcoin's genesis block is 2083236893.
        let mut block = genesis_block(Network::Bitcoin);
        let solution = block.header.nonce;
        block.header.nonce = solution - 10;
        let never = AtomicBool::new(false);
        assert_eq!(solve(block.clone(), 10, &never), None);
        assert_eq!(solve(block.clone(), 0, &never), None);
        assert_eq!(
            solve(block, 11, &never).map(|block| block.header.nonce),
            Some(solution)
        );
    }

    #[test]
    fn ends_at_the_last_nonce() {
        let mut block = genesis_block(Network::Bitcoin);
        block.header.nonce = u32::MAX - 5;
        assert_eq!(solve(block, u64::MAX, &AtomicBool::new(false)), None);
    }

    #[test]
    fn stops_when_cancelled() {
        let mut block = genesis_block(Network::Bitcoin);
        block.header.nonce = 0;
        assert_eq!(solve(block, u64::MAX, &AtomicBool::new(true)), None);
    }
}
