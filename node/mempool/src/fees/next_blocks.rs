//! What a transaction has to pay to be among the next blocks' by what waits now. It knows nothing of
//! what will come, and so is only for networks on which too little happens to learn from.

use std::cmp::Ordering;

use pyrite_consensus::bitcoin::Amount;

use crate::FeeRate;
use crate::fee_rate::compare_rates;

/// Weight that is left for the payment itself: a few inputs and outputs.
const PAYMENT_WEIGHT: u64 = 4_000;

/// Weight units of a virtual byte.
const WEIGHT_PER_VBYTE: u64 = 4;

/// The room that blocks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRoom {
    /// How many blocks.
    pub blocks: u32,
    /// Weight of the transactions of each.
    pub weight: u64,
}

/// The lowest rate that gets a payment into the room, at least `minimum`. `chunks` are the fees and the
/// weights of what is mined together, in any order.
#[must_use]
pub fn rate_of_next_blocks(
    mut chunks: Vec<(Amount, u64)>,
    room: BlockRoom,
    minimum: FeeRate,
) -> FeeRate {
    chunks.sort_unstable_by(|a, b| best_first(*a, *b));
    let mut left = room
        .weight
        .saturating_mul(u64::from(room.blocks))
        .saturating_sub(PAYMENT_WEIGHT);
    for (fees, weight) in chunks {
        match left.checked_sub(weight) {
            Some(rest) => left = rest,
            None => return just_above(fees, weight).max(minimum),
        }
    }
    minimum
}

fn best_first(a: (Amount, u64), b: (Amount, u64)) -> Ordering {
    compare_rates(b.0, b.1, a.0, a.1)
}

/// The lowest rate that is higher than this chunk's.
fn just_above(fees: Amount, weight: u64) -> FeeRate {
    let per_kvb = u128::from(fees.to_sat()) * u128::from(1_000 * WEIGHT_PER_VBYTE)
        / u128::from(weight.max(1));
    FeeRate(u64::try_from(per_kvb + 1).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: FeeRate = FeeRate(100);

    fn rate(chunks: &[(u64, u64)], blocks: u32) -> FeeRate {
        let chunks = chunks
            .iter()
            .map(|(fees, weight)| (Amount::from_sat(*fees), *weight))
            .collect();
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
        let chunks = [(1_000, 4_000), (2_000, 4_000)];
        assert_eq!(rate(&chunks, 1), FeeRate(1_001));
        assert_eq!(rate(&chunks, 2), MINIMUM);
        // 1,000 sat for 999 weight units more: rounded down, and one more.
        assert_eq!(rate(&[(1_000, 4_999), (2_000, 4_000)], 1), FeeRate(801));
        assert_eq!(rate(&[(5, 8_000)], 1), MINIMUM);
    }

    #[test]
    fn more_blocks_never_cost_more() {
        let chunks: Vec<(u64, u64)> = (1..50).map(|number| (number * 300, 3_000)).collect();
        let rates: Vec<FeeRate> = (1..20).map(|blocks| rate(&chunks, blocks)).collect();
        assert!(rates.is_sorted_by(|few, more| few >= more));
        assert!(rates[0] > rates[5]);
        assert_eq!(rates.last(), Some(&MINIMUM));
    }
}
