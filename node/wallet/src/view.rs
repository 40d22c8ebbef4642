//! What the ledger means at one moment: the state of each transaction, the coins, the balances.
//!
//! It is computed in one pass over the ledger and kept until the ledger changes. The rules are those of
//! Bitcoin Core's wallet: a transaction is final in a block, dead if a block has another one that spends the
//! same coins, and in between it holds the coins that it spends whether or not a mempool has it.

use std::collections::{HashMap, HashSet};

use bdk_wallet::chain::ConfirmationBlockTime;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid};

use crate::Balances;
use crate::keys::Keychain;
use crate::ledger::Ledger;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// In a block of the followed chain.
    Confirmed(ConfirmationBlockTime),
    /// It may yet be in a block.
    Unconfirmed,
    /// It, or one that it builds on, spends a coin that another transaction spends in the block at that height.
    Conflicted(u32),
    /// A coinbase transaction whose block is not in the followed chain, or one that builds on such.
    Orphaned,
}

/// A coin that nothing spends, confirmed or in the mempool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    pub(crate) output: TxOut,
    pub(crate) keychain: Keychain,
    pub(crate) index: u32,
    pub(crate) height: Option<u32>,
    pub(crate) coinbase: bool,
    pub(crate) immature: bool,
    /// Confirmed, or from a trusted transaction.
    pub(crate) trusted: bool,
}

#[derive(Debug)]
pub(crate) struct View {
    tip: Option<Height>,
    maturity: u32,
    states: HashMap<Txid, State>,
    trusted: HashSet<Txid>,
    coins: Vec<Coin>,
}

impl View {
    pub(crate) fn new(ledger: &Ledger, maturity: u32) -> Self {
        let mut view = Self {
            tip: ledger.tip().map(|(height, _)| height),
            maturity,
            states: HashMap::new(),
            trusted: HashSet::new(),
            coins: Vec::new(),
        };
        view.find_states(ledger);
        view.find_trusted(ledger);
        view.find_coins(ledger);
        view
    }

    pub(crate) fn state(&self, txid: &Txid) -> Option<State> {
        self.states.get(txid).copied()
    }

    /// An unconfirmed transaction in the mempool that spends nothing but trusted coins of the wallet.
    pub(crate) fn is_trusted_unconfirmed(&self, txid: &Txid) -> bool {
        self.trusted.contains(txid)
    }

    pub(crate) fn coins(&self) -> &[Coin] {
        &self.coins
    }

    /// Blocks on top of and including the one at `height`.
    pub(crate) fn depth(&self, height: u32) -> u32 {
        self.tip.map_or(0, |tip| (tip.0 + 1).saturating_sub(height))
    }

    /// A coinbase output can be spent in the next block but one after this many, as in Bitcoin Core's wallet: one
    /// block later than the rules allow, so that a reorganisation does not make the payment invalid.
    pub(crate) fn is_immature(&self, height: u32) -> bool {
        self.depth(height) <= self.maturity
    }

    pub(crate) fn balances(&self) -> Balances {
        let mut balances = Balances::default();
        for coin in &self.coins {
            let part = if coin.immature {
                &mut balances.immature
            } else if coin.trusted {
                &mut balances.trusted
            } else {
                &mut balances.untrusted_pending
            };
            // Coins of valid blocks can't exceed the money supply; the sum is kept from wrapping all the same.
            *part = part.checked_add(coin.output.value).unwrap_or(Amount::MAX);
        }
        balances
    }

    fn find_states(&mut self, ledger: &Ledger) {
        for (txid, anchors) in ledger.graph().all_anchors() {
            let anchor = anchors.iter().find(|anchor| {
                ledger.block_at(Height(anchor.block_id.height)) == Some(anchor.block_id.hash)
            });
            if let Some(anchor) = anchor {
                self.states.insert(*txid, State::Confirmed(*anchor));
            }
        }
        let mut dead = Vec::new();
        let mut open = Vec::new();
        for node in ledger.graph().full_txs() {
            if self.states.contains_key(&node.txid) {
                continue;
            }
            if node.tx.is_coinbase() {
                dead.push((node.txid, State::Orphaned));
            } else if let Some(height) = self.conflict_height(ledger, &node.tx) {
                dead.push((node.txid, State::Conflicted(height)));
            } else {
                open.push(node.txid);
            }
        }
        self.states
            .extend(open.into_iter().map(|txid| (txid, State::Unconfirmed)));
        // What builds on a dead transaction is dead too.
        while let Some((txid, state)) = dead.pop() {
            self.states.insert(txid, state);
            let outputs = ledger.graph().get_tx(txid).map_or(0, |tx| tx.output.len());
            for vout in (0_u32..).take(outputs) {
                for child in ledger.graph().outspends(OutPoint { txid, vout }) {
                    if self.states.get(child) == Some(&State::Unconfirmed) {
                        dead.push((*child, state));
                    }
                }
            }
        }
    }

    /// The height at which a block spends a coin that `tx`, itself in no block, wants to spend.
    fn conflict_height(&self, ledger: &Ledger, tx: &Transaction) -> Option<u32> {
        tx.input
            .iter()
            .flat_map(|input| ledger.graph().outspends(input.previous_output))
            .filter_map(|spender| match self.states.get(spender) {
                Some(State::Confirmed(anchor)) => Some(anchor.block_id.height),
                _ => None,
            })
            .min()
    }

    /// Unconfirmed transactions come in the order in which they were learnt, parents first as a rule; the loop
    /// goes on until nothing changes for the sake of the exceptions.
    fn find_trusted(&mut self, ledger: &Ledger) {
        let mut candidates: Vec<_> = self
            .states
            .iter()
            .filter(|(txid, state)| **state == State::Unconfirmed && ledger.in_mempool(txid))
            .filter_map(|(txid, _)| Some((ledger.record(txid)?.position, *txid)))
            .collect();
        candidates.sort_unstable();
        loop {
            let before = candidates.len();
            candidates.retain(|(_, txid)| {
                let trusted = ledger
                    .graph()
                    .get_tx(*txid)
                    .is_some_and(|tx| self.spends_trusted_only(ledger, &tx));
                if trusted {
                    self.trusted.insert(*txid);
                }
                !trusted
            });
            if candidates.len() == before {
                return;
            }
        }
    }

    fn spends_trusted_only(&self, ledger: &Ledger, tx: &Transaction) -> bool {
        tx.input
            .iter()
            .zip(ledger.own_prevouts(tx))
            .all(|(input, own)| {
                let parent = input.previous_output.txid;
                let known = matches!(self.states.get(&parent), Some(State::Confirmed(_)))
                    || self.trusted.contains(&parent);
                own.is_some() && known
            })
    }

    fn find_coins(&mut self, ledger: &Ledger) {
        for ((keychain, index), outpoint) in ledger.index().outpoints() {
            let height = match self.states.get(&outpoint.txid) {
                Some(State::Confirmed(anchor)) => Some(anchor.block_id.height),
                Some(State::Unconfirmed) if ledger.in_mempool(&outpoint.txid) => None,
                _ => continue,
            };
            if self.is_spent(ledger, outpoint) {
                continue;
            }
            let Some((_, output)) = ledger.index().txout(*outpoint) else {
                continue;
            };
            let coinbase = ledger
                .graph()
                .get_tx(outpoint.txid)
                .is_some_and(|tx| tx.is_coinbase());
            self.coins.push(Coin {
                outpoint: *outpoint,
                output: output.clone(),
                keychain: *keychain,
                index: *index,
                height,
                coinbase,
                immature: coinbase && height.is_some_and(|height| self.is_immature(height)),
                trusted: height.is_some() || self.trusted.contains(&outpoint.txid),
            });
        }
    }

    /// Dead transactions alone let go of the coins that they spend.
    fn is_spent(&self, ledger: &Ledger, outpoint: &OutPoint) -> bool {
        ledger.graph().outspends(*outpoint).iter().any(|spender| {
            matches!(
                self.states.get(spender),
                Some(State::Confirmed(_) | State::Unconfirmed)
            )
        })
    }
}
