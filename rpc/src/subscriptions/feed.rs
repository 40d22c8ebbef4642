//! The events of each topic: what comes after a cursor.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use pyrite_chain::ChainReader;
use pyrite_consensus::bitcoin::{BlockHash, Transaction, Txid};
use pyrite_mempool::{MempoolHandle, RemovalReason};
use pyrite_miner::{MinerHandle, WorkSource};
use rand::RngCore;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::cursor::Counter;
use super::messages::{Topic, event};
use crate::call::{CallError, CallResult};
use crate::context::RpcContext;
use crate::json::miner_json;

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
    waiting: VecDeque<Arc<Transaction>>,
    leads_to: u64,
}

pub(super) struct Mining {
    count: u64,
    run: u32,
    published: watch::Receiver<Option<Arc<pyrite_miner::Template>>>,
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
            Self::Mining(mining) => mining.published.changed().await,
        };
        if changed.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Mining {
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

    /// One step on the way from the block that was told last to the tip: down if it has left the best chain, otherwise up.
    fn next_block(&self, blocks: &mut Blocks) -> Option<String> {
        let told = self.chain.header(&blocks.told)?;
        let (name, about, next) = if self.chain.is_in_best_chain(&told.hash) {
            let next = self.chain.hash_at(told.height.next())?;
            let header = self.chain.header(&next)?;
            ("connected", header, next)
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

    /// What changed after what was told; `None` where that is not known any more.
    fn changes(&self, mempool: &Mempool) -> Option<pyrite_mempool::Changes> {
        let number = match mempool.told.run == self.run {
            true => mempool.told.number,
            false => u64::MAX,
        };
        let changes = self.mempool.changes_since(number);
        changes.complete.then_some(changes)
    }

    /// Says that events are missing, and goes on from now.
    fn gap(&self, topic: Topic, mempool: &mut Mempool) -> String {
        mempool.told = Counter {
            run: self.run,
            number: self.mempool.info().sequence,
        };
        let about = json!({"message": "changes before this cursor are not known any more: read the mempool anew"});
        event(topic, &mempool.told.to_string(), "gap", about)
    }

    fn next_change(&self, mempool: &mut Mempool) -> Option<String> {
        let Some(changes) = self.changes(mempool) else {
            return Some(self.gap(Topic::Mempool, mempool));
        };
        if changes.sequence == mempool.told.number {
            return None;
        }
        mempool.told.number = changes.sequence;
        // The number rises with each block, also of one that changes nothing here.
        if changes.added.is_empty() && changes.removed.is_empty() {
            return None;
        }
        let added = changes
            .added
            .iter()
            .map(|(tx, _)| tx.compute_txid().to_string());
        let removed = changes.removed.iter().map(removal);
        let about = json!({
            "added": added.collect::<Vec<_>>(),
            "removed": removed.collect::<Vec<_>>(),
        });
        Some(event(
            Topic::Mempool,
            &mempool.told.to_string(),
            "changed",
            about,
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
        if transactions.waiting.is_empty() {
            let Some(changes) = self.changes(mempool) else {
                return Some(self.gap(Topic::Transaction, mempool));
            };
            transactions.leads_to = changes.sequence;
            transactions.waiting = changes.added.into_iter().map(|(tx, _)| tx).collect();
        }
        let next = transactions.waiting.pop_front();
        // Until the last one of a look is told, a client that goes away is told them all again.
        if transactions.waiting.is_empty() {
            mempool.told.number = transactions.leads_to;
        }
        let transaction = next?;
        let about = json!({
            "txid": transaction.compute_txid().to_string(),
            "wtxid": transaction.compute_wtxid().to_string(),
            "vsize": transaction.vsize(),
            "weight": transaction.weight().to_wu(),
        });
        Some(event(
            Topic::Transaction,
            &mempool.told.to_string(),
            "added",
            about,
        ))
    }

    /// The state is told at once: a client that was away has missed nothing that counts.
    fn mining(&self) -> Mining {
        let mut published = self.work.published();
        published.mark_changed();
        Mining {
            count: 0,
            run: self.run,
            published,
        }
    }

    fn next_work(&self, mining: &mut Mining) -> Option<String> {
        if !mining.published.has_changed().ok()? {
            return None;
        }
        mining.count += 1;
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

fn removal((txid, reason): &(Txid, RemovalReason)) -> Value {
    let reason = match reason {
        RemovalReason::Block => "block",
        RemovalReason::Conflict => "conflict",
        RemovalReason::Replaced => "replaced",
        RemovalReason::Expired => "expiry",
        RemovalReason::SizeLimit => "sizelimit",
        RemovalReason::Reorg => "reorg",
    };
    json!({"txid": txid.to_string(), "reason": reason})
}
