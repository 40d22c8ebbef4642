//! Gossip: messages are checked off this task, a bounded number at a time, and only what was accepted
//! is passed on.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::gossipsub::{self, MessageAcceptance, MessageId, PublishError};
use pyrite_consensus::bitcoin::{BlockHash, Transaction, Txid};

use super::{Done, Service, hint};
use crate::Verdict;
use crate::bandwidth::unix_time;
use crate::misbehaviour::Offence;
use crate::protocol::gossip::{Kind, content, message_id};
use crate::sync::Hint;
use crate::validation;

/// Messages of which it is remembered that they were seen.
const MAX_RECENT: usize = 16_384;
/// Parents of an orphan that its sender is asked for.
const MAX_PARENTS: usize = 32;

/// A check that runs.
pub(super) type Check = Done<Option<Checked>>;

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

/// What is to be checked.
#[derive(Debug)]
enum Payload {
    /// A message as it came, and its id for gossipsub.
    Message(MessageId, Vec<u8>),
    /// A transaction whose parent came meanwhile.
    Orphan(Arc<Transaction>),
}

impl Payload {
    fn size(&self) -> usize {
        match self {
            Self::Message(_, data) => data.len(),
            Self::Orphan(transaction) => transaction.total_size(),
        }
    }
}

/// What waits to be checked, of one kind.
#[derive(Debug)]
pub(super) struct Lane {
    kind: Kind,
    queue: VecDeque<(PeerId, Payload)>,
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

    /// Puts something into the queue, or gives it back when that is full.
    fn push(&mut self, from: PeerId, payload: Payload) -> Result<(), Payload> {
        let bytes = payload.size();
        if self.queue.len() >= self.max_queued || self.bytes + bytes > self.max_bytes {
            return Err(payload);
        }
        self.bytes += bytes;
        self.queue.push_back((from, payload));
        Ok(())
    }

    /// The next to check, if one more may run.
    fn start(&mut self) -> Option<(PeerId, Payload)> {
        if self.running >= self.max_running {
            return None;
        }
        let (from, payload) = self.queue.pop_front()?;
        self.bytes -= payload.size();
        self.running += 1;
        Some((from, payload))
    }
}

/// What a check came to.
#[derive(Debug)]
pub(super) struct Checked {
    kind: Kind,
    from: PeerId,
    id: Option<MessageId>,
    verdict: Verdict,
    block: Option<BlockHash>,
    transaction: Option<Arc<Transaction>>,
    missing_parents: Vec<Txid>,
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
            let payload = Payload::Message(message_id.clone(), message.data);
            if lane.push(propagation_source, payload).is_err() {
                tracing::debug!(peer = %propagation_source, "too much to check, message ignored");
                self.report(&message_id, &propagation_source, MessageAcceptance::Ignore);
            }
            self.start_checks();
        }
    }

    fn start_checks(&mut self) {
        for lane in [&mut self.blocks, &mut self.transactions] {
            while let Some((from, payload)) = lane.start() {
                let (kind, pow_limit) = (lane.kind, self.pow_limit);
                let chain = Arc::clone(&self.chain);
                let id = match &payload {
                    Payload::Message(id, _) => Some(id.clone()),
                    Payload::Orphan(_) => None,
                };
                let work = tokio::task::spawn_blocking(move || {
                    let (verdict, block, transaction) = match &payload {
                        Payload::Orphan(transaction) => {
                            let verdict =
                                validation::submit_decoded_transaction(chain.as_ref(), transaction);
                            (verdict, None, Some(Arc::clone(transaction)))
                        }
                        Payload::Message(_, data) => match (kind, content(kind, data)) {
                            (_, None) => {
                                (Verdict::Reject("malformed message".to_owned()), None, None)
                            }
                            (Kind::Block, Some(content)) => {
                                let (verdict, hash) =
                                    validation::submit_block(chain.as_ref(), pow_limit, content);
                                (verdict, hash, None)
                            }
                            (Kind::Transaction, Some(content)) => {
                                let (verdict, transaction) =
                                    validation::submit_transaction(chain.as_ref(), content);
                                (verdict, None, transaction)
                            }
                        },
                    };
                    let missing_parents = match (&verdict, &transaction) {
                        (Verdict::MissingParent, Some(transaction)) => {
                            validation::missing_parents(chain.as_ref(), transaction, MAX_PARENTS)
                        }
                        _ => Vec::new(),
                    };
                    (verdict, block, transaction, missing_parents)
                });
                self.checks.push(Box::pin(async move {
                    let (verdict, block, transaction, missing_parents) = match work.await {
                        Ok(result) => result,
                        Err(error) => {
                            tracing::error!(%error, "a check failed");
                            (
                                Verdict::Ignore("internal error".to_owned()),
                                None,
                                None,
                                Vec::new(),
                            )
                        }
                    };
                    Some(Checked {
                        kind,
                        from,
                        id,
                        verdict,
                        block,
                        transaction,
                        missing_parents,
                    })
                }));
            }
        }
    }

    pub(super) fn on_checked(&mut self, checked: Option<Checked>) {
        let Some(checked) = checked else { return };
        match checked.kind {
            Kind::Block => self.blocks.running -= 1,
            Kind::Transaction => self.transactions.running -= 1,
        }
        if let Some(id) = &checked.id {
            let acceptance = match &checked.verdict {
                Verdict::Accept => MessageAcceptance::Accept,
                Verdict::Reject(_) => MessageAcceptance::Reject,
                Verdict::Ignore(_) | Verdict::MissingParent => MessageAcceptance::Ignore,
            };
            self.report(id, &checked.from, acceptance);
        }
        let Checked {
            kind,
            from,
            verdict,
            block,
            transaction,
            missing_parents,
            ..
        } = checked;
        match verdict {
            Verdict::Accept => self.on_valid(kind, &from, transaction.as_deref()),
            Verdict::Reject(reason) => {
                let what = match kind {
                    Kind::Block => "block",
                    Kind::Transaction => "transaction",
                };
                self.punish(
                    from,
                    Offence::InvalidData,
                    &format!("invalid {what}: {reason}"),
                );
            }
            Verdict::Ignore(reason) => tracing::trace!(?kind, reason, "message ignored"),
            Verdict::MissingParent => {
                self.on_missing_parent(from, block, transaction, missing_parents);
            }
        }
        self.start_checks();
    }

    fn on_valid(&mut self, kind: Kind, from: &PeerId, transaction: Option<&Transaction>) {
        let now = unix_time();
        self.shared.update_peer(from, |entry| match kind {
            Kind::Block => entry.last_block_time = now,
            Kind::Transaction => entry.last_transaction_time = now,
        });
        if kind == Kind::Block {
            self.shared.tip_changed.notify_one();
        }
        if let Some(transaction) = transaction {
            self.retry_orphans(&transaction.compute_txid());
        }
    }

    fn on_missing_parent(
        &mut self,
        from: PeerId,
        block: Option<BlockHash>,
        transaction: Option<Arc<Transaction>>,
        parents: Vec<Txid>,
    ) {
        if let Some(block) = block {
            tracing::debug!(%block, peer = %from, "block without its parent");
            hint(&self.hints, Hint::ParentMissing(from));
        }
        if let Some(transaction) = transaction {
            let is_new = self
                .orphans
                .insert(transaction, from, std::time::Instant::now());
            if is_new && !parents.is_empty() {
                hint(&self.hints, Hint::FetchParents(from, parents));
            }
        }
    }

    /// A transaction was accepted: those that waited for it are checked again.
    pub(super) fn retry_orphans(&mut self, parent: &Txid) {
        for (transaction, from) in self.orphans.take_children(parent) {
            if self
                .transactions
                .push(from, Payload::Orphan(transaction))
                .is_err()
            {
                tracing::debug!("too much to check, an orphan is dropped");
            }
        }
        self.start_checks();
    }

    /// Publishes a message of ours, unless it went round already.
    pub(super) fn publish(&mut self, kind: Kind, message: Vec<u8>) {
        let topic = match kind {
            Kind::Block => self.names.blocks(),
            Kind::Transaction => self.names.transactions(),
        }
        .hash();
        let id = message_id(topic.as_str(), &message);
        // Gossipsub would warn of a duplicate.
        if self.recent.contains(&id) {
            return;
        }
        match self.swarm.behaviour_mut().gossip.publish(topic, message) {
            Ok(_) | Err(PublishError::Duplicate) => self.recent.insert(id),
            // Peers that connect later ask for what they lack.
            Err(error) => tracing::debug!(?kind, %error, "not published"),
        }
    }

    fn report(&mut self, id: &MessageId, from: &PeerId, acceptance: MessageAcceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(id, from, acceptance) {
            tracing::debug!(message = %id, "the check took too long, message not passed on");
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
        let message = |size| Payload::Message(MessageId::new(b"x"), vec![0; size]);
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
