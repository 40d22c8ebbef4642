//! Connecting a block to the coins: what it spends, creates and pays, and the scripts to verify.

mod connection;

use bitcoin::{Amount, BlockHash, OutPoint, Transaction, Txid, Wtxid};

use foldhash::{HashMap, HashSet};

use crate::block::in_block;
use crate::coin::is_unspendable;
use crate::script::{ScriptCheck, ScriptFlags};
use crate::transaction::output_total;
use crate::{
    BlockContents, BlockContext, BlockError, ChainSpec, Coin, CoinView, HashedBlock, Height,
    OutPointSet,
};

pub(crate) use connection::Connection;

/// Bitcoin's two blocks whose coinbases repeat earlier ones, which BIP-0030 lets stand: the height and
/// the hash as it is printed (Bitcoin Core's `IsBIP30Repeat`).
const BIP30_REPEATS: [(u32, &str); 2] = [
    (
        91_842,
        "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec",
    ),
    (
        91_880,
        "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721",
    ),
];

/// Bitcoin's two blocks whose coinbases those overwrote, so that nothing can spend them any more (Bitcoin
/// Core's `IsBIP30Unspendable`).
const BIP30_UNSPENDABLE: [(u32, &str); 2] = [
    (
        91_722,
        "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e",
    ),
    (
        91_812,
        "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f",
    ),
];

/// Bitcoin's genesis block: only on its chain it is known what the coinbases before BIP-0034 hold.
const BITCOIN_GENESIS: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

/// On Bitcoin's chain, the first height after BIP-0034 that a coinbase from before it happens to begin
/// with, so that it could be repeated (Bitcoin Core's `BIP34_IMPLIES_BIP30_LIMIT`).
const BIP34_IMPLIES_BIP30_LIMIT: u32 = 1_983_702;

/// What a valid block does, if its scripts verify.
#[derive(Debug)]
pub struct BlockEffects {
    /// The coins that its inputs spend, one for each input of each transaction other than the
    /// coinbase, in their order; a coin that the block itself created and spent appears here too.
    pub spent: Vec<(OutPoint, Coin)>,
    /// Fees of its transactions.
    pub fees: Amount,
    /// The rules that its scripts have to keep.
    pub script_flags: ScriptFlags,
    /// Its height.
    pub height: Height,
    /// Coins that it created and spent itself.
    pub own: OutPointSet,
}

impl BlockEffects {
    /// Coins that the block leaves: created by it, spendable (no `OP_RETURN`), not spent by it. `block` is the one whose
    /// effects these are.
    pub fn created<'a>(
        &'a self,
        block: &'a impl BlockContents,
    ) -> impl Iterator<Item = (OutPoint, Coin)> + 'a {
        let coins = transactions(block).flat_map(|(tx, txid)| coins_of(tx, txid, self.height));
        coins.filter(|(outpoint, _)| self.own.is_empty() || !self.own.contains(outpoint))
    }

    /// Coins that were there before the block and that it spends.
    pub fn removed(&self) -> impl Iterator<Item = &OutPoint> {
        let spent = self.spent.iter().map(|(outpoint, _)| outpoint);
        spent.filter(|outpoint| self.own.is_empty() || !self.own.contains(outpoint))
    }

    /// The scripts to verify: those of each transaction other than the coinbase of `block`, whose effects
    /// these are.
    pub fn scripts<'a>(
        &'a self,
        block: &'a impl BlockContents,
    ) -> impl Iterator<Item = TransactionScripts<'a>> {
        scripts_from(block, 0, &self.spent, self.script_flags)
    }
}

/// The scripts of a block's transactions from the one at `first` on; `spent` is what these spend.
pub(crate) fn scripts_from<'a>(
    block: &'a impl BlockContents,
    first: usize,
    mut spent: &'a [(OutPoint, Coin)],
    flags: ScriptFlags,
) -> impl Iterator<Item = TransactionScripts<'a>> {
    let transactions = transactions(block).zip(block.wtxids()).skip(first);
    transactions
        .filter(|((transaction, _), _)| !transaction.is_coinbase())
        .map(move |((transaction, txid), wtxid)| {
            let (own, rest) = spent.split_at(transaction.input.len());
            spent = rest;
            TransactionScripts {
                transaction,
                txid,
                wtxid: *wtxid,
                spent: own,
                flags,
            }
        })
}

/// The scripts of a block's transaction, which may have been verified before.
#[derive(Clone, Copy, Debug)]
pub struct TransactionScripts<'a> {
    transaction: &'a Transaction,
    txid: Txid,
    wtxid: Wtxid,
    /// What its inputs spend, in their order.
    spent: &'a [(OutPoint, Coin)],
    flags: ScriptFlags,
}

impl TransactionScripts<'_> {
    /// The transaction's id with its witnesses.
    #[must_use]
    pub fn wtxid(&self) -> &Wtxid {
        &self.wtxid
    }

    /// The rules that they have to keep.
    #[must_use]
    pub fn flags(&self) -> ScriptFlags {
        self.flags
    }

    /// The check that verifies them.
    #[must_use]
    pub fn check(&self) -> ScriptCheck {
        let outputs = self.spent.iter().map(|(_, coin)| coin.output.clone());
        ScriptCheck::with_txid(self.transaction, self.txid, outputs.collect(), self.flags)
    }
}

/// The coins that exist from the start: the spendable outputs of the genesis block's transactions
/// after its coinbase, whose own output is none (as in Bitcoin). The genesis block itself is never
/// connected.
#[must_use]
pub fn genesis_coins(spec: &ChainSpec) -> Vec<(OutPoint, Coin)> {
    let genesis = spec.genesis_block();
    let allocations = genesis.txdata.iter().skip(1);
    allocations
        .flat_map(|tx| coins_of(tx, tx.compute_txid(), Height::GENESIS))
        .collect()
}

/// The outpoints whose coins a caller must read before `connect_block`: every input's that the block
/// does not create itself, and, where BIP-0030 applies at `height`, every output's.
#[must_use]
pub fn outpoints_to_read(
    spec: &ChainSpec,
    block: &impl BlockContents,
    height: Height,
) -> Vec<OutPoint> {
    further_outpoints_to_read(spec, block, height, 0, |_| false)
}

/// [`outpoints_to_read`] for the transactions from the one at `first` on, without those whose coins the caller has
/// already.
pub(crate) fn further_outpoints_to_read(
    spec: &ChainSpec,
    block: &impl BlockContents,
    height: Height,
    first: usize,
    is_known: impl Fn(&OutPoint) -> bool,
) -> Vec<OutPoint> {
    let payments = block.body().enumerate().skip(first);
    let inputs = payments
        .filter(|(_, tx)| !tx.is_coinbase())
        .flat_map(|(index, tx)| tx.input.iter().map(move |i| (index, i.previous_output)))
        .filter(|(_, outpoint)| !is_known(outpoint));
    let inputs: Vec<(usize, OutPoint)> = inputs.collect();
    // Where in the block the transactions are that these spend.
    let spent: HashSet<Txid> = inputs.iter().map(|(_, outpoint)| outpoint.txid).collect();
    let mut own: HashMap<Txid, usize> = HashMap::default();
    if !spent.is_empty() {
        for (index, txid) in block.txids().iter().enumerate() {
            if spent.contains(txid) {
                own.entry(*txid).or_insert(index);
            }
        }
    }
    let is_own = |index: usize, txid: &Txid| own.get(txid).is_some_and(|own| *own < index);
    let from_before = inputs
        .into_iter()
        .filter(|(index, outpoint)| !is_own(*index, &outpoint.txid));
    let mut outpoints: Vec<OutPoint> = from_before.map(|(_, outpoint)| outpoint).collect();
    if bip30_applies(spec, block, height) {
        let outputs = transactions(block).flat_map(|(tx, txid)| outpoints_of(tx, txid));
        outpoints.extend(outputs.filter(|outpoint| !is_known(outpoint)));
    }
    outpoints
}

/// Applies a block to the coins (`check_block` and `check_block_in_chain` have passed): existence,
/// maturity, values, fees, subsidy, relative locks (BIP-0068), sigop cost, BIP-0030.
///
/// The block is valid if the script checks in its effects succeed, too.
///
/// # Errors
/// The first rule that it breaks, in the order of Bitcoin Core's `ConnectBlock`.
pub fn connect_block(
    spec: &ChainSpec,
    block: &impl BlockContents,
    context: &BlockContext<'_>,
    coins: &impl CoinView,
) -> Result<BlockEffects, BlockError> {
    if bip30_applies(spec, block, context.height) {
        check_overwrites_nothing(block, coins)?;
    }
    let mut connection = Connection::new(spec, block.body(), context, coins);
    for (index, (transaction, txid)) in transactions(block).enumerate() {
        connection.apply(index, transaction, txid)?;
    }
    check_coinbase_amount(spec, block, context.height, connection.fees())?;
    Ok(connection.into_effects())
}

/// What disconnecting a block does to the coins.
#[derive(Debug)]
pub struct DisconnectEffects {
    /// Coins that existed before the block and exist again.
    pub restored: Vec<(OutPoint, Coin)>,
    /// Outpoints of coins that the block had left and that are gone.
    pub removed: Vec<OutPoint>,
}

/// Undoes a block; `spent` is what `BlockEffects::spent` was when it was connected.
#[must_use]
pub fn disconnect_block(block: &HashedBlock, spent: &[(OutPoint, Coin)]) -> DisconnectEffects {
    let own: HashSet<&Txid> = block.txids().iter().collect();
    let (spent_own, restored): (Vec<_>, Vec<_>) = spent
        .iter()
        .partition(|(outpoint, _)| own.contains(&outpoint.txid));
    let spent_own: OutPointSet = spent_own
        .into_iter()
        .map(|(outpoint, _)| *outpoint)
        .collect();
    let removed = block
        .transactions()
        .flat_map(|(transaction, txid)| spendable_outpoints_of(transaction, txid))
        .filter(|outpoint| !spent_own.contains(outpoint))
        .collect();
    DisconnectEffects {
        restored: restored.into_iter().cloned().collect(),
        removed,
    }
}

/// Whether a block is one of Bitcoin's two whose coinbases repeat earlier ones, and so made no coins that
/// were not there (Bitcoin Core's `IsBIP30Repeat`).
#[must_use]
pub fn is_bip30_repeat(height: Height, hash: BlockHash) -> bool {
    is_one_of(&BIP30_REPEATS, height, hash)
}

/// Whether a block is one of Bitcoin's two whose coinbases later ones overwrote (Bitcoin Core's
/// `IsBIP30Unspendable`).
#[must_use]
pub fn is_bip30_unspendable(height: Height, hash: BlockHash) -> bool {
    is_one_of(&BIP30_UNSPENDABLE, height, hash)
}

fn is_one_of(blocks: &[(u32, &str)], height: Height, hash: BlockHash) -> bool {
    blocks
        .iter()
        .any(|(known, printed)| height.0 == *known && hash.to_string() == *printed)
}

/// Whether a block at `height` may not overwrite coins (BIP-0030) in a way that nothing else excludes.
///
/// Once coinbases hold their heights (BIP-0034) no transaction can be repeated, but for coinbases that
/// are older than that rule.
pub(crate) fn bip30_applies(spec: &ChainSpec, block: &impl BlockContents, height: Height) -> bool {
    let bip34 = spec.deployments.bip34;
    if bip34 <= 1 {
        return false;
    }
    if height.0 > bip34 && spec.genesis_hash().to_string() == BITCOIN_GENESIS {
        return height.0 >= BIP34_IMPLIES_BIP30_LIMIT;
    }
    !is_bip30_repeat(height, block.header().block_hash())
}

pub(crate) fn check_overwrites_nothing(
    block: &impl BlockContents,
    coins: &impl CoinView,
) -> Result<(), BlockError> {
    let mut outpoints = transactions(block).flat_map(|(tx, txid)| outpoints_of(tx, txid));
    match outpoints.find(|outpoint| coins.coin(outpoint).is_some()) {
        Some(outpoint) => Err(BlockError::Overwrite { outpoint }),
        None => Ok(()),
    }
}

pub(crate) fn check_coinbase_amount(
    spec: &ChainSpec,
    block: &impl BlockContents,
    height: Height,
    fees: Amount,
) -> Result<(), BlockError> {
    let Some(coinbase) = block.body().next() else {
        return Ok(());
    };
    let taken = output_total(coinbase).map_err(in_block(0, coinbase))?;
    // A subsidy that no sum can hold is more than any coinbase can take.
    let allowed = spec
        .subsidy(height)
        .checked_add(fees)
        .unwrap_or(Amount::MAX);
    if taken > allowed {
        return Err(BlockError::CoinbaseAmount { taken, allowed });
    }
    Ok(())
}

/// A block's transactions with their ids.
pub(crate) fn transactions(
    block: &impl BlockContents,
) -> impl Iterator<Item = (&Transaction, Txid)> {
    block.body().zip(block.txids().iter().copied())
}

pub(crate) fn outpoints_of(
    transaction: &Transaction,
    txid: Txid,
) -> impl Iterator<Item = OutPoint> {
    let outputs = u32::try_from(transaction.output.len()).expect("outputs are counted in 32 bits");
    (0..outputs).map(move |vout| OutPoint { txid, vout })
}

fn spendable_outpoints_of(
    transaction: &Transaction,
    txid: Txid,
) -> impl Iterator<Item = OutPoint> + '_ {
    outpoints_of(transaction, txid)
        .zip(&transaction.output)
        .filter(|(_, output)| !is_unspendable(&output.script_pubkey))
        .map(|(outpoint, _)| outpoint)
}

/// The coins that a transaction in a block at `height` creates.
fn coins_of(
    transaction: &Transaction,
    txid: Txid,
    height: Height,
) -> impl Iterator<Item = (OutPoint, Coin)> + '_ {
    let is_coinbase = transaction.is_coinbase();
    outpoints_of(transaction, txid)
        .zip(&transaction.output)
        .filter(|(_, output)| !is_unspendable(&output.script_pubkey))
        .map(move |(outpoint, output)| {
            (
                outpoint,
                Coin {
                    output: output.clone(),
                    height,
                    is_coinbase,
                },
            )
        })
}

#[cfg(test)]
mod tests;
