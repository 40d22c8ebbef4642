//! `scanblocks`: one search through the compact filters at a time, with its progress, until it is aborted.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use pyrite_chain::BranchView;
use pyrite_consensus::bitcoin::{BlockHash, ScriptBuf};
use pyrite_consensus::{HeaderChain, Height};
use pyrite_index::filter_matches;
use serde_json::{Value, json};

use super::Handler;
use crate::call::{CallError, CallResult};
use crate::error::stopping;
use crate::params::{self, Member, Presence, strict_object};
use crate::scan::{check_total, read_scan_object};
use crate::work_end::WorkEnd;

/// The options.
const OPTIONS: [Member; 1] = [Member {
    name: "filter_false_positives",
    type_name: "bool",
    need: Presence::Optional,
}];

/// The search that is under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct BlockSearch {
    is_running: AtomicBool,
    is_aborted: AtomicBool,
    progress_percent: AtomicU32,
    height: AtomicU32,
}

/// The right to be the search that is under way.
pub(super) struct Turn<'a>(&'a BlockSearch);

/// What is searched for.
pub(super) struct Request {
    pub(super) objects: Option<Vec<Value>>,
    pub(super) start_height: Option<i64>,
    pub(super) stop_height: Option<i64>,
    pub(super) options: Option<Value>,
    /// What ends the search.
    pub(super) end: WorkEnd,
}

/// Whether blocks that match by chance are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matches {
    All,
    Real,
}

impl BlockSearch {
    /// Begins a search; `None` when there is one.
    pub(super) fn begin(&self) -> Option<Turn<'_>> {
        if self.is_running.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.is_aborted.store(false, Ordering::Relaxed);
        self.progress_percent.store(0, Ordering::Relaxed);
        self.height.store(0, Ordering::Relaxed);
        Some(Turn(self))
    }

    fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Acquire)
    }

    /// How far the search is.
    pub(super) fn status(&self) -> Value {
        if !self.is_running() {
            return Value::Null;
        }
        json!({
            "progress": self.progress_percent.load(Ordering::Relaxed),
            "current_height": self.height.load(Ordering::Relaxed),
        })
    }

    /// Aborts the search; whether there is one.
    pub(super) fn abort(&self) -> bool {
        let is_running = self.is_running();
        if is_running {
            self.is_aborted.store(true, Ordering::Relaxed);
        }
        is_running
    }
}

impl Turn<'_> {
    /// Tells how far the search is.
    fn report(&self, height: u32, heights: &RangeInclusive<u32>) {
        let done = u64::from(height - heights.start());
        let all = u64::from(heights.end() - heights.start()) + 1;
        let percent = u32::try_from(done * 100 / all).unwrap_or(100);
        self.0.progress_percent.store(percent, Ordering::Relaxed);
        self.0.height.store(height, Ordering::Relaxed);
    }

    fn is_aborted(&self) -> bool {
        self.0.is_aborted.load(Ordering::Relaxed)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.is_running.store(false, Ordering::Release);
    }
}

impl Handler {
    /// `scanblocks start`.
    pub(super) fn search_blocks(&self, turn: &Turn<'_>, request: &Request) -> CallResult<Value> {
        let reader = &self.context.reader;
        let tip = reader.tip();
        let chain = reader
            .header_chain(&tip.hash)
            .ok_or_else(|| CallError::misc("the tip is not known"))?;
        let heights = read_heights(request, tip.height.0)?;
        let matches = read_options(request.options.as_ref())?;
        let objects = request.objects.as_ref().ok_or_else(|| {
            CallError::misc("scanobjects argument is required for the start action")
        })?;
        let scripts = self.needles(objects)?;
        self.walk_blocks(turn, &request.end, &chain, heights, &scripts, matches)
    }

    /// The scripts of scan objects.
    fn needles(&self, objects: &[Value]) -> CallResult<HashSet<ScriptBuf>> {
        let addresses = self.context.spec.address_kind;
        let mut scripts = HashSet::new();
        for object in objects {
            let needles = read_scan_object(object, addresses, &self.stop)?;
            scripts.extend(needles.into_iter().map(|needle| needle.script));
            check_total(scripts.len())?;
        }
        Ok(scripts)
    }

    fn walk_blocks(
        &self,
        turn: &Turn<'_>,
        end: &WorkEnd,
        chain: &BranchView,
        heights: RangeInclusive<u32>,
        scripts: &HashSet<ScriptBuf>,
        matches: Matches,
    ) -> CallResult<Value> {
        let mut relevant = Vec::new();
        let mut completed = true;
        let mut to_height = *heights.end();
        for height in heights.clone() {
            turn.report(height, &heights);
            if end.is_asked_for() || self.stop.is_stopping() {
                return Err(stopping());
            }
            if turn.is_aborted() {
                completed = false;
                to_height = height.saturating_sub(1).max(*heights.start());
                break;
            }
            let hash = chain.header(Height(height)).block_hash();
            let filter = self.block_filter(&hash)?;
            let needles = scripts.iter().map(|script| script.as_bytes());
            if filter_matches(&filter.bytes, &hash, needles)?
                && (matches == Matches::All || self.block_has_any(&hash, scripts)?)
            {
                relevant.push(Value::String(hash.to_string()));
            }
        }
        Ok(json!({
            "from_height": heights.start(),
            "to_height": to_height,
            "relevant_blocks": relevant,
            "completed": completed,
        }))
    }

    /// Whether a block creates or spends an output with one of the scripts.
    fn block_has_any(&self, hash: &BlockHash, scripts: &HashSet<ScriptBuf>) -> CallResult<bool> {
        let block = self.block_body(hash)?;
        let mut created = block.txdata.iter().flat_map(|tx| &tx.output);
        if created.any(|output| scripts.contains(&output.script_pubkey)) {
            return Ok(true);
        }
        let spent = self.spent_coins(hash)?.unwrap_or_default();
        Ok(spent
            .iter()
            .any(|coin| scripts.contains(&coin.output.script_pubkey)))
    }
}

fn read_heights(request: &Request, tip: u32) -> CallResult<RangeInclusive<u32>> {
    let read = |height: Option<i64>, default: u32, least: u32, name: &str| match height {
        None => Ok(default),
        Some(height) => u32::try_from(params::int(height)?)
            .ok()
            .filter(|height| (least..=tip).contains(height))
            .ok_or_else(|| CallError::misc(format!("Invalid {name}"))),
    };
    let start = read(request.start_height, 0, 0, "start_height")?;
    let stop = read(request.stop_height, tip, start, "stop_height")?;
    Ok(start..=stop)
}

fn read_options(options: Option<&Value>) -> CallResult<Matches> {
    let value = match options {
        None | Some(Value::Null) => return Ok(Matches::All),
        Some(value) => strict_object(value, &OPTIONS)?.get("filter_false_positives"),
    };
    Ok(if value.and_then(Value::as_bool) == Some(true) {
        Matches::Real
    } else {
        Matches::All
    })
}
