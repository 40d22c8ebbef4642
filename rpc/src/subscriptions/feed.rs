//! The events of each topic: what comes after a cursor.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use pyrite_chain::ChainReader;
use pyrite_consensus::HeaderChain;
use pyrite_consensus::bitcoin::{BlockHash, Transaction};
use pyrite_mempool::{MempoolChange, MempoolEvent, MempoolEvents, MempoolHandle, RemovalReason};
use pyrite_miner::{MinerHandle, WorkSource};
use rand::RngCore;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::cursor::Counter;
use super::messages::{Topic, event};
use crate::call::{CallError, CallResult};
use crate::context::RpcContext;
use crate::json::miner_json;

/// Changes of the mempool that one event tells at most.
const MAX_CHANGES: usize = 1_000;

/// Transactions that a subscription takes from the mempool at a time.
const MAX_TRANSACTIONS: usize = 16;

/// Where events come from, once the node has started.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<OnceLock<Sources>>);

struct Sources {
    /// Tells this run of the node from others.
    run: u32,
    chain: ChainReader,
    mempool: MempoolHandle,
    miner: MinerHandle,
    work: Arc<dyn WorkSource>,
}

impl Feed {
    /// The node has started.
    pub(crate) fn open(&self, context: &RpcContext) {
        let _ = self.0.set(Sources {
            run: rand::rngs::OsRng.next_u32(),
            chain: context.reader.clone(),
            mempool: context.mempool.clone(),
            miner: context.miner.clone(),
            work: Arc::clone(&context.work),
        });
    }

    /// Whether the node has started.
    pub(super) fn is_open(&self) -> bool {
        self.0.get().is_some()
    }

    /// A subscription from a cursor on, or from now on.
    pub(super) fn subscribe(&self, topic: Topic, cursor: Option<&str>) -> CallResult<Subscription> {
        let starting = || CallError::misc("The node is starting");
        let sources = self.0.get().ok_or_else(starting)?;
        Ok(match topic {
            Topic::Block => Subscription::Block(sources.blocks(cursor)?),
            Topic::Transaction => Subscription::Transaction(sources.transactions(cursor)?),
            Topic::Mempool => Subscription::Mempool(sources.mempool(cursor)?),
            Topic::Mining => Subscription::Mining(sources.mining()),
        })
    }

    /// The next event of a subscription, if there is one. A call blocks for a moment at most.
    pub(super) fn next(&self, subscription: &mut Subscription) -> Option<String> {
        let sources = self.0.get()?;
        match subscription {
            Subscription::Block(blocks) => sources.next_block(blocks),
            Subscription::Transaction(transactions) => sources.next_transaction(transactions),
            Subscription::Mempool(mempool) => sources.next_change(mempool),
            Subscription::Mining(mining) => sources.next_work(mining),
        }
    }
}

/// How far a client has been told of a topic.
pub(super) enum Subscription {
    Block(Blocks),
    Transaction(Transactions),
    Mempool(Mempool),
    Mining(Mining),
}

pub(super) struct Blocks {
    told: BlockHash,
    tip: watch::Receiver<pyrite_chain::Tip>,
}

pub(super) struct Mempool {
    told: Counter,
    sequence: watch::Receiver<u64>,
}

pub(super) struct Transactions {
    mempool: Mempool,
    /// Those that are still to be told of the last look at the mempool, and where it led to.
    waiting: VecDeque<MempoolEvent>,
    leads_to: u64,
}

pub(super) struct Mining {
    count: u64,
    run: u32,
    published: watch::Receiver<Option<Arc<pyrite_miner::Template>>>,
    miner: watch::Receiver<u64>,
    /// Whether there is something to tell.
    is_due: bool,
}

impl Subscription {
    pub(super) fn topic(&self) -> Topic {
        match self {
            Self::Block(_) => Topic::Block,
            Self::Transaction(_) => Topic::Transaction,
            Self::Mempool(_) => Topic::Mempool,
            Self::Mining(_) => Topic::Mining,
        }
    }

    /// Where it is.
    pub(super) fn cursor(&self) -> String {
        match self {
            Self::Block(blocks) => blocks.told.to_string(),
            Self::Transaction(transactions) => transactions.mempool.told.to_string(),
            Self::Mempool(mempool) => mempool.told.to_string(),
            Self::Mining(mining) => mining.counter().to_string(),
        }
    }

    /// Returns when there may be an event that there was not before; never if the node ends.
    pub(super) async fn changed(&mut self) {
        let changed = match self {
            Self::Block(blocks) => blocks.tip.changed().await,
            Self::Transaction(transactions) => transactions.mempool.sequence.changed().await,
            Self::Mempool(mempool) => mempool.sequence.changed().await,
            Self::Mining(mining) => mining.changed().await,
        };
        if changed.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Mining {
    async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        let changed = tokio::select! {
            changed = self.published.changed() => changed,
            changed = self.miner.changed() => changed,
        };
        self.is_due = true;
        changed
    }

    fn counter(&self) -> Counter {
        Counter {
            run: self.run,
            number: self.count,
        }
    }
}

impl Sources {
    fn blocks(&self, cursor: Option<&str>) -> CallResult<Blocks> {
        let mut tip = self.chain.watch_tip();
        let told = match cursor {
            None => tip.borrow_and_update().hash,
            Some(text) => {
                tip.mark_changed();
                text.parse()
                    .ok()
                    .filter(|hash| self.chain.header(hash).is_some())
                    .ok_or_else(|| CallError::not_found("Block not found"))?
            }
        };
        Ok(Blocks { told, tip })
    }

    /// One step on the way from the block that was told last to the tip: down if it is not of the tip's chain, otherwise up.
    /// That chain is settled: while the node reorganises, it is the one before.
    fn next_block(&self, blocks: &mut Blocks) -> Option<String> {
        let tip = blocks.tip.borrow().hash;
        if tip == blocks.told {
            return None;
        }
        let told = self.chain.header(&blocks.told)?;
        let chain = self.chain.header_chain(&tip)?;
        let is_of_it =
            told.height <= chain.tip_height() && chain.header(told.height) == told.header;
        let (name, about, next) = if is_of_it {
            // It is not the tip, so there is one above it.
            let next = chain.header(told.height.next()).block_hash();
            ("connected", self.chain.header(&next)?, next)
        } else {
            let next = told.header.prev_blockhash;
            ("disconnected", told, next)
        };
        blocks.told = next;
        let about = json!({
            "hash": about.hash.to_string(),
            "height": about.height.0,
            "previousblockhash": about.header.prev_blockhash.to_string(),
            "time": about.header.time,
            "nTx": about.tx_count,
        });
        Some(event(Topic::Block, &blocks.told.to_string(), name, about))
    }

    fn mempool(&self, cursor: Option<&str>) -> CallResult<Mempool> {
        let mut sequence = self.mempool.watch();
        let told = match cursor {
            None => Counter {
                run: self.run,
                number: *sequence.borrow_and_update(),
            },
            Some(text) => {
                sequence.mark_changed();
                let bad = |()| CallError::invalid_parameter("cursor is not what an event gave");
                text.parse().map_err(bad)?
            }
        };
        Ok(Mempool { told, sequence })
    }

    /// The next events after what was told; `None` where they are not known any more.
    fn events(&self, mempool: &Mempool, max: usize) -> Option<MempoolEvents> {
        if mempool.told.run != self.run {
            return None;
        }
        let events = self.mempool.events_since(mempool.told.number, max);
        let is_known = events.complete && events.sequence >= mempool.told.number;
        is_known.then_some(events)
    }

    /// Says that events are missing before a number, from which it goes on.
    fn gap(&self, topic: Topic, mempool: &mut Mempool, number: u64) -> String {
        mempool.told = Counter {
            run: self.run,
            number,
        };
        let about = json!({"message": "changes before this cursor are not known any more: read the mempool anew"});
        event(topic, &mempool.told.to_string(), "gap", about)
    }

    /// The next changes. A transaction that came and went again meanwhile is told in two events, so that the order is clear.
    fn next_change(&self, mempool: &mut Mempool) -> Option<String> {
        let Some(news) = self.events(mempool, MAX_CHANGES) else {
            let now = self.mempool.info().sequence;
            return Some(self.gap(Topic::Mempool, mempool, now));
        };
        // The number rises with each block, also of one that changes nothing here.
        mempool.told.number = news.sequence;
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        let mut told = HashSet::new();
        for event in &news.events {
            if !told.insert(event.txid) {
                break;
            }
            mempool.told.number = event.sequence;
            match event.change {
                MempoolChange::Added(_) => added.push(event.txid.to_string()),
                MempoolChange::Removed(reason) => removed.push(json!({
                    "txid": event.txid.to_string(),
                    "reason": reason_name(reason),
                })),
            }
        }
        if told.is_empty() {
            return None;
        }
        if told.len() == news.events.len() {
            mempool.told.number = news.sequence;
        }
        Some(event(
            Topic::Mempool,
            &mempool.told.to_string(),
            "changed",
            json!({"added": added, "removed": removed}),
        ))
    }

    fn transactions(&self, cursor: Option<&str>) -> CallResult<Transactions> {
        let mempool = self.mempool(cursor)?;
        Ok(Transactions {
            leads_to: mempool.told.number,
            mempool,
            waiting: VecDeque::new(),
        })
    }

    fn next_transaction(&self, transactions: &mut Transactions) -> Option<String> {
        let mempool = &mut transactions.mempool;
        while transactions.waiting.is_empty() {
            let Some(news) = self.events(mempool, MAX_TRANSACTIONS) else {
                let now = self.mempool.info().sequence;
                return Some(self.gap(Topic::Transaction, mempool, now));
            };
            let is_all = news.events.len() < MAX_TRANSACTIONS;
            let came = |event: &MempoolEvent| matches!(event.change, MempoolChange::Added(_));
            transactions.waiting = news.events.into_iter().filter(came).collect();
            transactions.leads_to = news.sequence;
            if transactions.waiting.is_empty() {
                mempool.told.number = news.sequence;
                if is_all {
                    return None;
                }
            }
        }
        let next = transactions.waiting.pop_front()?;
        mempool.told.number = match transactions.waiting.is_empty() {
            true => transactions.leads_to,
            false => next.sequence,
        };
        let MempoolChange::Added(Some(transaction)) = &next.change else {
            // It has left, and was too large to be kept.
            let number = mempool.told.number;
            return Some(self.gap(Topic::Transaction, mempool, number));
        };
        Some(event(
            Topic::Transaction,
            &mempool.told.to_string(),
            "added",
            transaction_json(transaction),
        ))
    }

    /// The state is told at once: a client that was away has missed nothing that counts.
    fn mining(&self) -> Mining {
        Mining {
            count: 0,
            run: self.run,
            published: self.work.published(),
            miner: self.miner.changes(),
            is_due: true,
        }
    }

    fn next_work(&self, mining: &mut Mining) -> Option<String> {
        if !std::mem::take(&mut mining.is_due) {
            return None;
        }
        mining.count += 1;
        mining.miner.mark_unchanged();
        let template = mining.published.borrow_and_update().clone();
        let template = template.map_or(Value::Null, |template| {
            json!({
                "height": template.height.0,
                "previousblockhash": template.previous.to_string(),
                "transactions": template.transactions.len(),
                "weight": template.weight,
                "fees_sat": template.total_fees.to_sat(),
                "coinbasevalue": template.coinbase_value.to_sat(),
            })
        });
        let about = json!({"template": template, "miner": miner_json(&self.miner.status())});
        Some(event(
            Topic::Mining,
            &mining.counter().to_string(),
            "status",
            about,
        ))
    }
}

fn transaction_json(transaction: &Transaction) -> Value {
    json!({
        "txid": transaction.compute_txid().to_string(),
        "wtxid": transaction.compute_wtxid().to_string(),
        "vsize": transaction.vsize(),
        "weight": transaction.weight().to_wu(),
    })
}

fn reason_name(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Block => "block",
        RemovalReason::Conflict => "conflict",
        RemovalReason::Replaced => "replaced",
        RemovalReason::Expired => "expiry",
        RemovalReason::SizeLimit => "sizelimit",
        RemovalReason::Reorg => "reorg",
    }
}
