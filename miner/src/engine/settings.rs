//! What a user chooses about mining.

use crate::MinerError;

/// The most threads that the miner runs.
pub const MAX_THREADS: usize = 1_024;

/// How hard to mine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinerSettings {
    /// Threads, each of which is a device: 1 to [`MAX_THREADS`].
    pub threads: usize,
    /// The share of the time in which each thread works: 1 to 100.
    pub intensity_percent: u8,
}

impl Default for MinerSettings {
    /// One thread, all the time.
    fn default() -> Self {
        Self {
            threads: 1,
            intensity_percent: 100,
        }
    }
}

impl MinerSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`MinerError::NoThreads`], [`MinerError::TooManyThreads`] or
    /// [`MinerError::IntensityOutOfRange`].
    pub fn check(&self) -> Result<(), MinerError> {
        match self {
            Self { threads: 0, .. } => Err(MinerError::NoThreads),
            Self { threads, .. } if *threads > MAX_THREADS => Err(MinerError::TooManyThreads {
                threads: *threads,
                max: MAX_THREADS,
            }),
            Self {
                intensity_percent, ..
            } if !(1..=100).contains(intensity_percent) => Err(MinerError::IntensityOutOfRange {
                intensity_percent: *intensity_percent,
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(threads: usize, intensity_percent: u8) -> Result<(), MinerError> {
        MinerSettings {
            threads,
            intensity_percent,
        }
        .check()
    }

    #[test]
    fn accepts_the_ends_of_the_ranges() {
        assert!(check(1, 1).is_ok());
        assert!(check(1_024, 100).is_ok());
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        assert!(matches!(check(0, 50), Err(MinerError::NoThreads)));
        assert!(matches!(
            check(1_025, 50),
            Err(MinerError::TooManyThreads {
                threads: 1_025,
                max: 1_024
            })
        ));
        for intensity in [0, 101, 255] {
            let error = check(1, intensity).unwrap_err();
            assert!(matches!(
                error,
                MinerError::IntensityOutOfRange { intensity_percent } if intensity_percent == intensity
            ));
        }
    }
}
