//! What can go wrong in the miner and its devices, and what a work source may answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pyrite_consensus::bitcoin::{Amount, CompactTarget};

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
    /// There is no device of that name.
    #[error(
        "{name} is not a device: devices are cpu, opencl, and opencl0 and so on for one of them"
    )]
    UnknownDevice {
        /// What was asked for.
        name: String,
    },
    /// No device was chosen.
    #[error("mining needs at least one device")]
    NoDevices,
    /// This processor has no kernel of that name.
    #[error("{name} is not a kernel of this processor: it has {known}")]
    UnknownKernel {
        /// What was asked for.
        name: String,
        /// The kernels that it can run.
        known: String,
    },
    /// A list of cores can't be read.
    #[error("{text} is not a list of cores such as 0,2-3, nor auto, nor off")]
    BadCores {
        /// What was given.
        text: String,
    },
    /// A core is not there, or not for this process.
    #[error("core {core} is not there: this process may use {available}")]
    NoSuchCore {
        /// What was asked for.
        core: usize,
        /// The cores that there are.
        available: String,
    },
    /// A limit is not in the range that makes sense.
    #[error("a limit of {value}{unit} for the {what} is out of range, it must be 1 to {max}")]
    LimitOutOfRange {
        /// What is limited.
        what: &'static str,
        /// The unit, as it follows the number.
        unit: &'static str,
        /// What was asked for.
        value: u32,
        /// The most.
        max: u32,
    },
    /// The system refused a thread.
    #[error("cannot start a mining thread: {source}")]
    Spawn {
        /// What the system said.
        #[from]
        source: io::Error,
    },
    /// It was stopped before it had started.
    #[error("mining was stopped before it had started")]
    Stopped,
    /// The miner was shut down for good.
    #[error("the miner was shut down")]
    ShutDown,
}

/// Why a device can't mine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// OpenCL, or a device of it, failed.
    #[error(transparent)]
    OpenCl(#[from] GpuError),
    /// OpenCL has no device of this number.
    #[error("OpenCL's devices here are {count}, counted from 0")]
    NoSuchNumber {
        /// How many there are.
        count: usize,
    },
    /// OpenCL has no device.
    #[error("OpenCL has no device here")]
    NoOpenClDevice,
    /// OpenCL has no device but the processor, which mines already.
    #[error(
        "OpenCL has nothing here but the processor, which mines by itself: name its device, such as opencl0, to mine on both"
    )]
    ProcessorAlone,
    /// Too much of what it reports is wrong.
    #[error("{errors} of its last {results} results solve nothing")]
    FalseNonces {
        /// How many solve nothing.
        errors: usize,
        /// Of how many.
        results: u64,
    },
    /// The system refused a thread to open it.
    #[error("cannot start a thread to open it: {reason}")]
    Thread {
        /// What the system said.
        reason: String,
    },
    /// It is broken, in its own words: for devices of programs that bring their own.
    #[error("the device failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

/// Why a thread has not the place or the priority that it should have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AffinityError {
    /// There is no way to ask for it.
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has a way"))]
    #[error("not on this system")]
    Unsupported,
    /// The system refused.
    #[error("the system refuses: {reason}")]
    Refused {
        /// In its words.
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

/// Why no valid block can come of a template that another node offers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// No hash can meet the target.
    #[error("bits {bits:x} stand for no target")]
    NoTarget {
        /// The header's bits.
        bits: CompactTarget,
    },
    /// The latest time is before the earliest.
    #[error("maxtime is before mintime")]
    NoTime,
    /// The coinbase pays less than the fees, or more than all coins.
    #[error("coinbasevalue {coinbase_value} does not fit the fees, or is more than there can be")]
    Value {
        /// What it is to pay.
        coinbase_value: Amount,
    },
    /// The commitment to the witnesses is not that of the transactions, or is missing.
    #[error("default_witness_commitment does not fit the transactions")]
    Commitment,
    /// A transaction spends one that comes after it.
    #[error("transaction {position} depends on a later one")]
    Order {
        /// Its place, from 0.
        position: usize,
    },
    /// Not even the coinbase fits.
    #[error("the limits leave no room for the coinbase")]
    NoRoom,
}

/// Why OpenCL can't be used, or a device of it not any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// The library is not on this machine.
    #[error(
        "no OpenCL library (libOpenCL.so.1): install the graphics card's driver, or PoCL for the processor"
    )]
    NoLibrary,
    /// A call failed.
    #[error("{device}: {call} failed: {reason}")]
    Call {
        /// The device, or `OpenCL` where it is not about one.
        device: String,
        /// The function, as OpenCL names it.
        call: &'static str,
        /// What OpenCL said.
        reason: String,
    },
    /// The kernel was not compiled.
    #[error("{device}: cannot build the kernel {tuning}: {log}")]
    Build {
        /// The device.
        device: String,
        /// How it was to be built.
        tuning: String,
        /// What the compiler said.
        log: String,
    },
    /// The driver does not answer.
    #[error("{device}: no answer from the driver for {waited_s} s")]
    Hangs {
        /// The device.
        device: String,
        /// How long it was waited for.
        waited_s: u64,
    },
    /// The driver's thread ended.
    #[error("{device}: the driver broke down")]
    Gone {
        /// The device.
        device: String,
    },
    /// A result is not what the processor gets.
    #[error("{device}: wrong result for nonce {nonce}: {what}")]
    WrongResult {
        /// The device.
        device: String,
        /// The nonce.
        nonce: u32,
        /// What is wrong.
        what: &'static str,
    },
    /// Too many of its results are wrong.
    #[error(
        "{device}: {errors} of its last {results} results are wrong, the latest for nonce {nonce}: {what}"
    )]
    TooManyErrors {
        /// The device.
        device: String,
        /// How many are wrong.
        errors: usize,
        /// Of how many.
        results: u64,
        /// The nonce of the latest.
        nonce: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It finds nothing where there is certainly something.
    #[error("{device}: found nothing in {hashes} hashes, where there were some to find")]
    FindsNothing {
        /// The device.
        device: String,
        /// Of how many hashes it was told to look at.
        hashes: u64,
    },
    /// The system refused a thread.
    #[error("cannot start a thread for OpenCL: {reason}")]
    Thread {
        /// What the system said.
        reason: String,
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
