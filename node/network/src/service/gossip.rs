//! Gossip: messages are checked off this task, a bounded number at a time, and only what was accepted
//! is passed on.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::gossipsub::{self, MessageAcceptance, MessageId, PublishError};
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget};

use super::{Done, Service, hint};
use crate::bandwidth::unix_time;
use crate::misbehaviour::Offence;
use crate::protocol::gossip::{Kind, content, message_id};
use crate::sync::Hint;
use crate::validation;
use crate::{ChainAccess, Verdict};

/// Messages of which it is remembered that they were seen.
const MAX_RECENT: usize = 16_384;
/// Parents of an orphan that its sender is asked for.
const MAX_PARENTS: usize = 32;

/// A check that runs.
pub(super) type Check = Done<Checked>;

/// Ids of messages that were received or published lately.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ids: HashSet<MessageId>,
    order: VecDeque<MessageId>,
}

impl Recent {
    fn insert(&mut self, id: MessageId) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
            if self.order.len() > MAX_RECENT
                && let Some(oldest) = self.order.pop_front()
            {
                self.ids.remove(&oldest);
            }
        }
    }

    fn contains(&self, id: &MessageId) -> bool {
        self.ids.contains(id)
    }
}

/// A message to be checked: its id for gossipsub, and its bytes.
type Message = (MessageId, Vec<u8>);

/// What waits to be checked, of one kind.
#[derive(Debug)]
pub(super) struct Lane {
    kind: Kind,
    queue: VecDeque<(PeerId, Message)>,
    bytes: usize,
    running: usize,
    max_running: usize,
    max_queued: usize,
    max_bytes: usize,
}

impl Lane {
    pub(super) fn blocks() -> Self {
        Self::new(Kind::Block, 2, 64, 64_000_000)
    }

    /// One at a time: children follow their parents in the order in which they came.
    pub(super) fn transactions() -> Self {
        Self::new(Kind::Transaction, 1, 5000, 32_000_000)
    }

    fn new(kind: Kind, max_running: usize, max_queued: usize, max_bytes: usize) -> Self {
        Self {
            kind,
            queue: VecDeque::new(),
            bytes: 0,
            running: 0,
            max_running,
            max_queued,
            max_bytes,
        }
    }

    /// Puts a message into the queue, or gives it back when that is full.
    fn push(&mut self, from: PeerId, message: Message) -> Result<(), Message> {
        let bytes = message.1.len();
        if self.queue.len() >= self.max_queued || self.bytes + bytes > self.max_bytes {
            return Err(message);
        }
        self.bytes += bytes;
        self.queue.push_back((from, message));
        Ok(())
    }

    /// The next to check, if one more may run.
    fn start(&mut self) -> Option<(PeerId, Message)> {
        if self.running >= self.max_running {
            return None;
        }
        let (from, message) = self.queue.pop_front()?;
        self.bytes -= message.1.len();
        self.running += 1;
        Some((from, message))
    }
}

/// What a check came to.
#[derive(Debug)]
pub(super) struct Checked {
    kind: Kind,
    from: PeerId,
    id: MessageId,
    verdict: Verdict,
    block: Option<BlockHash>,
}

impl Service {
    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        if let gossipsub::Event::Message {
            propagation_source,
            message_id,
            message,
        } = event
        {
            self.recent.insert(message_id.clone());
            let is_block = message.topic == self.names.blocks().hash();
            let lane = if is_block {
                &mut self.blocks
            } else {
                &mut self.transactions
            };
            let (name, bytes) = (if is_block { "block" } else { "tx" }, message.data.len());
            self.shared
                .update_peer(&propagation_source, |entry| entry.received.add(name, bytes));
            let waiting = (message_id.clone(), message.data);
            if lane.push(propagation_source, waiting).is_err() {
                tracing::debug!(peer = %propagation_source, "too much to check, message ignored");
                self.report(&message_id, &propagation_source, MessageAcceptance::Ignore);
            }
            self.start_checks();
        }
    }

    fn start_checks(&mut self) {
        for lane in [&mut self.blocks, &mut self.transactions] {
            while let Some((from, (id, data))) = lane.start() {
                let (kind, pow_limit) = (lane.kind, self.pow_limit);
                let chain = Arc::clone(&self.chain);
                let number = self.shared.number_of(&from);
                let work = tokio::task::spawn_blocking(move || {
                    check(chain.as_ref(), kind, pow_limit, &data, number)
                });
                self.checks.push(Box::pin(async move {
                    let (verdict, block) = work.await.unwrap_or_else(|error| {
                        tracing::error!(%error, "a check failed");
                        (Verdict::Ignore("internal error".to_owned()), None)
                    });
                    Checked {
                        kind,
                        from,
                        id,
                        verdict,
                        block,
                    }
                }));
            }
        }
    }

    pub(super) fn on_checked(&mut self, checked: Checked) {
        let Checked {
            kind,
            from,
            id,
            verdict,
            block,
        } = checked;
        let what = match kind {
            Kind::Block => {
                self.blocks.running -= 1;
                "block"
            }
            Kind::Transaction | Kind::LateTransaction => {
                self.transactions.running -= 1;
                "transaction"
            }
        };
        let acceptance = match &verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Reject(_) => MessageAcceptance::Reject,
            Verdict::Ignore(_) | Verdict::MissingParent | Verdict::Orphan { .. } => {
                MessageAcceptance::Ignore
            }
        };
        self.report(&id, &from, acceptance);
        match verdict {
            Verdict::Accept => self.on_valid(kind, &from),
            Verdict::Reject(reason) => {
                let reason = format!("invalid {what}: {reason}");
                self.punish(from, Offence::InvalidData, &reason);
            }
            Verdict::Ignore(reason) => tracing::trace!(?kind, reason, "message ignored"),
            Verdict::MissingParent => {
                tracing::debug!(?block, peer = %from, "block without its parent");
                hint(&self.hints, Hint::ParentMissing(from));
            }
            Verdict::Orphan { mut missing } => {
                missing.truncate(MAX_PARENTS);
                if !missing.is_empty() {
                    hint(&self.hints, Hint::FetchParents(from, missing));
                }
            }
        }
        self.start_checks();
    }

    fn on_valid(&mut self, kind: Kind, from: &PeerId) {
        let now = unix_time();
        self.shared.update_peer(from, |entry| match kind {
            Kind::Block => entry.last_block_time = now,
            Kind::Transaction | Kind::LateTransaction => entry.last_transaction_time = now,
        });
        if kind == Kind::Block {
            self.shared.tip_changed.notify_one();
        }
    }

    /// Publishes a message of ours, unless it went round already.
    pub(super) fn publish(&mut self, kind: Kind, message: Vec<u8>) {
        let topic = match kind {
            Kind::Block => self.names.blocks(),
            Kind::Transaction | Kind::LateTransaction => self.names.transactions(),
        }
        .hash();
        let id = message_id(topic.as_str(), &message);
        // Gossipsub would warn of a duplicate.
        if self.recent.contains(&id) {
            return;
        }
        let bytes = message.len();
        match self.swarm.behaviour_mut().gossip.publish(topic, message) {
            Ok(_) => {
                self.recent.insert(id);
                self.count_published(kind, bytes);
            }
            Err(PublishError::Duplicate) => self.recent.insert(id),
            // Peers that connect later ask for what they lack.
            Err(error) => tracing::debug!(?kind, %error, "not published"),
        }
    }

    /// What we publish goes to every peer.
    fn count_published(&self, kind: Kind, bytes: usize) {
        let name = match kind {
            Kind::Block => "block",
            Kind::Transaction | Kind::LateTransaction => "tx",
        };
        for entry in self.shared.table().peers.values_mut() {
            entry.sent.add(name, bytes);
        }
    }

    fn report(&mut self, id: &MessageId, from: &PeerId, acceptance: MessageAcceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(id, from, acceptance) {
            tracing::debug!(message = %id, "the check took too long, message not passed on");
        }
    }
}

/// Checks the message of the peer of that number. The hash is a block's, where there is one.
fn check(
    chain: &dyn ChainAccess,
    kind: Kind,
    pow_limit: CompactTarget,
    data: &[u8],
    number: u64,
) -> (Verdict, Option<BlockHash>) {
    let malformed = || (Verdict::Reject("malformed message".to_owned()), None);
    match kind {
        Kind::Block => content(kind, data).map_or_else(malformed, |content| {
            validation::submit_block(chain, pow_limit, content)
        }),
        Kind::Transaction | Kind::LateTransaction => {
            let content = content(Kind::Transaction, data)
                .or_else(|| self::content(Kind::LateTransaction, data));
            content.map_or_else(malformed, |content| {
                (validation::submit_transaction(chain, content, number), None)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_ids_are_bounded() {
        let mut recent = Recent::default();
        let id = |number: usize| MessageId::new(&number.to_le_bytes());
        for number in 0..MAX_RECENT + 1 {
            recent.insert(id(number));
            recent.insert(id(number));
        }
        assert!(!recent.contains(&id(0)));
        assert!(recent.contains(&id(1)) && recent.contains(&id(MAX_RECENT)));
        assert_eq!(recent.ids.len(), MAX_RECENT);
    }

    #[test]
    fn a_lane_is_bounded_in_number_bytes_and_concurrency() {
        let peer = PeerId::random();
        let message = |size| (MessageId::new(b"x"), vec![0; size]);
        let mut lane = Lane::new(Kind::Block, 1, 2, 100);
        assert!(lane.push(peer, message(60)).is_ok());
        assert!(lane.push(peer, message(41)).is_err());
        assert!(lane.push(peer, message(40)).is_ok());
        assert!(lane.push(peer, message(0)).is_err());
        assert!(lane.start().is_some());
        assert!(lane.start().is_none());
        assert_eq!(lane.bytes, 40);
        lane.running -= 1;
        assert!(lane.start().is_some());
        assert_eq!(lane.bytes, 0);
    }
}
