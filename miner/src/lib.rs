//! The miner: block templates, and the engine that searches them for proof of work.
//!
//! `template` assembles blocks from candidate transactions and is pure. `engine` runs one thread per
//! device, feeds it jobs made from the newest template of a [`WorkSource`], and hands found blocks
//! back to it. The crate knows the rules alone: the node wires it to the chain and the mempool.

pub mod device;
mod engine;
mod error;
mod hash_rate;
mod job;
mod ledger;
mod schedule;
mod sensors;
mod solve;
pub mod template;
#[cfg(test)]
mod test_chain;
mod work_source;

pub use device::{
    Cancel, CpuDevice, GpuInfo, KernelChoice, MiningDevice, OpenClDevice, SearchOutcome,
    SideResults, Solution,
};
pub use engine::{
    CoreList, DeviceFactory, DeviceKind, DeviceName, DeviceSelection, DeviceState, DeviceStatus,
    HoldBack, LatencySummary, MAX_THREADS, MinerHandle, MinerParts, MinerSettings, MinerStatus,
    MiningLimits, OnBattery, OpenDevice, Pinning, PlannedDevice, RangeLog, SearchedRange,
    UnixClock,
};
pub use error::{
    DeviceError, GpuError, LedgerError, MinerError, OfferError, ScheduleError, WorkError,
};
pub use hash_rate::{HashMeter, HashRates, Window};
pub use job::{Job, PreparedHeader};
pub use ledger::{
    Finder, FoundBlock, Ledger, LedgerEntry, LedgerReader, MinerReading, MiningSpan, SpanMeter,
};
pub use schedule::{BlockSchedule, BlockTiming};
pub use sensors::{SensorReadings, Sensors};
pub use solve::solve;
pub use template::{
    Candidate, CandidateChunk, Extranonce, OfferedTransaction, Template, TemplateOffer,
    TemplateOptions, TemplateTip, TemplateTransaction, build_template, build_template_with,
};
pub use work_source::WorkSource;
