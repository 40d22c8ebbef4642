//! The figures of one block that `getblockstats` shows.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::{Amount, Block, Transaction, TxOut};
use pyrite_consensus::coin::is_unspendable;
use serde_json::{Map, Value};

/// Where the percentiles of fee rates lie: parts of the block's weight, as numerator and denominator, for
/// a tenth has no exact float.
const PERCENTILES: [(f64, f64); 5] = [(1.0, 10.0), (1.0, 4.0), (1.0, 2.0), (3.0, 4.0), (9.0, 10.0)];

/// Bytes of an unspent output beside the output itself: outpoint, height, and whether it is a
/// coinbase's.
const COIN_OVERHEAD_BYTES: usize = 36 + 4 + 1;

/// Weight units of a virtual byte.
const WITNESS_SCALE_FACTOR: u64 = 4;

/// What the block itself does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockStatsPlace {
    /// Its height.
    pub(crate) height: u32,
    /// Median of the times of it and its ten ancestors.
    pub(crate) median_time: u32,
    /// The subsidy at its height.
    pub(crate) subsidy: Amount,
    /// Whether its coinbase's outputs became coins: those of genesis blocks and of Bitcoin's two
    /// repeated coinbases did not.
    pub(crate) coinbase_makes_coins: bool,
}

/// One figure of each transaction, and what is asked of all.
#[derive(Debug, Default)]
struct Series(Vec<u64>);

impl Series {
    fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn average(&self) -> u64 {
        self.total().checked_div(count(self.0.len())).unwrap_or(0)
    }

    fn min(&self) -> u64 {
        self.0.iter().copied().min().unwrap_or(0)
    }

    fn max(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// The median; between two values, their mean without its fraction.
    fn median(&self) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let middle = sorted.len() / 2;
        match (sorted.get(middle), sorted.len() % 2) {
            (None, _) => 0,
            (Some(value), 1) => *value,
            (Some(upper), _) => (sorted[middle - 1] + upper) / 2,
        }
    }
}

/// The sums over a block's transactions.
#[derive(Debug, Default)]
struct Sums {
    inputs: u64,
    outputs: u64,
    coins: u64,
    total_out: u64,
    coin_bytes: i64,
    actual_coin_bytes: i64,
    segwit_count: u64,
    segwit_size: u64,
    segwit_weight: u64,
    fees: Series,
    sizes: Series,
    weights: Series,
}

/// All figures, in the order in which they are shown. `spent` are the coins that the block spent, in the
/// order of its inputs; a transaction whose coins are not there counts as one that pays no fee, as the
/// one that allocates a genesis block's coins does.
pub(crate) fn block_stats(
    block: &Block,
    spent: &[Coin],
    place: BlockStatsPlace,
) -> Map<String, Value> {
    let sums = sum_up(block, spent, place);
    let rates: Vec<u64> = sums
        .fees
        .0
        .iter()
        .zip(&sums.weights.0)
        .map(|(fee, weight)| rate(*fee, *weight))
        .collect();
    let percentiles = percentiles(&rates, &sums.weights.0);
    let rates = Series(rates);
    let created = signed(sums.outputs) - signed(sums.inputs);
    let actually_created = signed(sums.coins) - signed(sums.inputs);
    let figures: [(&str, Value); 31] = [
        ("avgfee", sums.fees.average().into()),
        (
            "avgfeerate",
            rate(sums.fees.total(), sums.weights.total()).into(),
        ),
        ("avgtxsize", sums.sizes.average().into()),
        ("blockhash", block.block_hash().to_string().into()),
        ("feerate_percentiles", percentiles.to_vec().into()),
        ("height", place.height.into()),
        ("ins", sums.inputs.into()),
        ("maxfee", sums.fees.max().into()),
        ("maxfeerate", rates.max().into()),
        ("maxtxsize", sums.sizes.max().into()),
        ("medianfee", sums.fees.median().into()),
        ("mediantime", place.median_time.into()),
        ("mediantxsize", sums.sizes.median().into()),
        ("minfee", sums.fees.min().into()),
        ("minfeerate", rates.min().into()),
        ("mintxsize", sums.sizes.min().into()),
        ("outs", sums.outputs.into()),
        ("subsidy", place.subsidy.to_sat().into()),
        ("swtotal_size", sums.segwit_size.into()),
        ("swtotal_weight", sums.segwit_weight.into()),
        ("swtxs", sums.segwit_count.into()),
        ("time", block.header.time.into()),
        ("total_out", sums.total_out.into()),
        ("total_size", sums.sizes.total().into()),
        ("total_weight", sums.weights.total().into()),
        ("totalfee", sums.fees.total().into()),
        ("txs", block.txdata.len().into()),
        ("utxo_increase", created.into()),
        ("utxo_size_inc", sums.coin_bytes.into()),
        ("utxo_increase_actual", actually_created.into()),
        ("utxo_size_inc_actual", sums.actual_coin_bytes.into()),
    ];
    figures
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn sum_up(block: &Block, mut spent: &[Coin], place: BlockStatsPlace) -> Sums {
    let mut sums = Sums::default();
    for transaction in &block.txdata {
        let makes_coins = place.coinbase_makes_coins || !transaction.is_coinbase();
        sums.add_outputs(&transaction.output, makes_coins);
        if transaction.is_coinbase() {
            continue;
        }
        let own = spent.split_off(..transaction.input.len());
        sums.add_spending(transaction, own.unwrap_or_default());
    }
    sums
}

impl Sums {
    fn add_outputs(&mut self, outputs: &[TxOut], makes_coins: bool) {
        self.outputs += count(outputs.len());
        for output in outputs {
            self.coin_bytes += coin_bytes(output);
            if makes_coins && !is_unspendable(&output.script_pubkey) {
                self.coins += 1;
                self.actual_coin_bytes += coin_bytes(output);
            }
        }
    }

    /// Adds a transaction that is no coinbase, but for its outputs' number and size.
    fn add_spending(&mut self, transaction: &Transaction, spent: &[Coin]) {
        let size = count(transaction.total_size());
        let weight = transaction.weight().to_wu();
        let paid = total(&mut transaction.output.iter());
        let received = total(&mut spent.iter().map(|coin| &coin.output));
        for coin in spent {
            self.coin_bytes -= coin_bytes(&coin.output);
            self.actual_coin_bytes -= coin_bytes(&coin.output);
        }
        self.inputs += count(transaction.input.len());
        self.total_out += paid;
        self.fees.0.push(received.saturating_sub(paid));
        self.sizes.0.push(size);
        self.weights.0.push(weight);
        if transaction
            .input
            .iter()
            .any(|input| !input.witness.is_empty())
        {
            self.segwit_count += 1;
            self.segwit_size += size;
            self.segwit_weight += weight;
        }
    }
}

/// Satoshi of outputs together. A block's are far below 2^64.
fn total(outputs: &mut dyn Iterator<Item = &TxOut>) -> u64 {
    outputs.map(|output| output.value.to_sat()).sum()
}

/// What an output takes in a set of coins.
fn coin_bytes(output: &TxOut) -> i64 {
    signed(count(output.size() + COIN_OVERHEAD_BYTES))
}

/// Satoshi for each virtual byte, without the fraction.
fn rate(fee: u64, weight: u64) -> u64 {
    (fee * WITNESS_SCALE_FACTOR)
        .checked_div(weight)
        .unwrap_or(0)
}

/// The fee rates at certain parts of the block's weight, when its transactions are ordered by fee rate.
fn percentiles(rates: &[u64], weights: &[u64]) -> [u64; PERCENTILES.len()] {
    let mut ranked: Vec<(u64, u64)> = rates.iter().copied().zip(weights.iter().copied()).collect();
    ranked.sort_unstable();
    let total = to_float(weights.iter().sum());
    PERCENTILES.map(|(numerator, denominator)| {
        let mut passed = 0;
        let found = ranked.iter().find(|(_, weight)| {
            passed += weight;
            to_float(passed) >= total * numerator / denominator
        });
        found.or(ranked.last()).map_or(0, |(rate, _)| *rate)
    })
}

/// A weight as a float, exactly: a block's is below 2^53.
#[allow(
    clippy::cast_precision_loss,
    reason = "a block's weight is far below 2^53"
)]
fn to_float(weight: u64) -> f64 {
    weight as f64
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// What a block counts is far below 2^63.
fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "block_stats_tests.rs"]
mod tests;
