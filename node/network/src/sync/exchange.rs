//! The exchanges with one peer: each is a request, what we do with the answer, and what the scheduler
//! is told of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, Transaction, Txid, consensus};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::scheduler::{Asked, BlockResult, HeadersResult};
use crate::bandwidth::unix_time;
use crate::misbehaviour::Offence;
use crate::protocol::message::{
    MAX_LOCATOR, MAX_MEMPOOL_TXIDS, Request, Response, header_from_bytes, mempool_digest,
};
use crate::service::Command;
use crate::shared::Shared;
use crate::validation;
use crate::{ChainAccess, TipSummary, Verdict};

const TIP_TIMEOUT: Duration = Duration::from_secs(10);
const HEADERS_TIMEOUT: Duration = Duration::from_secs(15);
const BLOCKS_TIMEOUT: Duration = Duration::from_secs(20);
const OTHER_TIMEOUT: Duration = Duration::from_secs(20);
/// Transactions that one exchange of mempools fetches.
const MAX_FETCHED: usize = 5000;
/// Transactions that one request asks for.
const TRANSACTIONS_PER_REQUEST: usize = 500;
/// Ancestors of an orphan that are asked for, in all generations together.
const MAX_ANCESTORS: usize = 128;
/// Answers whose blocks are decoded and submitted at a time.
const SUBMISSIONS: usize = 2;

/// How long a transaction that our mempool did not take is not fetched again, and how many are remembered.
const REFUSED_TIME: Duration = Duration::from_secs(60);
const MAX_REFUSED: usize = 20_000;

/// Transactions that our mempool did not take: peers with another policy would offer them at each
/// exchange.
#[derive(Debug, Default)]
struct Refused(Mutex<HashMap<Txid, Instant>>);

impl Refused {
    fn insert(&self, txid: Txid, now: Instant) {
        let mut txids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if txids.len() >= MAX_REFUSED {
            txids.retain(|_, until| *until > now);
        }
        if txids.len() < MAX_REFUSED {
            txids.insert(txid, now + REFUSED_TIME);
        }
    }

    fn contains(&self, txid: &Txid, now: Instant) -> bool {
        let txids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        txids.get(txid).is_some_and(|until| *until > now)
    }
}

/// What an exchange came to.
#[derive(Debug)]
pub(crate) enum Event {
    Tip(PeerId, TipSummary),
    Headers(PeerId, HeadersResult),
    Blocks(PeerId, Vec<(BlockHash, BlockResult)>),
    Mempool(PeerId),
    Peers(PeerId),
    Failed(PeerId, Asked),
    /// Parents of an orphan were fetched, or not: nothing depends on it.
    Fetched,
}

/// What an exchange needs.
#[derive(Clone)]
pub(crate) struct Net {
    commands: mpsc::Sender<Command>,
    chain: Arc<dyn ChainAccess>,
    shared: Arc<Shared>,
    pow_limit: CompactTarget,
    submissions: Arc<Semaphore>,
    refused: Arc<Refused>,
}

/// Why there is no usable answer.
struct NoAnswer;

impl Net {
    pub(crate) fn new(
        commands: mpsc::Sender<Command>,
        chain: Arc<dyn ChainAccess>,
        shared: Arc<Shared>,
        pow_limit: CompactTarget,
    ) -> Self {
        Self {
            commands,
            chain,
            shared,
            pow_limit,
            submissions: Arc::new(Semaphore::new(SUBMISSIONS)),
            refused: Arc::default(),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) async fn command(&self, command: Command) {
        // The other task ends only at shutdown, and then this one does too.
        let _ = self.commands.send(command).await;
    }

    /// Runs something that may block.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn ChainAccess) -> T + Send + 'static,
    ) -> Option<T> {
        let chain = Arc::clone(&self.chain);
        match tokio::task::spawn_blocking(move || work(chain.as_ref())).await {
            Ok(result) => Some(result),
            Err(error) => {
                tracing::error!(%error, "a task of the chain's failed");
                None
            }
        }
    }

    async fn request(
        &self,
        peer: PeerId,
        request: Request,
        timeout: Duration,
    ) -> Result<Response, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Request {
            peer,
            request,
            reply,
        })
        .await;
        match tokio::time::timeout(timeout, answer).await {
            Ok(Ok(Some(response))) => Ok(response),
            Ok(_) => Err(NoAnswer),
            Err(_) => {
                tracing::debug!(%peer, "no answer in time");
                Err(NoAnswer)
            }
        }
    }

    async fn punish(&self, peer: PeerId, offence: Offence, reason: impl Into<String>) {
        self.command(Command::Punish {
            peer,
            offence,
            reason: reason.into(),
        })
        .await;
    }

    /// Tells our tip and learns theirs.
    pub(crate) async fn exchange_tip(self, peer: PeerId) -> Event {
        let failed = Event::Failed(peer, Asked::Tip);
        let Some(tip) = self.blocking(|chain| chain.tip()).await else {
            return failed;
        };
        match self
            .request(peer, Request::Tip(tip.into()), TIP_TIMEOUT)
            .await
        {
            Ok(Response::Tip(tip)) => Event::Tip(peer, tip.into()),
            Ok(_) => {
                self.punish(peer, Offence::BadMessage, "not a tip").await;
                failed
            }
            Err(NoAnswer) => failed,
        }
    }

    /// Fetches headers after `after`, or after our locator, and submits them.
    pub(crate) async fn fetch_headers(self, peer: PeerId, after: Option<BlockHash>) -> Event {
        let failed = Event::Failed(peer, Asked::Headers);
        let Some(locator) = self.blocking(|chain| chain.locator()).await else {
            return failed;
        };
        let request = Request::Headers {
            locator: wire_locator(after, &locator),
            stop: None,
        };
        let headers = match self.request(peer, request, HEADERS_TIMEOUT).await {
            Ok(Response::Headers(headers)) => headers,
            Ok(_) => {
                self.punish(peer, Offence::BadMessage, "not headers").await;
                return failed;
            }
            Err(NoAnswer) => return failed,
        };
        let submitted = self.blocking(move |chain| {
            let headers: Vec<_> = headers.iter().map(header_from_bytes).collect();
            let hashes: Vec<BlockHash> = headers.iter().map(|header| header.block_hash()).collect();
            let is_chain = headers
                .iter()
                .skip(1)
                .zip(&hashes)
                .all(|(header, before)| header.prev_blockhash == *before);
            let new = hashes.iter().filter(|hash| !chain.has_header(hash)).count();
            let verdict = match (is_chain, new) {
                (false, _) => Verdict::Reject("headers that are not a chain".to_owned()),
                (true, 0) => Verdict::Ignore("known".to_owned()),
                (true, _) => chain.submit_headers(headers),
            };
            (hashes, new, verdict)
        });
        let Some((hashes, new, verdict)) = submitted.await else {
            return failed;
        };
        match &verdict {
            Verdict::Accept | Verdict::Ignore(_) => {}
            Verdict::Reject(reason) => {
                self.punish(
                    peer,
                    Offence::InvalidData,
                    format!("invalid headers: {reason}"),
                )
                .await;
            }
            Verdict::MissingParent | Verdict::Orphan { .. } => {
                self.punish(peer, Offence::BadMessage, "headers without their parents")
                    .await;
            }
        }
        Event::Headers(peer, headers_result(&hashes, new, &verdict))
    }

    /// Fetches blocks and submits them.
    pub(crate) async fn fetch_blocks(self, peer: PeerId, hashes: Vec<BlockHash>) -> Event {
        let wire = hashes.iter().map(|hash| hash.to_byte_array()).collect();
        let answer = self
            .request(peer, Request::Blocks(wire), BLOCKS_TIMEOUT)
            .await;
        let blocks = match answer {
            Ok(Response::Blocks(blocks)) if blocks.len() <= hashes.len() => blocks,
            Ok(_) => {
                self.punish(
                    peer,
                    Offence::BadMessage,
                    "not the blocks that were asked for",
                )
                .await;
                return Event::Failed(peer, Asked::Blocks(hashes));
            }
            Err(NoAnswer) => return Event::Failed(peer, Asked::Blocks(hashes)),
        };
        // Decoded blocks take memory: few answers are worked on at a time. The semaphore is never closed.
        let permit = Arc::clone(&self.submissions).acquire_owned().await;
        let (asked, pow_limit) = (hashes.clone(), self.pow_limit);
        let submitted = self
            .blocking(move |chain| {
                let _permit = permit;
                submit_blocks(chain, pow_limit, &hashes, blocks)
            })
            .await;
        let Some((results, fault)) = submitted else {
            return Event::Failed(peer, Asked::Blocks(asked));
        };
        if results
            .iter()
            .any(|(_, result)| *result == BlockResult::Done)
            && fault.is_none()
        {
            self.shared
                .update_peer(&peer, |peer| peer.last_block_time = unix_time());
        }
        if let Some((offence, reason)) = fault {
            self.punish(peer, offence, reason).await;
        }
        Event::Blocks(peer, results)
    }

    /// Fetches the transactions of their mempool that we do not have.
    pub(crate) async fn exchange_mempool(self, peer: PeerId) -> Event {
        let failed = Event::Failed(peer, Asked::Mempool);
        let digest = self.blocking(|chain| {
            let txids = chain.mempool_txids(MAX_MEMPOOL_TXIDS);
            mempool_digest(txids.iter().map(|txid| txid.to_byte_array()))
        });
        let Some(digest) = digest.await else {
            return failed;
        };
        let txids = match self
            .request(peer, Request::Mempool { digest }, OTHER_TIMEOUT)
            .await
        {
            Ok(Response::Mempool(None)) => return Event::Mempool(peer),
            Ok(Response::Mempool(Some(txids))) => txids,
            Ok(_) => {
                self.punish(peer, Offence::BadMessage, "not a mempool")
                    .await;
                return failed;
            }
            Err(NoAnswer) => return failed,
        };
        let refused = Arc::clone(&self.refused);
        let unknown = self.blocking(move |chain| {
            let now = Instant::now();
            let wanted = |txid: &Txid| !chain.has_transaction(txid) && !refused.contains(txid, now);
            let txids = txids.into_iter().map(Txid::from_byte_array);
            txids
                .filter(wanted)
                .take(MAX_FETCHED)
                .collect::<Vec<Txid>>()
        });
        let Some(unknown) = unknown.await else {
            return failed;
        };
        match self.fetch_transactions(peer, &unknown).await {
            Ok(_) => Event::Mempool(peer),
            Err(NoAnswer) => failed,
        }
    }

    /// Fetches the parents of an orphan from the peer that sent it.
    pub(crate) async fn fetch_parents(self, peer: PeerId, txids: Vec<Txid>) -> Event {
        let mut asked: HashSet<Txid> = HashSet::new();
        let mut wanted = txids;
        // Parents may be orphans themselves: one generation after the other.
        while !wanted.is_empty() && asked.len() + wanted.len() <= MAX_ANCESTORS {
            asked.extend(&wanted);
            // Whether it has them is not its fault.
            let Ok(mut missing) = self.fetch_transactions(peer, &wanted).await else {
                break;
            };
            missing.retain(|txid| !asked.contains(txid));
            wanted = missing;
        }
        Event::Fetched
    }

    /// Fetches transactions and submits them. Returns the parents that are wanted for them, at most `MAX_ANCESTORS`.
    async fn fetch_transactions(
        &self,
        peer: PeerId,
        txids: &[Txid],
    ) -> Result<Vec<Txid>, NoAnswer> {
        let mut missing = Vec::new();
        for chunk in txids.chunks(TRANSACTIONS_PER_REQUEST) {
            let wire = chunk.iter().map(|txid| txid.to_byte_array()).collect();
            let answer = self
                .request(peer, Request::Transactions(wire), OTHER_TIMEOUT)
                .await?;
            let Response::Transactions(transactions) = answer else {
                self.punish(peer, Offence::BadMessage, "not transactions")
                    .await;
                return Err(NoAnswer);
            };
            let asked: HashSet<Txid> = chunk.iter().copied().collect();
            let refused = Arc::clone(&self.refused);
            let number = self.shared.number_of(&peer);
            let submitted = self
                .blocking(move |chain| {
                    submit_transactions(chain, &asked, &transactions, number, &refused)
                })
                .await;
            let Some(Submitted {
                accepted,
                missing: more,
                fault,
            }) = submitted
            else {
                return Err(NoAnswer);
            };
            missing.extend(more);
            missing.truncate(MAX_ANCESTORS);
            if !accepted.is_empty() {
                self.shared
                    .update_peer(&peer, |peer| peer.last_transaction_time = unix_time());
                self.command(Command::AcceptedTransactions(accepted)).await;
            }
            if let Some((offence, reason)) = fault {
                self.punish(peer, offence, reason).await;
                return Err(NoAnswer);
            }
        }
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }

    /// Learns of other peers.
    pub(crate) async fn fetch_peers(self, peer: PeerId) -> Event {
        match self.request(peer, Request::Peers, OTHER_TIMEOUT).await {
            Ok(Response::Peers(peers)) => {
                let peers = peers.into_iter().filter_map(|peer| peer.read()).collect();
                self.command(Command::Learn { from: peer, peers }).await;
                Event::Peers(peer)
            }
            Ok(_) => {
                self.punish(peer, Offence::BadMessage, "not peers").await;
                Event::Failed(peer, Asked::Peers)
            }
            Err(NoAnswer) => Event::Failed(peer, Asked::Peers),
        }
    }
}

/// The locator for a request: where the last answer ended comes first, and the genesis block stays last.
fn wire_locator(after: Option<BlockHash>, locator: &[BlockHash]) -> Vec<[u8; 32]> {
    let mut hashes: Vec<[u8; 32]> = after
        .iter()
        .chain(locator)
        .map(|hash| hash.to_byte_array())
        .collect();
    if hashes.len() > MAX_LOCATOR {
        let last = hashes.pop();
        hashes.truncate(MAX_LOCATOR - 1);
        hashes.extend(last);
    }
    hashes
}

/// What the scheduler is told of headers of which `new` were unknown. Ones that our chain ignores (our
/// clock is behind, or they follow a block that was invalidated here) are not taken: headers after them
/// would come without their parents, which is no fault of the peer.
fn headers_result(hashes: &[BlockHash], new: usize, verdict: &Verdict) -> HeadersResult {
    let taken = match verdict {
        Verdict::Accept => true,
        Verdict::Ignore(_) => new == 0,
        Verdict::Reject(_) | Verdict::MissingParent | Verdict::Orphan { .. } => false,
    };
    HeadersResult {
        count: hashes.len(),
        new,
        last: hashes.last().copied(),
        taken,
    }
}

type Fault = Option<(Offence, String)>;

fn submit_blocks(
    chain: &dyn ChainAccess,
    pow_limit: CompactTarget,
    asked: &[BlockHash],
    blocks: Vec<Option<Vec<u8>>>,
) -> (Vec<(BlockHash, BlockResult)>, Fault) {
    let mut fault = None;
    // An answer with nothing in it is no answer to repeat at once.
    let cut = if blocks.is_empty() {
        BlockResult::Lacking
    } else {
        BlockResult::Cut
    };
    let mut blocks = blocks.into_iter();
    let results = asked.iter().map(|hash| {
        let result = match blocks.next() {
            None => cut,
            Some(None) => BlockResult::Lacking,
            Some(Some(_)) if fault.is_some() => BlockResult::Cut,
            Some(Some(bytes)) => {
                let (result, blame) = submit_block(chain, pow_limit, hash, &bytes);
                fault = blame;
                result
            }
        };
        (*hash, result)
    });
    let results = results.collect();
    (results, fault)
}

fn submit_block(
    chain: &dyn ChainAccess,
    pow_limit: CompactTarget,
    asked: &BlockHash,
    bytes: &[u8],
) -> (BlockResult, Fault) {
    let header: Result<(pyrite_consensus::bitcoin::block::Header, usize), _> =
        consensus::deserialize_partial(bytes);
    if !header.is_ok_and(|(header, _)| header.block_hash() == *asked) {
        return (
            BlockResult::Lacking,
            Some((
                Offence::BadMessage,
                "another block than asked for".to_owned(),
            )),
        );
    }
    match validation::submit_block(chain, pow_limit, bytes).0 {
        Verdict::Accept => (BlockResult::Done, None),
        Verdict::Ignore(reason) if !chain.has_block(asked) => {
            tracing::debug!(block = %asked, reason, "block not taken now");
            (BlockResult::NotNow, None)
        }
        Verdict::Ignore(_) => (BlockResult::Done, None),
        Verdict::MissingParent | Verdict::Orphan { .. } => (BlockResult::NotNow, None),
        Verdict::Reject(reason) => {
            let reason = format!("invalid block {asked}: {reason}");
            // Another peer may have the body that belongs to the header; and where the header itself is
            // bad, the chain does not ask for it any more.
            (BlockResult::Lacking, Some((Offence::InvalidData, reason)))
        }
    }
}

/// What became of transactions that were fetched.
#[derive(Default)]
struct Submitted {
    accepted: Vec<Arc<Transaction>>,
    /// Parents that are wanted.
    missing: Vec<Txid>,
    fault: Fault,
}

fn submit_transactions(
    chain: &dyn ChainAccess,
    asked: &HashSet<Txid>,
    transactions: &[Vec<u8>],
    number: u64,
    refused: &Refused,
) -> Submitted {
    let mut submitted = Submitted::default();
    for bytes in transactions {
        let Ok(transaction) = consensus::deserialize::<Transaction>(bytes) else {
            submitted.fault = Some((Offence::InvalidData, "undecodable transaction".to_owned()));
            break;
        };
        let txid = transaction.compute_txid();
        if !asked.contains(&txid) {
            let reason = "another transaction than asked for".to_owned();
            submitted.fault = Some((Offence::BadMessage, reason));
            break;
        }
        let transaction = Arc::new(transaction);
        match chain.submit_transaction(Arc::clone(&transaction), number) {
            Verdict::Accept => submitted.accepted.push(transaction),
            Verdict::Ignore(reason) => {
                tracing::debug!(%txid, reason, "transaction not taken");
                refused.insert(txid, Instant::now());
            }
            Verdict::Orphan { missing } => {
                tracing::debug!(%txid, "transaction without its inputs");
                refused.insert(txid, Instant::now());
                let room = MAX_ANCESTORS.saturating_sub(submitted.missing.len());
                submitted.missing.extend(missing.into_iter().take(room));
            }
            Verdict::MissingParent => {}
            Verdict::Reject(reason) => {
                let reason = format!("invalid transaction {txid}: {reason}");
                submitted.fault = Some((Offence::InvalidData, reason));
                break;
            }
        }
    }
    submitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::MAX_HEADERS;

    #[test]
    fn a_locator_is_cut_but_keeps_both_ends() {
        let hash = |byte| BlockHash::from_byte_array([byte; 32]);
        let locator: Vec<BlockHash> = (0..150).map(hash).collect();
        let wire = wire_locator(Some(hash(200)), &locator);
        assert_eq!(wire.len(), MAX_LOCATOR);
        assert_eq!(
            (wire[0], wire[1], wire[MAX_LOCATOR - 1]),
            ([200; 32], [0; 32], [149; 32])
        );
        assert_eq!(wire_locator(None, &locator[..3]).len(), 3);
    }

    #[test]
    fn headers_are_taken_when_our_chain_has_all_of_them() {
        let hashes = [BlockHash::from_byte_array([1; 32])];
        let taken = |new, verdict| headers_result(&hashes, new, &verdict).taken;
        let ignored = || Verdict::Ignore("time-too-new".to_owned());
        assert!(taken(1, Verdict::Accept));
        assert!(taken(0, ignored()));
        assert!(!taken(1, ignored()));
        assert!(!taken(1, Verdict::Reject(String::new())));
        assert!(!taken(1, Verdict::MissingParent));
    }

    #[test]
    fn refused_transactions_are_asked_for_again_later() {
        let (refused, now) = (Refused::default(), Instant::now());
        let txid = Txid::from_byte_array([1; 32]);
        assert!(!refused.contains(&txid, now));
        refused.insert(txid, now);
        assert!(refused.contains(&txid, now));
        assert!(!refused.contains(&txid, now + REFUSED_TIME));
        for number in 0..MAX_REFUSED as u64 + 10 {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            refused.insert(Txid::from_byte_array(bytes), now);
        }
        assert_eq!(refused.0.lock().unwrap().len(), MAX_REFUSED);
    }

    #[test]
    fn a_full_answer_of_headers_is_within_the_limit() {
        assert!(Response::Headers(vec![[0; 80]; MAX_HEADERS]).is_bounded());
    }
}
