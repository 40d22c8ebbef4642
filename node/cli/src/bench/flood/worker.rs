//! A connection of the flood: it sends one payment after the other, good ones and bad ones.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{OutPoint, ScriptBuf, Transaction, Txid};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::lanes::{Lane, LaneCoin, MAX_CHAIN, PAYMENT_VSIZE, payment};
use super::shared::Shared;
use crate::bench::load::{Answer, Connection, Endpoint, Latencies, Payer, post};

/// The lowest fee rate that nodes relay.
const MIN_RELAY_SAT_PER_KVB: u64 = 100;
/// Fee rates are spread so far above the lowest that is taken.
const SPREAD_SAT_PER_KVB: u64 = 2_000;
/// What a replacement pays more, in satoshi: enough for its own relay.
const REPLACEMENT_SAT: std::ops::Range<u64> = 20..400;
/// Reasons of refusal that are told apart.
const MAX_REASONS: usize = 64;

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The next payment of a lane.
    Next,
    /// The last payment of a lane again, with a higher fee.
    Replacement,
    /// The same with a fee that is not high enough.
    PoorReplacement,
    /// One whose fee the mempool doesn't take, when it is full.
    Poor,
    /// One whose signature is wrong.
    WrongSignature,
    /// One that spends what does not exist.
    NoCoin,
}

/// What one connection saw.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) accepted: u64,
    /// By the reason.
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) latencies: Latencies,
}

/// A connection of the flood.
pub(super) struct Worker<'a> {
    connection: Connection,
    endpoint: &'a Endpoint,
    payer: &'a Payer,
    script: ScriptBuf,
    shared: &'a Shared,
    lanes: Vec<Lane>,
    random: StdRng,
    sent: Sent,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        endpoint: &'a Endpoint,
        payer: &'a Payer,
        shared: &'a Shared,
        lanes: Vec<Lane>,
        seed: u64,
    ) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(endpoint)?,
            endpoint,
            payer,
            script: payer.script(),
            shared,
            lanes,
            random: StdRng::seed_from_u64(seed),
            sent: Sent::default(),
        })
    }

    /// Sends until the flood is over.
    pub(super) fn run(mut self) -> Result<Sent> {
        loop {
            for index in 0..self.lanes.len() {
                if self.shared.is_over() {
                    return Ok(self.sent);
                }
                let mut lane = self.lanes[index];
                self.serve(&mut lane)?;
                self.lanes[index] = lane;
            }
            // Should all lanes wait for a block, asking on and on would be no flood of payments.
            if self.lanes.iter().all(Lane::is_full) {
                self.shared.wait(std::time::Duration::from_millis(100));
            }
        }
    }

    /// Sends a few payments of a lane.
    fn serve(&mut self, lane: &mut Lane) -> Result<()> {
        if lane.is_full() {
            self.look_after(lane)?;
        }
        for _ in 0..self.random.gen_range(1..=MAX_CHAIN) {
            if lane.is_full() {
                break;
            }
            self.send(lane)?;
        }
        Ok(())
    }

    /// Sends one payment.
    fn send(&mut self, lane: &mut Lane) -> Result<()> {
        let kind = self.kind(lane);
        let coins = lane.coins(self.payer, &self.script);
        let after = match kind {
            Kind::Replacement | Kind::PoorReplacement => lane.len() - 1,
            _ => lane.len(),
        };
        let fee_sat = self.fee_sat(kind, lane);
        let Some(payment) = self.signed(kind, coins[after], fee_sat) else {
            return Ok(());
        };
        let request = send_request(self.endpoint, &payment);
        let start = Instant::now();
        let answer = self.connection.send(&request)?;
        self.sent.latencies.add(start.elapsed());
        let answer: Answer<Txid> = serde_json::from_slice(answer).context("an answer")?;
        match (answer.result, answer.error) {
            (Some(txid), _) => {
                self.sent.accepted += 1;
                self.shared.note_accepted(txid);
                lane.taken(after, fee_sat);
            }
            (None, error) => {
                let reason = error.map_or_else(String::new, |error| error.message);
                let is_gone = reason.contains("missing") && kind != Kind::NoCoin;
                self.note_refused(&reason);
                if is_gone {
                    self.look_after(lane)?;
                }
            }
        }
        Ok(())
    }

    fn kind(&mut self, lane: &Lane) -> Kind {
        let kind = match self.random.gen_range(0..100) {
            0..2 => Kind::WrongSignature,
            2..3 => Kind::NoCoin,
            3..8 => Kind::Poor,
            8..13 => Kind::Replacement,
            13..15 => Kind::PoorReplacement,
            _ => Kind::Next,
        };
        match kind {
            Kind::Replacement | Kind::PoorReplacement if lane.len() == 0 => Kind::Next,
            kind => kind,
        }
    }

    fn fee_sat(&mut self, kind: Kind, lane: &Lane) -> u64 {
        let least = self.shared.min_fee_sat_per_kvb().max(MIN_RELAY_SAT_PER_KVB);
        let more = self.random.gen_range(0..SPREAD_SAT_PER_KVB);
        let fee = |rate: u64| (rate * PAYMENT_VSIZE).div_ceil(1_000);
        match (kind, lane.last_fee_sat()) {
            (Kind::Poor, _) => fee(self.random.gen_range(least / 2..least)),
            (Kind::Replacement, Some(last)) => {
                last.max(fee(least)) + self.random.gen_range(REPLACEMENT_SAT)
            }
            (Kind::PoorReplacement, Some(last)) => last + 1,
            _ => fee(least + more),
        }
    }

    /// A payment of a kind; `None` when its coin is worth too little.
    fn signed(&mut self, kind: Kind, coin: LaneCoin, fee_sat: u64) -> Option<Transaction> {
        let mut coin = coin;
        if kind == Kind::NoCoin {
            let number: [u8; 4] = self.random.r#gen();
            coin.outpoint = OutPoint {
                vout: u32::from_le_bytes(number) | 1 << 31,
                ..coin.outpoint
            };
        }
        let mut payment = payment(self.payer, &self.script, coin, fee_sat)?;
        self.payer.sign(&mut payment, coin.value);
        if kind == Kind::WrongSignature {
            // Still well formed: it signs another fee.
            payment.output[1].value -= pyrite_consensus::bitcoin::Amount::ONE_SAT;
        }
        Some(payment)
    }

    /// Finds out which payments of a lane are still there, and which a block has.
    fn look_after(&mut self, lane: &mut Lane) -> Result<()> {
        let coins = lane.coins(self.payer, &self.script);
        let calls: Vec<String> = coins.iter().map(coin_request).collect();
        let answers = self
            .connection
            .call_batch(&format!("[{}]", calls.join(",")))?;
        let newest = answers
            .iter()
            .zip(&coins)
            .enumerate()
            .filter_map(|(index, (answer, coin))| Some((index, answer.result.as_ref()?, coin)))
            .next_back();
        // None at all: a block came in between, and the next look will find it.
        if let Some((index, answer, coin)) = newest {
            if answer["confirmations"].as_u64() > Some(0) {
                lane.begin_with(*coin);
            } else {
                lane.cut_to(index);
            }
        }
        Ok(())
    }

    /// Counts a refusal by its reason, details aside.
    fn note_refused(&mut self, reason: &str) {
        let reason = reason.split([',', ':']).next().unwrap_or_default();
        let reasons = &mut self.sent.refused;
        let known = reasons.contains_key(reason) || reasons.len() < MAX_REASONS;
        let reason = if known { reason } else { "others" };
        *reasons.entry(reason.to_owned()).or_default() += 1;
    }
}

fn send_request(endpoint: &Endpoint, payment: &Transaction) -> Vec<u8> {
    let hex = serialize_hex(payment);
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"sendrawtransaction","params":["{hex}"]}}"#);
    post(endpoint, &body)
}

fn coin_request(coin: &LaneCoin) -> String {
    let OutPoint { txid, vout } = coin.outpoint;
    let params = Value::from(vec![
        Value::from(txid.to_string()),
        Value::from(vout),
        Value::from(true),
    ]);
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"gettxout","params":{params}}}"#)
}
