//! Where a flood's payments come from: lanes. A lane is a coin of the chain and a short chain of payments that the
//! mempool has taken on top of it, each of which spends the one before. Of a payment only its fee is kept: the rest
//! follows from it, so that hundreds of thousands of lanes take little memory.

use pyrite_consensus::bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxOut};

use crate::bench::load::Payer;

/// The most payments of a lane that wait for a block.
pub(super) const MAX_CHAIN: usize = 4;
/// What each payment gives to its second output, in satoshi. It is above dust, and never spent again.
const PAID_SAT: u64 = 1_000;
/// A lane whose coin is worth less than this, in satoshi, is not used any more.
const LEAST_SAT: u64 = 20_000;
/// The virtual size of a payment.
pub(super) const PAYMENT_VSIZE: u64 = 141;

/// A coin of the chain and what waits on top of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    root: OutPoint,
    root_sat: u64,
    fees_sat: [u32; MAX_CHAIN],
    length: usize,
}

/// A coin that a lane can spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LaneCoin {
    pub(super) outpoint: OutPoint,
    pub(super) value: Amount,
}

impl Lane {
    /// A lane that begins with a coin.
    pub(super) fn new(root: OutPoint, value: Amount) -> Self {
        Self {
            root,
            root_sat: value.to_sat(),
            fees_sat: [0; MAX_CHAIN],
            length: 0,
        }
    }

    /// How many payments wait for a block.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Whether one more payment may follow, as far as its length goes.
    pub(super) fn is_full(&self) -> bool {
        self.length == MAX_CHAIN
    }

    /// The fee of the last payment that waits, in satoshi.
    pub(super) fn last_fee_sat(&self) -> Option<u64> {
        let last = self.length.checked_sub(1)?;
        Some(self.fees_sat[last].into())
    }

    /// The coins of the lane: the root, and what each payment left. The last one is unspent.
    pub(super) fn coins(&self, payer: &Payer, script: &ScriptBuf) -> Vec<LaneCoin> {
        let mut coin = LaneCoin {
            outpoint: self.root,
            value: Amount::from_sat(self.root_sat),
        };
        let mut coins = vec![coin];
        for fee in &self.fees_sat[..self.length] {
            let Some(payment) = payment(payer, script, coin, (*fee).into()) else {
                break;
            };
            coin = LaneCoin {
                outpoint: OutPoint {
                    txid: payment.compute_txid(),
                    vout: 0,
                },
                value: payment.output[0].value,
            };
            coins.push(coin);
        }
        coins
    }

    /// The mempool took a payment of the coin after `after` others, with that fee.
    pub(super) fn taken(&mut self, after: usize, fee_sat: u64) {
        self.fees_sat[after] = u32::try_from(fee_sat).unwrap_or(u32::MAX);
        self.length = after + 1;
    }

    /// Only the first payments are there any more.
    pub(super) fn cut_to(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// A block has the payments up to this coin of the lane's: it begins anew with that.
    pub(super) fn begin_with(&mut self, coin: LaneCoin) {
        *self = Self::new(coin.outpoint, coin.value);
    }
}

/// A payment of a coin, not signed yet: all but the fee and a little comes back. `None` when the coin is worth too
/// little.
pub(super) fn payment(
    payer: &Payer,
    script: &ScriptBuf,
    coin: LaneCoin,
    fee_sat: u64,
) -> Option<Transaction> {
    let rest = coin.value.to_sat().checked_sub(PAID_SAT + fee_sat)?;
    if rest < LEAST_SAT || u32::try_from(fee_sat).is_err() {
        return None;
    }
    let output = |sat| TxOut {
        value: Amount::from_sat(sat),
        script_pubkey: script.clone(),
    };
    Some(payer.unsigned(coin.outpoint, vec![output(rest), output(PAID_SAT)]))
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Txid;
    use pyrite_consensus::bitcoin::hashes::Hash;

    use super::*;
    use crate::bench::owner::Kind;

    #[test]
    fn the_coins_of_a_lane_are_those_that_its_payments_leave() {
        let payer = Payer::new(Kind::P2wpkh);
        let script = payer.script();
        let root = OutPoint {
            txid: Txid::all_zeros(),
            vout: 3,
        };
        let mut lane = Lane::new(root, Amount::from_sat(250_000));
        let mut made = lane.coins(&payer, &script);
        for (after, fee) in [50, 70].into_iter().enumerate() {
            let mut payment = payment(&payer, &script, made[after], fee).unwrap();
            // A signature changes nothing of the id.
            payer.sign(&mut payment, made[after].value);
            assert!(payment.vsize() as u64 <= PAYMENT_VSIZE);
            lane.taken(after, fee);
            made.push(LaneCoin {
                outpoint: OutPoint {
                    txid: payment.compute_txid(),
                    vout: 0,
                },
                value: payment.output[0].value,
            });
        }
        assert_eq!(lane.coins(&payer, &script), made);
        assert_eq!((lane.len(), lane.last_fee_sat()), (2, Some(70)));
        assert_eq!(made[2].value.to_sat(), 250_000 - 2 * PAID_SAT - 120);
        lane.cut_to(1);
        assert_eq!(lane.coins(&payer, &script), made[..2]);
        lane.begin_with(made[1]);
        assert_eq!(lane.coins(&payer, &script), made[1..2]);
        assert_eq!(lane.last_fee_sat(), None);
    }

    #[test]
    fn a_poor_coin_is_not_spent() {
        let payer = Payer::new(Kind::P2wpkh);
        let coin = LaneCoin {
            outpoint: OutPoint::null(),
            value: Amount::from_sat(LEAST_SAT + PAID_SAT + 10),
        };
        assert!(payment(&payer, &payer.script(), coin, 10).is_some());
        assert!(payment(&payer, &payer.script(), coin, 11).is_none());
    }
}
