//! Estimates as bytes, to be kept over a restart: little-endian, of one length, with a checksum at the
//! end. What waits in the mempool is not part of them.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::hashes::{Hash, sha256d};

use super::buckets::{COUNT, lower_end, upper_end};
use super::estimator::Span;
use super::stats::{Averages, HorizonStats};
use super::{EstimatesError, FeeEstimator, FeeHorizon};

const MAGIC: [u8; 8] = *b"pyrifees";
/// Rises when the format, the buckets or the horizons change.
const VERSION: u32 = 1;
/// Magic, version, time, and three heights.
const HEAD_LENGTH: usize = 8 + 4 + 8 + 3 * 4;
const CHECKSUM_LENGTH: usize = 32;
/// Above any sum of transactions, and below where adding one is lost.
const MAX_COUNT: f64 = 1e12;
/// What rounding may do to a sum of rates, in parts of it.
const ROUNDING: f64 = 1e-6;

/// Estimates with the time at which they were saved.
#[derive(Clone, Debug)]
pub struct SavedEstimates {
    /// The estimator, which tracks no transaction.
    pub estimator: FeeEstimator,
    /// Unix seconds.
    pub saved_at: u64,
}

impl SavedEstimates {
    /// The length of the encoding, in bytes: a reader needs no more.
    #[must_use]
    pub fn encoded_length() -> usize {
        let floats: usize = FeeHorizon::ALL
            .iter()
            .map(|horizon| COUNT * (2 + 2 * horizon.periods()))
            .sum();
        HEAD_LENGTH + floats * 8 + CHECKSUM_LENGTH
    }

    /// Reads estimates.
    ///
    /// # Errors
    /// The bytes are something else, damaged, of another version, or contradict themselves.
    pub fn decode(bytes: &[u8]) -> Result<Self, EstimatesError> {
        check_version(bytes)?;
        let expected = Self::encoded_length();
        if bytes.len() != expected {
            return Err(EstimatesError::Length {
                found: bytes.len(),
                expected,
            });
        }
        let (content, checksum) = bytes.split_at(expected - CHECKSUM_LENGTH);
        if sha256d::Hash::hash(content).to_byte_array() != checksum {
            return Err(EstimatesError::Checksum);
        }
        decode_content(content)
    }
}

impl FeeEstimator {
    /// The estimates as bytes. `saved_at` is the time, in Unix seconds.
    #[must_use]
    pub fn encode(&self, saved_at: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SavedEstimates::encoded_length());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(saved_at.to_le_bytes());
        bytes.extend(self.best_height().0.to_le_bytes());
        // Before the first block that was learned from both are zero, which no such block is.
        let (first, last) = self
            .history()
            .map_or((0, 0), |span| (span.first.0, span.last.0));
        bytes.extend(first.to_le_bytes());
        bytes.extend(last.to_le_bytes());
        for stats in self.horizons() {
            let Averages {
                rate_sums,
                confirmed,
                within,
                left,
            } = stats.averages();
            for value in [rate_sums, confirmed, within, left].into_iter().flatten() {
                bytes.extend(value.to_le_bytes());
            }
        }
        seal(bytes)
    }
}

/// Adds the checksum.
pub(super) fn seal(mut content: Vec<u8>) -> Vec<u8> {
    let checksum = sha256d::Hash::hash(&content);
    content.extend(checksum.to_byte_array());
    content
}

fn check_version(bytes: &[u8]) -> Result<(), EstimatesError> {
    let mut reader = Reader(bytes);
    if reader.take() != Some(MAGIC) {
        return Err(EstimatesError::NotEstimates);
    }
    match reader.take().map(u32::from_le_bytes) {
        Some(VERSION) => Ok(()),
        Some(found) => Err(EstimatesError::Version {
            found,
            known: VERSION,
        }),
        None => Err(EstimatesError::NotEstimates),
    }
}

/// Reads what is between version and checksum. The length has been checked.
fn decode_content(content: &[u8]) -> Result<SavedEstimates, EstimatesError> {
    let mut reader = Reader(content);
    let short = EstimatesError::NotEstimates;
    let _magic: [u8; 8] = reader.take().ok_or(short)?;
    let _version: [u8; 4] = reader.take().ok_or(short)?;
    let saved_at = u64::from_le_bytes(reader.take().ok_or(short)?);
    let mut height = || reader.take().map(u32::from_le_bytes).map(Height);
    let best = height().ok_or(short)?;
    let first = height().ok_or(short)?;
    let last = height().ok_or(short)?;
    let earlier = decode_span(first, last, best)?;
    let mut horizons = FeeHorizon::ALL.map(HorizonStats::new);
    for (stats, horizon) in horizons.iter_mut().zip(FeeHorizon::ALL) {
        let averages = decode_averages(&mut reader, horizon).ok_or(short)?;
        check_range(&averages, horizon)?;
        check_agreement(&averages, horizon)?;
        *stats = HorizonStats::with_averages(horizon, averages);
    }
    Ok(SavedEstimates {
        estimator: FeeEstimator::with_history(best, earlier, horizons),
        saved_at,
    })
}

fn decode_span(first: Height, last: Height, best: Height) -> Result<Option<Span>, EstimatesError> {
    if first.0 == 0 && last.0 == 0 {
        return Ok(None);
    }
    if first.0 == 0 || first > last || last > best {
        return Err(EstimatesError::Blocks { first, last, best });
    }
    Ok(Some(Span { first, last }))
}

fn decode_averages(reader: &mut Reader<'_>, horizon: FeeHorizon) -> Option<Averages> {
    let mut averages = Averages::new(horizon);
    let Averages {
        rate_sums,
        confirmed,
        within,
        left,
    } = &mut averages;
    for value in [rate_sums, confirmed, within, left].into_iter().flatten() {
        *value = f64::from_le_bytes(reader.take()?);
    }
    Some(averages)
}

fn check_range(averages: &Averages, horizon: FeeHorizon) -> Result<(), EstimatesError> {
    let counts = [&averages.confirmed, &averages.within, &averages.left];
    let counts_fit = counts
        .into_iter()
        .flatten()
        .all(|count| is_sum(*count, MAX_COUNT));
    // No rate is above 2^64.
    let rates_fit = averages
        .rate_sums
        .iter()
        .all(|sum| is_sum(*sum, MAX_COUNT * 2_f64.powi(64)));
    if counts_fit && rates_fit {
        Ok(())
    } else {
        let horizon = horizon.name();
        Err(EstimatesError::OutOfRange { horizon })
    }
}

/// Whether it is a number from zero to `most`, and zero without a sign.
fn is_sum(value: f64, most: f64) -> bool {
    value.is_sign_positive() && value <= most
}

fn check_agreement(averages: &Averages, horizon: FeeHorizon) -> Result<(), EstimatesError> {
    let agrees = (0..COUNT).all(|bucket| bucket_agrees(averages, horizon, bucket));
    if agrees {
        Ok(())
    } else {
        let horizon = horizon.name();
        Err(EstimatesError::Contradiction { horizon })
    }
}

fn bucket_agrees(averages: &Averages, horizon: FeeHorizon, bucket: usize) -> bool {
    let count = averages.confirmed[bucket];
    let column = |table: &'_ [f64]| -> Vec<f64> {
        (0..horizon.periods())
            .map(|period| table[period * COUNT + bucket])
            .collect()
    };
    let (within, left) = (column(&averages.within), column(&averages.left));
    // Who is confirmed within a time is so within any longer one, and who left after a time did so
    // after any shorter one.
    let within_rises = within.is_sorted() && within.last().is_none_or(|last| *last <= count);
    let left_falls = left.is_sorted_by(|earlier, later| earlier >= later);
    let rates = averages.rate_sums[bucket];
    let lowest = lower_end(bucket) * count * (1.0 - ROUNDING);
    let highest = upper_end(bucket) * count * (1.0 + ROUNDING);
    within_rises && left_falls && (lowest..=highest).contains(&rates)
}

/// Bytes that are left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}
