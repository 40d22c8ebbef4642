//! The conversation with one server, on a thread of its own: asks for a template, then waits for the next by long
//! polling, and goes on trying when it fails.
//!
//! A long poll keeps one of the server's threads for RPC, of which Bitcoin Core has few, until something changes, whether or not
//! somebody still waits for it. So there is one at a time, and it is waited for however long that takes; whether the server is still
//! there, short questions tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_rpc::ClientError;
use serde_json::{Value, json};

use super::backoff::Backoff;
use super::offer::Offer;
use super::remote_work::RemoteWork;
use super::server::ANSWER_WITHIN;
use super::trouble::Trouble;

/// How often to ask, while a long poll waits, whether the server is still there.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// How long a long poll waits.
const LONG_POLL: Duration = Duration::from_secs(24 * 3_600);

/// Long polls to a server that may wait, all but one of them because the server was gone without a word. With more it is asked every
/// few seconds.
const MAX_POLLS: usize = 4;

/// How often to ask a server that knows no long polling.
const POLL_EVERY: Duration = Duration::from_secs(5);

/// Answers that come faster than this one after the other are waited for.
const BREATH: Duration = Duration::from_millis(50);

/// How many answers may do so before.
const BURST: u32 = 20;

/// The field of a template that says the tip.
const TIP: &str = "previousblockhash";

/// What the client can do (BIP-0023).
const CAPABILITIES: [&str; 3] = ["coinbasevalue", "longpoll", "workid"];

/// The link to one server.
pub(super) struct Link {
    work: Arc<RemoteWork>,
    index: usize,
    long_poll_id: Option<String>,
    /// The tip of the last template.
    tip: Option<BlockHash>,
    poll: Option<LongPoll>,
    /// Long polls that wait, abandoned ones among them.
    polls: Arc<AtomicUsize>,
    check_every: Duration,
    is_address_checked: bool,
    /// Answers in a row that came at once.
    burst: u32,
}

/// A question that is answered when something changes.
struct LongPoll {
    answer: Receiver<Result<Value, ClientError>>,
    /// The tip that it was asked on.
    tip: Value,
    since: Instant,
}

impl Link {
    pub(super) fn new(work: Arc<RemoteWork>, index: usize) -> Self {
        Self {
            work,
            index,
            long_poll_id: None,
            tip: None,
            poll: None,
            polls: Arc::default(),
            check_every: CHECK_EVERY,
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
                    self.poll = None;
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
        let answer = match self.long_poll_id.clone() {
            Some(id) => self.wait_for_change(id)?,
            None => self.ask()?,
        };
        let offer = Offer::read(answer, &self.work.payout)?;
        self.long_poll_id.clone_from(&offer.long_poll_id);
        self.tip = Some(offer.template.previous);
        self.work.take_offer(self.index, offer, unix_time());
        Ok(())
    }

    /// Waits for the answer of a long poll, or for the time to ask whether the server is still there.
    fn wait_for_change(&mut self, id: String) -> Result<Value, Trouble> {
        if self.poll.is_none() && self.polls.load(Ordering::Acquire) >= MAX_POLLS {
            self.work.stop.wait(POLL_EVERY);
            return Ok(self.ask()?);
        }
        let poll = match self.poll.take() {
            Some(poll) => poll,
            None => self.begin_poll(id)?,
        };
        match poll.answer.recv_timeout(self.check_every) {
            Ok(Ok(answer)) => Ok(answer),
            // What stands between us and the server may end what takes long, which says nothing of the server.
            Ok(Err(error)) => {
                let Ok(answer) = self.ask() else {
                    return Err(error.into());
                };
                if poll.since.elapsed() < POLL_EVERY {
                    self.work.stop.wait(POLL_EVERY);
                }
                Ok(answer)
            }
            Err(RecvTimeoutError::Timeout) => {
                let answer = self.ask()?;
                // On another tip the poll should have been answered: its answer is lost.
                self.poll = Some(poll).filter(|poll| answer.get(TIP) == Some(&poll.tip));
                Ok(answer)
            }
            Err(RecvTimeoutError::Disconnected) => Err(Trouble::passing("a long poll broke off")),
        }
    }

    fn begin_poll(&self, id: String) -> Result<LongPoll, Trouble> {
        let (answers, answer) = sync_channel(1);
        let client = self.work.servers[self.index].client.clone();
        let mut request = request();
        request["longpollid"] = id.into();
        let polls = Arc::clone(&self.polls);
        polls.fetch_add(1, Ordering::AcqRel);
        let poll = move || {
            let answer = client.call_within(LONG_POLL, "getblocktemplate", json!([request]));
            polls.fetch_sub(1, Ordering::AcqRel);
            // Nobody may wait for it any more.
            let _ = answers.send(answer);
        };
        if let Err(error) = thread::Builder::new()
            .name("long-poll".to_owned())
            .spawn(poll)
        {
            self.polls.fetch_sub(1, Ordering::AcqRel);
            return Err(Trouble::passing(format!("can't start a thread: {error}")));
        }
        let tip = self.tip.map_or(Value::Null, |tip| tip.to_string().into());
        Ok(LongPoll {
            answer,
            tip,
            since: Instant::now(),
        })
    }

    fn ask(&self) -> Result<Value, ClientError> {
        let client = &self.work.servers[self.index].client;
        client.call_within(ANSWER_WITHIN, "getblocktemplate", json!([request()]))
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

fn request() -> Value {
    json!({ "rules": ["segwit"], "capabilities": CAPABILITIES })
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
