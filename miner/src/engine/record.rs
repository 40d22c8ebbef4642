//! What is known of a device during a run.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::DeviceKind;
use super::lock::lock;
use super::status::{DeviceState, DeviceStatus};
use crate::device::error_window::{ERROR_WINDOW, ErrorWindow};
use crate::{DeviceError, HashMeter};

/// What became of a solved block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Accepted,
    Stale,
    Rejected,
}

pub(super) struct DeviceRecord {
    name: String,
    kind: DeviceKind,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    meter: HashMeter,
    /// What hashes in it; `None` until it is open.
    kernel: Option<String>,
    found: u64,
    accepted: u64,
    stale: u64,
    rejected: u64,
    false_nonces: u64,
    errors: ErrorWindow,
    failure: Option<String>,
}

impl DeviceRecord {
    pub(super) fn new(name: &str, kind: DeviceKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            account: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// Counts hashes that `kernel` did just before `at`.
    pub(super) fn record(&self, at: Duration, hashes: u64, kernel: &str) {
        let mut account = lock(&self.account);
        account.meter.record(at, hashes);
        if account.kernel.as_deref() != Some(kernel) {
            account.kernel = Some(kernel.to_owned());
        }
    }

    /// The device is open.
    pub(super) fn open(&self, kernel: &str) {
        lock(&self.account).kernel = Some(kernel.to_owned());
    }

    /// Counts a solved block.
    pub(super) fn record_block(&self, fate: Fate) {
        let mut account = lock(&self.account);
        account.found += 1;
        account.errors.note_good(1);
        match fate {
            Fate::Accepted => account.accepted += 1,
            Fate::Stale => account.stale += 1,
            Fate::Rejected => account.rejected += 1,
        }
    }

    /// Counts a nonce that solves nothing; too many of them among the last results are an error.
    pub(super) fn record_false_nonce(&self, now: Instant) -> Result<(), DeviceError> {
        let mut account = lock(&self.account);
        account.note_error(now, &self.name);
        if !account.errors.is_over(now) {
            return Ok(());
        }
        Err(DeviceError::FalseNonces {
            errors: account.errors.recent(now),
            results: ERROR_WINDOW.min(account.errors.results()),
        })
    }

    /// Counts results that the device checked by itself.
    pub(super) fn record_results(&self, good: u64, errors: u64, now: Instant) {
        let mut account = lock(&self.account);
        for _ in 0..errors {
            account.note_error(now, &self.name);
        }
        account.errors.note_good(good);
    }

    pub(super) fn fail(&self, reason: String) {
        tracing::error!(device = %self.name, %reason, "mining device failed");
        lock(&self.account).failure = Some(reason);
    }

    pub(super) fn has_failed(&self) -> bool {
        lock(&self.account).failure.is_some()
    }

    pub(super) fn status(&self, elapsed: Duration, idle_state: &DeviceState) -> DeviceStatus {
        let account = lock(&self.account);
        let state = match (&account.failure, &account.kernel) {
            (Some(reason), _) => DeviceState::Failed {
                reason: reason.clone(),
            },
            (None, None) => DeviceState::Opening,
            (None, Some(_)) => idle_state.clone(),
        };
        DeviceStatus {
            name: self.name.clone(),
            kind: self.kind,
            kernel: account.kernel.clone(),
            state,
            hash_rates: account.meter.rates(elapsed),
            hashes: account.meter.total(),
            blocks_found: account.found,
            blocks_accepted: account.accepted,
            blocks_stale: account.stale,
            blocks_rejected: account.rejected,
            false_nonces: account.false_nonces,
            recent_errors: account.errors.recent(Instant::now()),
            results: account.errors.results(),
        }
    }
}

impl Account {
    fn note_error(&mut self, now: Instant, device: &str) {
        self.false_nonces += 1;
        self.errors.note_error(now);
        // One line says it; the status has the count.
        if self.false_nonces == 1 {
            tracing::warn!(device, "the device reported a false nonce");
        }
    }
}
