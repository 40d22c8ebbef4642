//! Makes unsigned payments: checks the recipients, selects coins with BDK's algorithms, and sets change and
//! fee to the satoshi.
//!
//! Coins of both accounts are one pool. Coin selection works on fee rates per weight unit and is given a
//! margin for their rounding; the fee itself is computed from the finished transaction's size.

use bdk_wallet::chain::{ChainPosition, ConfirmationBlockTime};
use bdk_wallet::coin_selection::{
    CoinSelectionAlgorithm, DefaultCoinSelectionAlgorithm, LargestFirstCoinSelection,
};
use bdk_wallet::{KeychainKind, LocalOutput, Utxo, WeightedUtxo};
use pyrite_consensus::bitcoin::{
    Amount, FeeRate, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Weight, Witness,
    absolute, transaction,
};
use rand::RngCore;
use rand::seq::SliceRandom;

use crate::view::Coin;
use crate::{AddressType, SendOptions, WalletError};

/// Bitcoin Core's `MAX_STANDARD_TX_WEIGHT`.
const MAX_WEIGHT: Weight = Weight::from_wu(400_000);
/// 1 coin for 1,000 virtual bytes: beyond any meaning, and far from overflowing anything.
const MAX_FEE_RATE_SAT_PER_KVB: u64 = 100_000_000;
/// Witness of a P2WPKH input: count, length and 71 bytes of low-R signature, length and 33 bytes of key.
const P2WPKH_WITNESS_BYTES: u64 = 1 + 1 + 71 + 1 + 33;
/// Witness of a P2TR key path input: count, length and 64 bytes of signature.
const P2TR_WITNESS_BYTES: u64 = 1 + 1 + 64;
/// Marker and flag of a transaction with witnesses.
const WITNESS_MARKER_WEIGHT: u64 = 2;
/// Weight that the size in whole virtual bytes may add to a transaction, and that of longer input and output
/// counts: the margin for coin selection.
const ROUNDING_MARGIN: Weight = Weight::from_wu(3 + 16);

/// A payment to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payment<'a> {
    pub(crate) recipients: &'a [(ScriptBuf, Amount)],
    pub(crate) options: &'a SendOptions,
    pub(crate) change_script: &'a Script,
    pub(crate) lock_time: absolute::LockTime,
}

/// A payment ready to be signed.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) tx: Transaction,
    /// The coins that the inputs spend, in their order.
    pub(crate) coins: Vec<Coin>,
    pub(crate) has_change: bool,
}

impl Payment<'_> {
    /// Selects among `coins` and makes the transaction. Confirmed coins are preferred.
    pub(crate) fn plan(&self, coins: &[Coin], rng: &mut impl RngCore) -> Result<Plan, WalletError> {
        let total = self.check()?;
        let confirmed: Vec<Coin> = coins
            .iter()
            .filter(|coin| coin.height.is_some())
            .cloned()
            .collect();
        match self.plan_from(&confirmed, total, rng) {
            Err(WalletError::InsufficientFunds { .. }) if confirmed.len() < coins.len() => {
                self.plan_from(coins, total, rng)
            }
            result => result,
        }
    }

    /// The amounts' sum, if each makes sense.
    fn check(&self) -> Result<Amount, WalletError> {
        let rate = self.options.fee_rate_sat_per_kvb;
        if rate > MAX_FEE_RATE_SAT_PER_KVB {
            return Err(WalletError::FeeRateTooHigh {
                fee_rate_sat_per_kvb: rate,
                maximum_sat_per_kvb: MAX_FEE_RATE_SAT_PER_KVB,
            });
        }
        if self.recipients.is_empty() {
            return Err(WalletError::NoRecipients);
        }
        let mut total = Amount::ZERO;
        for (recipient, (script, amount)) in self.recipients.iter().enumerate() {
            if *amount == Amount::ZERO && !script.is_op_return() {
                return Err(WalletError::ZeroAmount { recipient });
            }
            let minimum = script.minimal_non_dust();
            if *amount < minimum {
                return Err(WalletError::Dust {
                    recipient,
                    amount: *amount,
                    minimum,
                });
            }
            total = total
                .checked_add(*amount)
                .filter(|total| *total <= Amount::MAX_MONEY)
                .ok_or(WalletError::AmountOutOfRange)?;
        }
        Ok(total)
    }

    fn plan_from(
        &self,
        pool: &[Coin],
        total: Amount,
        rng: &mut impl RngCore,
    ) -> Result<Plan, WalletError> {
        let selected = self.select(pool, total, &DefaultCoinSelectionAlgorithm::default(), rng);
        let plan = match self.assemble(&selected, total, rng) {
            // Many small coins: the largest alone may do.
            Err(WalletError::TransactionTooLarge { .. }) => {
                let selected = self.select(pool, total, &LargestFirstCoinSelection, rng);
                self.assemble(&selected, total, rng)
            }
            result => result,
        };
        plan.map_err(|error| match error {
            WalletError::InsufficientFunds { needed, .. } => WalletError::InsufficientFunds {
                needed,
                available: value_of(pool),
            },
            other => other,
        })
    }

    /// Coins that pay for the recipients and the fee; all that are worth their own fee if those don't suffice by
    /// the algorithm's rounded reckoning.
    fn select(
        &self,
        pool: &[Coin],
        total: Amount,
        algorithm: &impl CoinSelectionAlgorithm,
        rng: &mut impl RngCore,
    ) -> Vec<Coin> {
        let rate = self.selection_rate();
        let overhead = fee_at(rate, weight_of(&self.skeleton(), &[]) + ROUNDING_MARGIN);
        let candidates = pool.iter().map(weighted).collect();
        let result = algorithm.coin_select(
            Vec::new(),
            candidates,
            rate,
            total + overhead,
            self.change_script,
            rng,
        );
        match result {
            Ok(result) => {
                let chosen: std::collections::HashSet<_> =
                    result.selected.iter().map(Utxo::outpoint).collect();
                pool.iter()
                    .filter(|coin| chosen.contains(&coin.outpoint))
                    .cloned()
                    .collect()
            }
            Err(_) => pool
                .iter()
                .filter(|coin| coin.output.value > fee_at(rate, input_weight(coin)))
                .cloned()
                .collect(),
        }
    }

    /// The rate that coin selection reckons with: none if the recipients pay, rounded up otherwise.
    fn selection_rate(&self) -> FeeRate {
        if self.options.subtract_fee {
            FeeRate::ZERO
        } else {
            FeeRate::from_sat_per_kwu(self.options.fee_rate_sat_per_kvb.div_ceil(4))
        }
    }

    /// The transaction with the recipients' outputs and no inputs.
    fn skeleton(&self) -> Transaction {
        let output = self
            .recipients
            .iter()
            .map(|(script, value)| TxOut {
                value: *value,
                script_pubkey: script.clone(),
            })
            .collect();
        Transaction {
            version: transaction::Version::TWO,
            lock_time: self.lock_time,
            input: Vec::new(),
            output,
        }
    }

    /// Makes the transaction that spends all of `selected`.
    fn assemble(
        &self,
        selected: &[Coin],
        total: Amount,
        rng: &mut impl RngCore,
    ) -> Result<Plan, WalletError> {
        let mut coins = selected.to_vec();
        coins.shuffle(rng);
        let mut tx = self.skeleton();
        tx.input = coins.iter().map(|coin| self.input(coin)).collect();

        let fee = self.fee(weight_of(&tx, &coins));
        let needed = if self.options.subtract_fee {
            total
        } else {
            total + fee
        };
        let available = value_of(&coins);
        let Some(surplus) = available.checked_sub(needed) else {
            return Err(WalletError::InsufficientFunds { needed, available });
        };
        let mut with_change = tx.clone();
        with_change.output.push(TxOut {
            value: Amount::ZERO,
            script_pubkey: self.change_script.to_owned(),
        });
        let change_fee = self.fee(weight_of(&with_change, &coins));
        // What the change output itself costs comes off the change, or off the recipients with the rest of the fee.
        let change = if self.options.subtract_fee {
            Some(surplus)
        } else {
            surplus.checked_sub(change_fee - fee)
        };
        let change = change.filter(|change| *change >= self.change_script.minimal_non_dust());

        let fee = match change {
            Some(change) => {
                if self.options.subtract_fee {
                    subtract(change_fee, &mut with_change.output[..self.recipients.len()])?;
                }
                tx = with_change;
                insert_change(&mut tx, change, rng);
                change_fee
            }
            None => {
                if self.options.subtract_fee {
                    let share = fee.checked_sub(surplus).unwrap_or(Amount::ZERO);
                    subtract(share, &mut tx.output)?;
                    share + surplus
                } else {
                    fee + surplus
                }
            }
        };
        self.check_limits(fee, weight_of(&tx, &coins))?;
        Ok(Plan {
            tx,
            coins,
            has_change: change.is_some(),
        })
    }

    fn check_limits(&self, fee: Amount, weight: Weight) -> Result<(), WalletError> {
        if weight > MAX_WEIGHT {
            return Err(WalletError::TransactionTooLarge {
                weight,
                maximum: MAX_WEIGHT,
            });
        }
        if fee > self.options.max_fee {
            return Err(WalletError::FeeTooHigh {
                fee,
                maximum: self.options.max_fee,
            });
        }
        Ok(())
    }

    fn input(&self, coin: &Coin) -> TxIn {
        let sequence = if self.options.replaceable {
            Sequence::ENABLE_RBF_NO_LOCKTIME
        } else {
            Sequence::ENABLE_LOCKTIME_NO_RBF
        };
        TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence,
            witness: Witness::new(),
        }
    }

    /// The fee of a transaction of that weight at the rate asked for, rounded up.
    fn fee(&self, weight: Weight) -> Amount {
        let rate = u128::from(self.options.fee_rate_sat_per_kvb);
        let sat = (u128::from(weight.to_vbytes_ceil()) * rate).div_ceil(1000);
        Amount::from_sat(u64::try_from(sat).expect("rate and weight are bounded"))
    }
}

/// Takes `fee` off the outputs in equal parts, the remainder off the first.
fn subtract(fee: Amount, outputs: &mut [TxOut]) -> Result<(), WalletError> {
    let count = outputs.len() as u64;
    let part = fee / count;
    let remainder = fee - part * count;
    for (recipient, output) in outputs.iter_mut().enumerate() {
        let fee = if recipient == 0 {
            part + remainder
        } else {
            part
        };
        output.value = output
            .value
            .checked_sub(fee)
            .filter(|value| *value >= output.script_pubkey.minimal_non_dust())
            .ok_or(WalletError::AmountTooSmallForFee { recipient, fee })?;
    }
    Ok(())
}

/// Gives the last output, which is the change, its value and a random place, so that the place does not tell.
fn insert_change(tx: &mut Transaction, change: Amount, rng: &mut impl RngCore) {
    if let Some(mut output) = tx.output.pop() {
        output.value = change;
        let place = rand::Rng::gen_range(rng, 0..=tx.output.len());
        tx.output.insert(place, output);
    }
}

fn value_of(coins: &[Coin]) -> Amount {
    coins
        .iter()
        .try_fold(Amount::ZERO, |sum, coin| sum.checked_add(coin.output.value))
        .unwrap_or(Amount::MAX_MONEY)
}

/// The weight of `tx`, whose witnesses are empty yet, once it is signed.
fn weight_of(tx: &Transaction, coins: &[Coin]) -> Weight {
    let witnesses: u64 = coins.iter().map(witness_bytes).sum();
    // A transaction in memory is far below 2⁶⁴ bytes.
    let base = tx.base_size() as u64 * 4;
    Weight::from_wu(base + WITNESS_MARKER_WEIGHT + witnesses)
}

fn witness_bytes(coin: &Coin) -> u64 {
    match coin.keychain.address_type() {
        AddressType::Bech32 => P2WPKH_WITNESS_BYTES,
        AddressType::Bech32m => P2TR_WITNESS_BYTES,
    }
}

fn input_weight(coin: &Coin) -> Weight {
    Weight::from_wu(TxIn::default().base_size() as u64 * 4 + witness_bytes(coin))
}

fn fee_at(rate: FeeRate, weight: Weight) -> Amount {
    rate.fee_wu(weight).unwrap_or(Amount::MAX_MONEY)
}

/// A coin as BDK's coin selection takes it. Keychain and position do not matter to the algorithms used.
fn weighted(coin: &Coin) -> WeightedUtxo {
    // BDK counts an input with an empty witness, which has the one byte for its count of items.
    let satisfaction_weight = Weight::from_wu(witness_bytes(coin) - 1);
    WeightedUtxo {
        satisfaction_weight,
        utxo: Utxo::Local(LocalOutput {
            outpoint: coin.outpoint,
            txout: coin.output.clone(),
            keychain: KeychainKind::External,
            is_spent: false,
            derivation_index: coin.index,
            chain_position: ChainPosition::<ConfirmationBlockTime>::Unconfirmed {
                first_seen: None,
                last_seen: None,
            },
        }),
    }
}

#[cfg(test)]
mod tests;
