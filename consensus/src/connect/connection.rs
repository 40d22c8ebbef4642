//! A block that is being connected, transaction by transaction.

use bitcoin::{Amount, OutPoint, Transaction, Txid};

use foldhash::HashSet;

use super::{BlockEffects, outpoints_of};
use crate::block::in_block;
use crate::coin::is_unspendable;
use crate::script::ScriptFlags;
use crate::transaction::{add_money, check_spent_coins, sigop_cost_under};
use crate::{
    BlockContext, BlockError, ChainSpec, Coin, CoinView, OutPointMap, OutPointSet, PartSpending,
    TransactionError,
};

/// A block that is being connected.
pub(crate) struct Connection<'a> {
    spec: &'a ChainSpec,
    context: &'a BlockContext<'a>,
    flags: ScriptFlags,
    /// For each input that is not applied yet, the coin that was there before the block.
    before: std::vec::IntoIter<Option<&'a Coin>>,
    /// What the transactions spend that were connected at another time.
    earlier: Option<&'a OutPointSet>,
    /// Coins from before the block that it has spent.
    gone: OutPointSet,
    /// What its inputs spend that was not there before: the coin from when it is created until it is spent.
    own: OutPointMap<Option<Coin>>,
    spent: Vec<(OutPoint, Coin)>,
    fees: Amount,
    sigop_cost: u64,
}

impl<'a> Connection<'a> {
    /// Before anything is applied. `transactions` are those that will be, in their order.
    pub(crate) fn new<'t>(
        spec: &'a ChainSpec,
        transactions: impl Iterator<Item = &'t Transaction>,
        context: &'a BlockContext<'a>,
        coins: &'a impl CoinView,
    ) -> Self {
        let mut before = Vec::with_capacity(transactions.size_hint().0);
        let mut own = OutPointMap::default();
        let payments = transactions.filter(|tx| !tx.is_coinbase());
        for input in payments.flat_map(|tx| &tx.input) {
            let coin = coins.coin(&input.previous_output);
            if coin.is_none() {
                own.insert(input.previous_output, None);
            }
            before.push(coin);
        }
        Self {
            spec,
            context,
            flags: ScriptFlags::at_height(spec, context.height),
            earlier: None,
            gone: OutPointSet::with_capacity_and_hasher(
                before.len(),
                foldhash::fast::RandomState::default(),
            ),
            spent: Vec::with_capacity(before.len()),
            before: before.into_iter(),
            own,
            fees: Amount::ZERO,
            sigop_cost: 0,
        }
    }

    /// Goes on behind transactions that were connected at another time, with what they did.
    pub(crate) fn resume<'t>(
        &mut self,
        spending: &'a PartSpending,
        transactions: impl Iterator<Item = (&'t Transaction, Txid)>,
    ) {
        self.earlier = Some(&spending.spent);
        self.fees = spending.fees;
        self.sigop_cost = spending.sigop_cost;
        if self.own.is_empty() {
            return;
        }
        let wanted: HashSet<Txid> = self.own.keys().map(|outpoint| outpoint.txid).collect();
        for (tx, txid) in transactions {
            if wanted.contains(&txid) {
                self.create(tx, txid);
            }
        }
    }

    pub(crate) fn apply(
        &mut self,
        index: usize,
        tx: &Transaction,
        txid: Txid,
    ) -> Result<(), BlockError> {
        if tx.is_coinbase() {
            self.add_sigops(sigop_cost_under(tx, std::iter::empty(), self.flags))?;
        } else {
            self.spend(index, tx)?;
        }
        self.create(tx, txid);
        Ok(())
    }

    /// What was applied spends this, in the order of the inputs.
    pub(crate) fn spent(&self) -> &[(OutPoint, Coin)] {
        &self.spent
    }

    pub(crate) fn fees(&self) -> Amount {
        self.fees
    }

    pub(crate) fn sigop_cost(&self) -> u64 {
        self.sigop_cost
    }

    pub(crate) fn into_effects(self) -> BlockEffects {
        BlockEffects {
            spent: self.spent,
            fees: self.fees,
            script_flags: self.flags,
            height: self.context.height,
            own: self.own.into_keys().collect(),
        }
    }

    /// Remembers the outputs of a transaction that others in the block spend.
    fn create(&mut self, tx: &Transaction, txid: Txid) {
        if self.own.is_empty() {
            return;
        }
        let earlier = self.earlier;
        for (outpoint, output) in outpoints_of(tx, txid).zip(&tx.output) {
            if let Some(own) = self.own.get_mut(&outpoint)
                && !is_unspendable(&output.script_pubkey)
                && !earlier.is_some_and(|spent| spent.contains(&outpoint))
            {
                *own = Some(Coin {
                    output: output.clone(),
                    height: self.context.height,
                    is_coinbase: tx.is_coinbase(),
                });
            }
        }
    }

    /// Takes the coin that the next input spends; `None` if there is none, or none any more.
    fn take(&mut self, outpoint: &OutPoint) -> Option<Coin> {
        match self.before.next()? {
            Some(_) if self.earlier.is_some_and(|spent| spent.contains(outpoint)) => None,
            Some(coin) => self.gone.insert(*outpoint).then(|| coin.clone()),
            None => self.own.get_mut(outpoint)?.take(),
        }
    }

    fn spend(&mut self, index: usize, tx: &Transaction) -> Result<(), BlockError> {
        let first = self.spent.len();
        for input in &tx.input {
            let outpoint = input.previous_output;
            let missing = TransactionError::MissingInput { outpoint };
            let coin = self.take(&outpoint).ok_or(missing);
            self.spent
                .push((outpoint, coin.map_err(in_block(index, tx))?));
        }
        let spent: Vec<&Coin> = self.spent[first..].iter().map(|(_, coin)| coin).collect();
        let fee =
            check_spent_coins(self.spec, tx, self.context, &spent).map_err(in_block(index, tx))?;
        let sigop_cost = sigop_cost_under(tx, spent.iter().copied().map(Some), self.flags);
        self.fees = add_money(self.fees, fee).ok_or(BlockError::FeesOutOfRange)?;
        self.add_sigops(sigop_cost)
    }

    fn add_sigops(&mut self, cost: u64) -> Result<(), BlockError> {
        self.sigop_cost = self.sigop_cost.saturating_add(cost);
        let limit = self.spec.limits.max_block_sigop_cost;
        if self.sigop_cost > limit {
            return Err(BlockError::SigopCost {
                cost: self.sigop_cost,
                limit,
            });
        }
        Ok(())
    }
}
