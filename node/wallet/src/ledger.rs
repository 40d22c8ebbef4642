//! What the wallet knows: its chain of block hashes, the transactions that concern it, and labels.
//!
//! Transactions and the scripts that they pay are in BDK's indexed graph, with all four keychains in one
//! index. Every change goes into memory and onto the stage together; the stage is written by the caller. If
//! writing fails the stage stays, and goes with the next change.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bdk_wallet::chain::indexed_tx_graph::ChangeSet;
use bdk_wallet::chain::keychain_txout::{self, KeychainTxOutIndex};
use bdk_wallet::chain::{BlockId, ConfirmationBlockTime, IndexedTxGraph, Indexer, Merge, TxGraph};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Block, BlockHash, ScriptBuf, Transaction, TxOut, Txid};

use crate::WalletError;
use crate::keys::{KeyRing, Keychain};
use crate::store::{Content, Record, Stage};

/// Scripts watched beyond the last one given out: as many addresses as that may have been given out
/// between a backup of the seed and the loss of the database.
pub(crate) const LOOKAHEAD: u32 = 1000;

type Graph = IndexedTxGraph<ConfirmationBlockTime, KeychainTxOutIndex<Keychain>>;
type GraphChanges = ChangeSet<ConfirmationBlockTime, keychain_txout::ChangeSet>;

#[derive(Debug)]
pub(crate) struct Ledger {
    genesis_hash: BlockHash,
    graph: Graph,
    /// The followed chain by height, from the genesis block.
    blocks: Vec<BlockHash>,
    records: HashMap<Txid, Record>,
    /// The transactions in the order in which they became known.
    order: BTreeMap<u64, Txid>,
    labels: HashMap<ScriptBuf, String>,
    in_mempool: HashSet<Txid>,
    stage: Stage,
}

impl Ledger {
    /// # Errors
    /// The reason why the content makes no sense.
    pub(crate) fn new(
        genesis_hash: BlockHash,
        keys: &KeyRing,
        content: Content,
    ) -> Result<Self, String> {
        let mut index = KeychainTxOutIndex::new(LOOKAHEAD, false);
        for (keychain, descriptor) in keys.descriptors() {
            index
                .insert_descriptor(*keychain, descriptor.clone())
                .expect("the keychains' descriptors differ");
        }
        let mut graph = Graph::new(index);
        graph.apply_changeset(ChangeSet {
            tx_graph: content.graph,
            indexer: content.indexer,
        });
        let order = content
            .records
            .iter()
            .map(|(txid, record)| (record.position, *txid))
            .collect();
        if let Some(txid) = content
            .records
            .keys()
            .find(|txid| graph.graph().get_tx(**txid).is_none())
        {
            return Err(format!("transaction {txid} is missing"));
        }
        Ok(Self {
            genesis_hash,
            graph,
            blocks: contiguous(content.blocks.blocks, genesis_hash)?,
            records: content.records.into_iter().collect(),
            order,
            labels: content.labels.into_iter().collect(),
            in_mempool: HashSet::new(),
            stage: Stage::default(),
        })
    }

    pub(crate) fn graph(&self) -> &TxGraph<ConfirmationBlockTime> {
        self.graph.graph()
    }

    pub(crate) fn index(&self) -> &KeychainTxOutIndex<Keychain> {
        &self.graph.index
    }

    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The stage is in the database.
    pub(crate) fn clear_stage(&mut self) {
        self.stage = Stage::default();
    }

    pub(crate) fn is_new(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(crate) fn genesis_hash(&self) -> BlockHash {
        self.genesis_hash
    }

    /// The last block followed.
    pub(crate) fn tip(&self) -> Option<(Height, BlockHash)> {
        let hash = *self.blocks.last()?;
        Some((height_of(self.blocks.len() - 1), hash))
    }

    pub(crate) fn block_at(&self, height: Height) -> Option<BlockHash> {
        self.blocks.get(height.0 as usize).copied()
    }

    pub(crate) fn record(&self, txid: &Txid) -> Option<&Record> {
        self.records.get(txid)
    }

    /// The wallet's transactions, oldest first.
    pub(crate) fn order(&self) -> &BTreeMap<u64, Txid> {
        &self.order
    }

    pub(crate) fn in_mempool(&self, txid: &Txid) -> bool {
        self.in_mempool.contains(txid)
    }

    pub(crate) fn label(&self, script: &ScriptBuf) -> Option<&String> {
        self.labels.get(script)
    }

    pub(crate) fn set_label(&mut self, script: ScriptBuf, label: &str) {
        self.stage.labels.insert(script.clone(), label.to_owned());
        self.labels.insert(script, label.to_owned());
    }

    /// The outputs that `tx` spends, where the wallet knows them to be its own.
    pub(crate) fn own_prevouts<'a>(
        &'a self,
        tx: &'a Transaction,
    ) -> impl Iterator<Item = Option<&'a TxOut>> {
        tx.input.iter().map(|input| {
            self.graph
                .index
                .txout(input.previous_output)
                .map(|(_, output)| output)
        })
    }

    /// Made by this wallet's owner: recorded as sent, or spending a coin of the wallet.
    pub(crate) fn is_own(&self, tx: &Transaction, txid: &Txid) -> bool {
        self.records.get(txid).is_some_and(|record| record.sent)
            || self.own_prevouts(tx).any(|output| output.is_some())
    }

    /// Pays or spends a script of the wallet.
    pub(crate) fn is_relevant(&self, tx: &Transaction) -> bool {
        self.graph.index.is_tx_relevant(tx)
    }

    /// The next script of `keychain`, never given out before.
    pub(crate) fn reveal_next(&mut self, keychain: Keychain) -> Result<ScriptBuf, WalletError> {
        let exhausted = || WalletError::AddressesExhausted;
        let (_, is_left) = self
            .graph
            .index
            .next_index(keychain)
            .ok_or_else(exhausted)?;
        if !is_left {
            return Err(exhausted());
        }
        let ((_, script), changes) = self
            .graph
            .index
            .reveal_next_spk(keychain)
            .ok_or_else(exhausted)?;
        self.stage.indexer.merge(changes);
        Ok(script)
    }

    /// Counts the scripts of `keychain` up to `index` as given out.
    pub(crate) fn reveal_to(&mut self, keychain: Keychain, index: u32) {
        if let Some((_, changes)) = self.graph.index.reveal_to_target(keychain, index) {
            self.stage.indexer.merge(changes);
        }
    }

    /// Connects a block to its parent, in place of what followed the parent before.
    pub(crate) fn apply_block(&mut self, block: &Block, height: Height) -> Result<(), WalletError> {
        let hash = block.block_hash();
        match height.previous() {
            None if hash != self.genesis_hash => {
                return Err(WalletError::WrongGenesisBlock {
                    found: hash,
                    expected: self.genesis_hash,
                });
            }
            None => {}
            Some(_) if self.is_new() => return Err(WalletError::GenesisNotApplied { height }),
            Some(below) => {
                let parent = block.header.prev_blockhash;
                if self.block_at(below) != Some(parent) {
                    return Err(WalletError::UnknownParent { height, parent });
                }
            }
        }
        self.truncate(height);
        self.blocks.push(hash);
        self.stage.blocks.blocks.insert(height.0, Some(hash));
        let anchor = ConfirmationBlockTime {
            block_id: BlockId {
                height: height.0,
                hash,
            },
            confirmation_time: u64::from(block.header.time),
        };
        // The genesis block's coinbase creates no coins, whomever it pays.
        let skipped = usize::from(height == Height::GENESIS);
        for (position, tx) in (0_u32..).zip(&block.txdata).skip(skipped) {
            self.apply_confirmed(tx, position, anchor);
        }
        Ok(())
    }

    /// Goes back to the block at `height`.
    pub(crate) fn rewind(&mut self, height: Height) -> Result<(), WalletError> {
        if self.block_at(height).is_none() {
            return Err(WalletError::UnknownHeight { height });
        }
        self.truncate(height.next());
        Ok(())
    }

    /// Takes note of a transaction in the mempool; `false` if it does not concern the wallet.
    pub(crate) fn add_unconfirmed(&mut self, tx: &Arc<Transaction>, first_seen: u64) -> bool {
        if !self.concerns(tx) {
            return false;
        }
        let txid = tx.compute_txid();
        let changes = self.graph.insert_tx(Arc::clone(tx));
        self.stage_graph(changes);
        let changes = self.graph.insert_seen_at(txid, first_seen);
        self.stage_graph(changes);
        self.note(txid, tx, |_| {});
        self.in_mempool.insert(txid);
        true
    }

    /// The mempool no longer has a transaction; `false` if it does not concern the wallet.
    pub(crate) fn remove_unconfirmed(&mut self, txid: &Txid) -> bool {
        self.in_mempool.remove(txid)
    }

    /// The mempool was emptied, as far as the wallet can know.
    pub(crate) fn clear_mempool(&mut self) {
        self.in_mempool.clear();
    }

    /// Takes note of a transaction that the owner sent.
    pub(crate) fn record_sent(
        &mut self,
        tx: &Arc<Transaction>,
        time: u64,
        comment: &str,
        comment_to: &str,
    ) -> Result<(), WalletError> {
        let txid = tx.compute_txid();
        if !self.is_relevant(tx) || !self.add_unconfirmed(tx, time) {
            return Err(WalletError::NotRelevant { txid });
        }
        self.note(txid, tx, |record| {
            record.sent = true;
            comment.clone_into(&mut record.comment);
            comment_to.clone_into(&mut record.comment_to);
        });
        Ok(())
    }

    fn apply_confirmed(&mut self, tx: &Transaction, position: u32, anchor: ConfirmationBlockTime) {
        if !self.concerns(tx) {
            return;
        }
        let txid = tx.compute_txid();
        let changes = self.graph.insert_tx(tx.clone());
        self.stage_graph(changes);
        let changes = self.graph.insert_anchor(txid, anchor);
        self.stage_graph(changes);
        self.note(txid, tx, |record| {
            record.block = Some((anchor.block_id.hash, position))
        });
        self.in_mempool.remove(&txid);
    }

    /// Relevant, or spending a coin that a relevant transaction spends: then it decides that one's fate.
    fn concerns(&self, tx: &Transaction) -> bool {
        self.is_relevant(tx)
            || tx.input.iter().any(|input| {
                self.graph()
                    .outspends(input.previous_output)
                    .iter()
                    .any(|spender| {
                        self.graph()
                            .get_tx(*spender)
                            .is_some_and(|spender| self.is_relevant(&spender))
                    })
            })
    }

    /// Updates the record of a transaction, if it is the wallet's.
    fn note(&mut self, txid: Txid, tx: &Transaction, update: impl FnOnce(&mut Record)) {
        if !self.is_relevant(tx) {
            return;
        }
        let next = self
            .order
            .last_key_value()
            .map_or(0, |(position, _)| position + 1);
        let record = self.records.entry(txid).or_insert_with(|| Record {
            position: next,
            sent: false,
            comment: String::new(),
            comment_to: String::new(),
            block: None,
        });
        update(record);
        self.order.insert(record.position, txid);
        self.stage.records.insert(txid, record.clone());
    }

    fn truncate(&mut self, height: Height) {
        for removed in height.0 as usize..self.blocks.len() {
            self.stage.blocks.blocks.insert(height_of(removed).0, None);
        }
        self.blocks.truncate(height.0 as usize);
    }

    fn stage_graph(&mut self, changes: GraphChanges) {
        self.stage.graph.merge(changes.tx_graph);
        self.stage.indexer.merge(changes.indexer);
    }
}

fn height_of(position: usize) -> Height {
    Height(u32::try_from(position).expect("blocks are pushed at 32-bit heights"))
}

/// The chain of block hashes, which must start at the genesis block and have no gap.
fn contiguous(
    blocks: BTreeMap<u32, Option<BlockHash>>,
    genesis_hash: BlockHash,
) -> Result<Vec<BlockHash>, String> {
    let mut hashes = Vec::with_capacity(blocks.len());
    for (expected, (height, hash)) in (0_u32..).zip(blocks) {
        match hash {
            Some(hash) if height == expected => hashes.push(hash),
            _ => return Err(format!("the block at height {expected} is missing")),
        }
    }
    match hashes.first() {
        Some(first) if *first != genesis_hash => Err("it starts at another genesis block".into()),
        _ => Ok(hashes),
    }
}
