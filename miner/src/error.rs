//! What can go wrong in the miner and its devices, and what a work source may answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the miner does not start.
#[derive(Debug, thiserror::Error)]
pub enum MinerError {
    /// Zero threads were asked for.
    #[error("mining needs at least one thread")]
    NoThreads,
    /// More threads than the miner runs were asked for.
    #[error("{threads} mining threads are too many, at most {max} are allowed")]
    TooManyThreads {
        /// How many were asked for.
        threads: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The duty cycle is not a percentage from 1 to 100.
    #[error("a mining intensity of {intensity_percent}% is out of range, it must be 1 to 100")]
    IntensityOutOfRange {
        /// What was asked for.
        intensity_percent: u8,
    },
    /// The system refused a thread.
    #[error("cannot start a mining thread: {source}")]
    Spawn {
        /// What the system said.
        #[from]
        source: io::Error,
    },
    /// The miner was shut down for good.
    #[error("the miner was shut down")]
    ShutDown,
}

/// Why a device can't mine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// It, or what drives it, failed.
    #[error("the device failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

/// Why a work source gives no template or does not take a block.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// There is no template at the moment.
    #[error("no block template: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The block breaks a rule.
    #[error("block refused: {reason}")]
    Rejected {
        /// The reject reason, in Bitcoin's words where there are some.
        reason: String,
    },
    /// The block is valid and came too late: another one stands in its place on the best chain.
    #[error("block is stale")]
    Stale,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
    /// The machine failed (disk, database); says nothing about the block.
    #[error("cannot store the block: {source}")]
    Machine {
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What can go wrong with the accounts of mining.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file, or its directory, can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}: line {line}: {detail}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
}

/// Why a chain has no blocks by the clock.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// The time between two blocks.
    #[error("a block every {every:?} is out of range, it must be from 200ms to 24h")]
    OutOfRange {
        /// What was asked for.
        every: Duration,
    },
    /// No thread is sure to solve blocks in time.
    #[error(
        "a block every {every:?} can't be kept: even the easiest block of chain {chain} takes {hashes:.0} hashes"
    )]
    TooHard {
        /// The chain.
        chain: String,
        /// What its easiest block takes.
        hashes: f64,
        /// What was asked for.
        every: Duration,
    },
    /// The difficulty would rise until blocks come as slowly as the chain wants them.
    #[error(
        "a block every {every:?} can't be kept: chain {chain} wants one every {spacing:?}, and its difficulty would rise \
         until they come no faster; a chain of fixed difficulty, such as regtest, has them at any speed"
    )]
    TooFast {
        /// The chain.
        chain: String,
        /// What was asked for.
        every: Duration,
        /// What the chain wants.
        spacing: Duration,
    },
}
