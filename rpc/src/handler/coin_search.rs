//! `scantxoutset`: one search through all coins at a time, with its progress, until it is aborted.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use pyrite_chain::{CoinScan, ScanEnd};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{OutPoint, ScriptBuf};
use pyrite_consensus::{Coin, HeaderChain};
use serde_json::{Value, json};

use super::Handler;
use super::place::confirmations_of;
use crate::call::{CallError, CallResult};
use crate::error::stopping;
use crate::json::Btc;
use crate::scan::{check_total, read_scan_object};
use crate::work_end::WorkEnd;

/// How often a search looks whether it shall end, and tells its progress, in coins.
const LOOK_EVERY: u64 = 256;

/// The search that is under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct CoinSearch {
    is_running: AtomicBool,
    is_aborted: AtomicBool,
    progress_percent: AtomicU8,
}

/// The right to be the search that is under way.
struct Turn<'a>(&'a CoinSearch);

impl CoinSearch {
    /// Begins a search; `None` when there is one.
    fn begin(&self) -> Option<Turn<'_>> {
        if self.is_running.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.is_aborted.store(false, Ordering::Relaxed);
        self.progress_percent.store(0, Ordering::Relaxed);
        Some(Turn(self))
    }

    fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Acquire)
    }

    /// How far the search is, in percent.
    fn status(&self) -> Value {
        if !self.is_running() {
            return Value::Null;
        }
        json!({ "progress": self.progress_percent.load(Ordering::Relaxed) })
    }

    /// Aborts the search; whether there is one.
    fn abort(&self) -> bool {
        let is_running = self.is_running();
        if is_running {
            self.is_aborted.store(true, Ordering::Relaxed);
        }
        is_running
    }
}

impl Turn<'_> {
    /// Tells how far the search is: ids are spread evenly, so the first two bytes of one say it.
    fn report(&self, outpoint: &OutPoint) {
        let [first, second, ..] = outpoint.txid.to_byte_array();
        let part = f64::from(u16::from_be_bytes([first, second])) / 65_536.0;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 100"
        )]
        let percent = (part * 100.0 + 0.5) as u8;
        self.0.progress_percent.store(percent, Ordering::Relaxed);
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

/// What a search found.
struct Findings {
    scan: CoinScan,
    /// Coins that it looked at.
    looked_at: u64,
    /// Those with one of the scripts, in the order of the search.
    coins: Vec<(OutPoint, Coin)>,
}

impl Handler {
    /// `scantxoutset`.
    pub(super) fn search_coins(
        &self,
        action: &str,
        objects: Option<Vec<Value>>,
        end: &WorkEnd,
    ) -> CallResult<Value> {
        match action {
            "status" => Ok(self.coin_search.status()),
            "abort" => Ok(self.coin_search.abort().into()),
            "start" => {
                let turn = self.coin_search.begin().ok_or_else(|| {
                    CallError::invalid_parameter(
                        "Scan already in progress, use action \"abort\" or \"status\"",
                    )
                })?;
                let objects = objects.ok_or_else(|| {
                    CallError::misc("scanobjects argument is required for the start action")
                })?;
                let descriptors = self.scripts_of(&objects)?;
                let findings = self.find_scripts(&turn, &descriptors, end)?;
                Ok(self.findings_json(&findings, &descriptors))
            }
            _ => Err(CallError::invalid_parameter(format!(
                "Invalid action '{action}'"
            ))),
        }
    }

    /// The scripts of scan objects, and what each is called.
    fn scripts_of(&self, objects: &[Value]) -> CallResult<HashMap<ScriptBuf, String>> {
        let addresses = self.context.spec.address_kind;
        let mut descriptors = HashMap::new();
        for object in objects {
            for needle in read_scan_object(object, addresses, &self.stop)? {
                descriptors
                    .entry(needle.script)
                    .or_insert(needle.descriptor);
            }
            check_total(descriptors.len())?;
        }
        Ok(descriptors)
    }

    fn find_scripts(
        &self,
        turn: &Turn<'_>,
        descriptors: &HashMap<ScriptBuf, String>,
        end: &WorkEnd,
    ) -> CallResult<Findings> {
        let is_over = || end.is_asked_for() || self.stop.is_stopping();
        let mut looked_at = 0_u64;
        let mut coins = Vec::new();
        let scan = self.context.chain.scan_coins(|outpoint, coin| {
            looked_at += 1;
            if looked_at.is_multiple_of(LOOK_EVERY) {
                turn.report(outpoint);
                if turn.is_aborted() || is_over() {
                    return ControlFlow::Break(());
                }
            }
            if descriptors.contains_key(&coin.output.script_pubkey) {
                coins.push((*outpoint, coin.clone()));
            }
            ControlFlow::Continue(())
        })?;
        if is_over() {
            return Err(stopping());
        }
        Ok(Findings {
            scan,
            looked_at,
            coins,
        })
    }

    fn findings_json(
        &self,
        findings: &Findings,
        descriptors: &HashMap<ScriptBuf, String>,
    ) -> Value {
        let tip = &findings.scan.tip;
        let chain = self.context.reader.header_chain(&tip.hash);
        let mut total_sat = 0_u64;
        let mut unspents = Vec::with_capacity(findings.coins.len());
        for (outpoint, coin) in &findings.coins {
            let script = &coin.output.script_pubkey;
            let block = chain
                .as_ref()
                .map(|chain| chain.header(coin.height).block_hash());
            total_sat = total_sat.saturating_add(coin.output.value.to_sat());
            unspents.push(json!({
                "txid": outpoint.txid.to_string(),
                "vout": outpoint.vout,
                "scriptPubKey": hex::encode(script.as_bytes()),
                "desc": descriptors.get(script),
                "amount": Btc::from(coin.output.value),
                "coinbase": coin.is_coinbase,
                "height": coin.height.0,
                "blockhash": block.map(|hash| hash.to_string()),
                "confirmations": confirmations_of(coin.height, tip.height),
            }));
        }
        json!({
            "success": findings.scan.end == ScanEnd::Whole,
            "txouts": findings.looked_at,
            "height": tip.height.0,
            "bestblock": tip.hash.to_string(),
            "unspents": unspents,
            "total_amount": Btc::from_sat(total_sat),
        })
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Txid;

    use super::*;

    #[test]
    fn one_search_runs_at_a_time() {
        let search = CoinSearch::default();
        assert_eq!(search.status(), Value::Null);
        assert!(!search.abort());
        let turn = search.begin().unwrap();
        assert!(search.begin().is_none());
        assert_eq!(search.status(), json!({ "progress": 0 }));
        assert!(!turn.is_aborted());
        assert!(search.abort());
        assert!(turn.is_aborted());
        drop(turn);
        assert_eq!(search.status(), Value::Null);
        assert!(!search.begin().unwrap().is_aborted());
    }

    #[test]
    fn progress_is_the_part_of_all_ids_that_lies_behind() {
        let search = CoinSearch::default();
        let turn = search.begin().unwrap();
        for (first, percent) in [(0_u8, 0), (0x80, 50), (0xff, 100)] {
            let mut txid = [0; 32];
            txid[..2].fill(first);
            turn.report(&OutPoint {
                txid: Txid::from_byte_array(txid),
                vout: 0,
            });
            assert_eq!(search.status(), json!({ "progress": percent }));
        }
    }
}
