//! The conversation with one server, on a thread of its own: asks for a template, then waits for the next by long
//! polling, and goes on trying when it fails.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pyrite_rpc::ClientError;
use serde_json::{Value, json};

use super::backoff::Backoff;
use super::offer::Offer;
use super::remote_work::RemoteWork;
use super::server::ANSWER_WITHIN;
use super::trouble::Trouble;

/// How long to wait for a change before asking anew: a server that is gone without a word is noticed so.
const LONG_POLL: Duration = Duration::from_secs(60);

/// How often to ask a server that knows no long polling.
const POLL_EVERY: Duration = Duration::from_secs(5);

/// Answers that come faster than this one after the other are waited for.
const BREATH: Duration = Duration::from_millis(50);

/// How many answers may do so before.
const BURST: u32 = 20;

/// What the client can do (BIP-0023).
const CAPABILITIES: [&str; 3] = ["coinbasevalue", "longpoll", "workid"];

/// The link to one server.
pub(super) struct Link {
    work: Arc<RemoteWork>,
    index: usize,
    long_poll_id: Option<String>,
    is_address_checked: bool,
    /// Answers in a row that came at once.
    burst: u32,
}

impl Link {
    pub(super) fn new(work: Arc<RemoteWork>, index: usize) -> Self {
        Self {
            work,
            index,
            long_poll_id: None,
            is_address_checked: false,
            burst: 0,
        }
    }

    /// Runs until the end.
    pub(super) fn run(mut self) {
        let mut backoff = Backoff::new();
        while !self.work.stop.is_stopping() {
            let started = Instant::now();
            match self.fetch() {
                Ok(()) => {
                    backoff.reset();
                    self.rest(started.elapsed());
                }
                Err(trouble) => {
                    self.long_poll_id = None;
                    self.is_address_checked = false;
                    self.work.note_trouble(self.index, trouble);
                    self.work.stop.wait(backoff.delay());
                }
            }
        }
    }

    /// Waits where the server does not let us wait.
    fn rest(&mut self, took: Duration) {
        if self.long_poll_id.is_none() {
            self.work.stop.wait(POLL_EVERY);
            return;
        }
        if took >= BREATH {
            self.burst = 0;
            return;
        }
        self.burst += 1;
        if self.burst > BURST {
            self.work.stop.wait(BREATH);
        }
    }

    /// Asks once, and waits for the answer.
    fn fetch(&mut self) -> Result<(), Trouble> {
        if !self.is_address_checked {
            self.check_address()?;
            self.is_address_checked = true;
        }
        let answer = match self.ask(self.long_poll_id.clone()) {
            // Nothing changed. Whether the server is still there, the next question shows.
            Err(error) if error.is_timeout() && self.long_poll_id.is_some() => self.ask(None)?,
            answer => answer?,
        };
        let offer = Offer::read(answer, &self.work.payout)?;
        self.long_poll_id.clone_from(&offer.long_poll_id);
        self.work.take_offer(self.index, offer, unix_time());
        Ok(())
    }

    fn ask(&self, long_poll_id: Option<String>) -> Result<Value, ClientError> {
        let mut request = json!({ "rules": ["segwit"], "capabilities": CAPABILITIES });
        let mut timeout = ANSWER_WITHIN;
        if let Some(id) = long_poll_id {
            request["longpollid"] = id.into();
            timeout = LONG_POLL;
        }
        let client = &self.work.servers[self.index].client;
        client.call_within(timeout, "getblocktemplate", json!([request]))
    }

    /// Blocks must pay somebody on the server's chain: the server is asked whether the address is one.
    fn check_address(&self) -> Result<(), Trouble> {
        let client = &self.work.servers[self.index].client;
        let address = &self.work.address;
        let answer = client.call("validateaddress", json!([address]))?;
        if answer.get("isvalid") != Some(&Value::Bool(true)) {
            return Err(Trouble::lasting(format!(
                "{address} is not an address of the node's chain"
            )));
        }
        let script = answer.get("scriptPubKey").and_then(Value::as_str);
        if script != Some(self.work.payout.to_hex_string().as_str()) {
            return Err(Trouble::lasting(format!(
                "the node takes {address} for another script than it is"
            )));
        }
        Ok(())
    }
}

/// Our clock.
pub(super) fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
