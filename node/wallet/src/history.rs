//! Describes transactions and coins in the terms of Bitcoin Core's `gettransaction`, `listtransactions` and
//! `listunspent`.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{
    Address, Amount, Network, OutPoint, SignedAmount, Transaction, TxOut, Txid,
};

use crate::ledger::Ledger;
use crate::view::{Coin, State, View};
use crate::{Category, Confirmation, TransactionDetail, Unspent, WalletTransaction};

/// What describing needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scribe<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) view: &'a View,
    pub(crate) network: Network,
}

impl Scribe<'_> {
    /// `None` if the wallet has no such transaction.
    pub(crate) fn transaction(&self, txid: &Txid) -> Option<WalletTransaction> {
        let record = self.ledger.record(txid)?;
        let node = self.ledger.graph().get_tx_node(*txid)?;
        let tx = node.tx;
        let state = self.view.state(txid)?;
        let confirmation = confirmation(state, record.block.map(|(_, index)| index));
        let in_mempool = confirmation.is_none() && self.ledger.in_mempool(txid);
        let is_coinbase = tx.is_coinbase();
        let is_immature =
            is_coinbase && confirmation.is_some_and(|block| self.view.is_immature(block.height.0));
        let sent = sum(self.ledger.own_prevouts(&tx).flatten());
        let received = sum(tx.output.iter().filter(|output| self.is_mine(output)));
        let fee = self.fee(&tx, sent);
        let time = node
            .first_seen
            .or(confirmation.map(|block| block.block_time))
            .or(node.anchors.first().map(|anchor| anchor.confirmation_time))
            .unwrap_or(0);
        Some(WalletTransaction {
            txid: *txid,
            confirmation,
            confirmations: self.confirmations(state),
            time,
            sent,
            received,
            fee,
            is_coinbase,
            is_immature,
            in_mempool,
            trusted: confirmation.is_some() || self.view.is_trusted_unconfirmed(txid),
            signals_replacement: tx.is_explicitly_rbf(),
            details: self.details(*txid, &tx, sent, fee, state),
            conflicts: self.conflicts(&tx),
            comment: record.comment.clone(),
            comment_to: record.comment_to.clone(),
            tx,
        })
    }

    /// `None` if the script of the coin has no address, which the wallet's scripts all have.
    pub(crate) fn unspent(&self, coin: &Coin) -> Option<Unspent> {
        let address = self.address(&coin.output)?;
        let parent = self.ledger.index().get_descriptor(coin.keychain)?;
        let descriptor = parent.at_derivation_index(coin.index).ok()?.to_string();
        Some(Unspent {
            outpoint: coin.outpoint,
            output: coin.output.clone(),
            address,
            label: self.ledger.label(&coin.output.script_pubkey).cloned(),
            confirmations: coin.height.map_or(0, |height| self.view.depth(height)),
            height: coin.height.map(Height),
            coinbase: coin.coinbase,
            is_change: coin.keychain.is_change(),
            spendable: true,
            safe: coin.trusted,
            descriptor,
            parent_descriptor: parent.to_string(),
        })
    }

    /// Known only if every coin that it spends is the wallet's own.
    pub(crate) fn fee(&self, tx: &Transaction, sent: Amount) -> Option<Amount> {
        let all_own = self.ledger.own_prevouts(tx).all(|output| output.is_some());
        if all_own {
            sent.checked_sub(sum(tx.output.iter()))
        } else {
            None
        }
    }

    fn confirmations(&self, state: State) -> i64 {
        match state {
            State::Confirmed(anchor) => i64::from(self.view.depth(anchor.block_id.height)),
            State::Conflicted(height) => -i64::from(self.view.depth(height)),
            State::Unconfirmed | State::Orphaned => 0,
        }
    }

    /// Payments out, without change, then payments in: the order of Bitcoin Core's `ListTransactions`.
    fn details(
        &self,
        txid: Txid,
        tx: &Transaction,
        sent: Amount,
        fee: Option<Amount>,
        state: State,
    ) -> Vec<TransactionDetail> {
        let outputs = || (0_u32..).zip(&tx.output);
        let mut details = Vec::new();
        if sent > Amount::ZERO {
            for (vout, output) in outputs().filter(|(_, output)| !self.is_change(output)) {
                let fee = fee.map(|fee| -signed(fee));
                details.push(self.detail(Category::Send, vout, output, -signed(output.value), fee));
            }
        }
        let category = received_as(tx, state, self.view);
        for (vout, output) in outputs() {
            // The genesis block's coinbase aside, whatever pays a script of ours is indexed.
            let is_mine = self.ledger.index().txout(OutPoint { txid, vout }).is_some();
            if is_mine && !(sent > Amount::ZERO && self.is_change(output)) {
                details.push(self.detail(category, vout, output, signed(output.value), None));
            }
        }
        details
    }

    fn detail(
        &self,
        category: Category,
        vout: u32,
        output: &TxOut,
        amount: SignedAmount,
        fee: Option<SignedAmount>,
    ) -> TransactionDetail {
        let parent_descriptor = (category != Category::Send)
            .then(|| self.parent_descriptor(output))
            .flatten();
        TransactionDetail {
            category,
            address: self.address(output),
            label: self.ledger.label(&output.script_pubkey).cloned(),
            vout,
            amount,
            fee,
            parent_descriptor,
        }
    }

    /// The descriptor of the row of addresses that an output's is one of.
    fn parent_descriptor(&self, output: &TxOut) -> Option<String> {
        let index = self.ledger.index();
        let (keychain, _) = index.index_of_spk(output.script_pubkey.clone())?;
        Some(index.get_descriptor(*keychain)?.to_string())
    }

    fn conflicts(&self, tx: &Transaction) -> Vec<Txid> {
        let mut conflicts: Vec<Txid> = self
            .ledger
            .graph()
            .direct_conflicts(tx)
            .map(|(_, txid)| txid)
            .filter(|txid| self.ledger.record(txid).is_some())
            .collect();
        conflicts.sort_unstable();
        conflicts.dedup();
        conflicts
    }

    fn is_mine(&self, output: &TxOut) -> bool {
        self.ledger
            .index()
            .index_of_spk(output.script_pubkey.clone())
            .is_some()
    }

    fn is_change(&self, output: &TxOut) -> bool {
        self.ledger
            .index()
            .index_of_spk(output.script_pubkey.clone())
            .is_some_and(|(keychain, _)| keychain.is_change())
    }

    fn address(&self, output: &TxOut) -> Option<Address> {
        Address::from_script(&output.script_pubkey, self.network).ok()
    }
}

fn confirmation(state: State, block_index: Option<u32>) -> Option<Confirmation> {
    let State::Confirmed(anchor) = state else {
        return None;
    };
    Some(Confirmation {
        height: Height(anchor.block_id.height),
        block_hash: anchor.block_id.hash,
        block_time: anchor.confirmation_time,
        block_index: block_index.unwrap_or(0),
    })
}

fn received_as(tx: &Transaction, state: State, view: &View) -> Category {
    match state {
        _ if !tx.is_coinbase() => Category::Receive,
        State::Confirmed(anchor) if view.is_immature(anchor.block_id.height) => Category::Immature,
        State::Confirmed(_) => Category::Generate,
        _ => Category::Orphan,
    }
}

/// Amounts of outputs that valid transactions have can't overflow; a false one in the mempool counts as the most.
fn sum<'a>(outputs: impl Iterator<Item = &'a TxOut>) -> Amount {
    outputs
        .map(|output| output.value)
        .try_fold(Amount::ZERO, Amount::checked_add)
        .unwrap_or(Amount::MAX_MONEY)
}

fn signed(amount: Amount) -> SignedAmount {
    amount.to_signed().unwrap_or(SignedAmount::MAX_MONEY)
}
