//! What a transaction has to pay to be among the next blocks' by what waits now. It knows nothing of
//! what will come, and so is only for networks on which too little happens to learn from.

use crate::FeeRate;
use crate::cluster::FeeWeight;

/// Weight that is left for the payment itself: a few inputs and outputs.
const PAYMENT_WEIGHT: u64 = 4_000;

/// The room that blocks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockRoom {
    /// How many blocks.
    pub(super) blocks: u32,
    /// Weight of the transactions of each.
    pub(super) weight: u64,
}

/// The lowest rate that gets a payment into the room, at least `minimum`. The best chunks come first.
pub(super) fn rate_of_next_blocks(
    best_chunks: impl Iterator<Item = FeeWeight>,
    room: BlockRoom,
    minimum: FeeRate,
) -> FeeRate {
    let mut left = room
        .weight
        .saturating_mul(u64::from(room.blocks))
        .saturating_sub(PAYMENT_WEIGHT);
    for chunk in best_chunks {
        match left.checked_sub(chunk.weight) {
            Some(rest) => left = rest,
            None => {
                let just_above = FeeRate::of_chunk(chunk).saturating_add(FeeRate(1));
                return just_above.max(minimum);
            }
        }
    }
    minimum
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: FeeRate = FeeRate(100);

    fn rate(chunks: &[(i64, u64)], blocks: u32) -> FeeRate {
        let chunks = chunks.iter().map(|(fee, weight)| FeeWeight {
            fee: *fee,
            weight: *weight,
        });
        let weight = 10_000;
        rate_of_next_blocks(chunks, BlockRoom { blocks, weight }, MINIMUM)
    }

    #[test]
    fn an_empty_mempool_asks_for_the_minimum() {
        assert_eq!(rate(&[], 1), MINIMUM);
        assert_eq!(rate(&[(1_000, 6_000)], 1), MINIMUM);
    }

    #[test]
    fn a_payment_pays_more_than_the_first_that_has_no_room() {
        // 2,000 sat for 1,000 vB, then 1,000 sat for 1,000 vB.
        let chunks = [(2_000, 4_000), (1_000, 4_000)];
        assert_eq!(rate(&chunks, 1), FeeRate(1_001));
        assert_eq!(rate(&chunks, 2), MINIMUM);
        // 1,000 sat for 999 weight units more: rounded down, and one more.
        assert_eq!(rate(&[(2_000, 4_000), (1_000, 4_999)], 1), FeeRate(801));
        assert_eq!(rate(&[(5, 8_000)], 1), MINIMUM);
    }

    #[test]
    fn more_blocks_never_cost_more() {
        let chunks: Vec<(i64, u64)> = (1..50).rev().map(|number| (number * 300, 3_000)).collect();
        let rates: Vec<FeeRate> = (1..20).map(|blocks| rate(&chunks, blocks)).collect();
        assert!(rates.is_sorted_by(|few, more| few >= more));
        assert!(rates[0] > rates[5]);
        assert_eq!(rates.last(), Some(&MINIMUM));
    }
}
