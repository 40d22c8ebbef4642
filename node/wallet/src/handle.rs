//! The door to a wallet: one lock around its inside.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{
    Address, Amount, Block, BlockHash, Script, ScriptBuf, Transaction, Txid,
};

use crate::keys::Keychain;
use crate::ledger::LOOKAHEAD;
use crate::store::Durability;
use crate::view::State;
use crate::wallet::{Removed, Wallet};
use crate::{
    AddressType, Balances, SeedSource, SendOptions, Unspent, WalletConfig, WalletError, WalletInfo,
    WalletTransaction,
};

/// Bound of labels and comments.
const MAX_TEXT_BYTES: usize = 4096;

/// A wallet. Methods block on its lock and on the disk; clones are the same wallet.
#[derive(Clone)]
pub struct WalletHandle {
    pub(crate) inner: Arc<Mutex<Wallet>>,
}

impl WalletHandle {
    /// Opens the wallet; makes what is missing: the seed from `seed`, the database from the seed.
    ///
    /// # Errors
    /// Damaged files, another chain's or another program's; a seed that is not the one demanded; a
    /// wallet that another process has open.
    pub fn open_or_create(config: WalletConfig, seed: SeedSource) -> Result<Self, WalletError> {
        let wallet = Wallet::open(config, &seed)?;
        Ok(Self {
            inner: Arc::new(Mutex::new(wallet)),
        })
    }

    /// The last block that it followed; the genesis block for a new wallet, which has still to be given
    /// it: see [`is_new`](Self::is_new).
    #[must_use]
    pub fn cursor(&self) -> (Height, BlockHash) {
        self.lock().cursor()
    }

    /// It was given no block yet, not even the genesis block, whose transactions may pay it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.lock().ledger.is_new()
    }

    /// Blocks that it followed, newest first, for finding one that the chain still knows: the last 64, then ever
    /// further apart, down to the genesis block.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<(Height, BlockHash)> {
        self.lock().checkpoints()
    }

    /// Connects `block`, whose parent it must know. A block at a height at or below the cursor takes the
    /// place of the blocks from there on.
    ///
    /// # Errors
    /// [`WalletError::UnknownParent`]; [`WalletError::GenesisNotApplied`] if the wallet is new and this is not the
    /// genesis block; [`WalletError::WrongGenesisBlock`]; a failure of the database.
    pub fn apply_block(&self, block: &Block, height: Height) -> Result<(), WalletError> {
        self.apply_blocks(&[(block, height)])
    }

    /// Connects blocks in their order, and writes to the database once.
    ///
    /// # Errors
    /// As [`apply_block`](Self::apply_block); the blocks before the failing one stay connected.
    pub fn apply_blocks<B: Borrow<Block>>(
        &self,
        blocks: &[(B, Height)],
    ) -> Result<(), WalletError> {
        let mut wallet = self.lock();
        let applied = blocks
            .iter()
            .try_for_each(|(block, height)| wallet.ledger.apply_block(block.borrow(), *height));
        // The blocks can be followed again after a loss of power.
        wallet.save(Durability::Process)?;
        applied
    }

    /// Goes back to the block at `height`, for a chain that lost blocks and gained none in their place.
    ///
    /// # Errors
    /// [`WalletError::UnknownHeight`] above the cursor; a failure of the database.
    pub fn disconnect_to(&self, height: Height) -> Result<(), WalletError> {
        let mut wallet = self.lock();
        wallet.ledger.rewind(height)?;
        wallet.save(Durability::Process)
    }

    /// Takes note of what entered the mempool (parents first, each with the time when it was first seen) and of what
    /// left it. The wallet's own transactions that left it stay in [`unconfirmed`](Self::unconfirmed).
    ///
    /// # Errors
    /// A failure of the database.
    pub fn apply_mempool(
        &self,
        added: &[(Arc<Transaction>, u64)],
        removed: &[Txid],
    ) -> Result<(), WalletError> {
        let mut wallet = self.lock();
        let mut left = Removed::None;
        for txid in removed {
            if wallet.ledger.remove_unconfirmed(txid) {
                left = Removed::Some;
            }
        }
        wallet.add_unconfirmed(added, left)
    }

    /// Takes note of all that is in the mempool: what is not in `entries` is not in it.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn set_mempool(&self, entries: &[(Arc<Transaction>, u64)]) -> Result<(), WalletError> {
        let mut wallet = self.lock();
        wallet.ledger.clear_mempool();
        wallet.add_unconfirmed(entries, Removed::Some)
    }

    /// Whether `tx` pays or spends a script of the wallet.
    #[must_use]
    pub fn is_relevant(&self, tx: &Transaction) -> bool {
        self.lock().ledger.is_relevant(tx)
    }

    /// The wallet's own transactions that are in no block and may yet be, parents first: to be offered to the
    /// mempool again.
    #[must_use]
    pub fn unconfirmed(&self) -> Vec<Arc<Transaction>> {
        let mut wallet = self.lock();
        let view = wallet.view();
        let ledger = &wallet.ledger;
        ledger
            .order()
            .values()
            .filter(|txid| view.state(txid) == Some(State::Unconfirmed))
            .filter_map(|txid| Some((txid, ledger.graph().get_tx(*txid)?)))
            .filter(|(txid, tx)| ledger.is_own(tx, txid))
            .map(|(_, tx)| tx)
            .collect()
    }

    /// An address that was never given out before, with a label.
    ///
    /// # Errors
    /// [`WalletError::TextTooLong`], [`WalletError::AddressesExhausted`], a failure of the database.
    pub fn new_address(&self, kind: AddressType, label: &str) -> Result<Address, WalletError> {
        check_text(label)?;
        let mut wallet = self.lock();
        let script = wallet.ledger.reveal_next(Keychain::external(kind))?;
        let address = wallet.address(&script);
        wallet.ledger.set_label(script, label);
        wallet.save(Durability::Power)?;
        Ok(address)
    }

    /// The address at `index`, given out or not.
    ///
    /// # Panics
    /// If `index` is 2³¹ or more.
    #[must_use]
    pub fn peek_address(&self, kind: AddressType, index: u32) -> Address {
        let wallet = self.lock();
        let descriptor = wallet
            .ledger
            .index()
            .get_descriptor(Keychain::external(kind))
            .expect("every keychain has a descriptor");
        let script = descriptor
            .at_derivation_index(index)
            .expect("indexes are below 2^31")
            .script_pubkey();
        wallet.address(&script)
    }

    /// Labels an address, the wallet's or another.
    ///
    /// # Errors
    /// [`WalletError::TextTooLong`], a failure of the database.
    pub fn set_label(&self, address: &Address, label: &str) -> Result<(), WalletError> {
        check_text(label)?;
        let mut wallet = self.lock();
        wallet.ledger.set_label(address.script_pubkey(), label);
        wallet.save(Durability::Power)
    }

    /// The label of an address, `None` if it was given none.
    #[must_use]
    pub fn label(&self, address: &Address) -> Option<String> {
        self.lock().ledger.label(&address.script_pubkey()).cloned()
    }

    /// Whether the wallet has the key of `script`.
    #[must_use]
    pub fn is_mine(&self, script: &Script) -> bool {
        self.lock()
            .ledger
            .index()
            .index_of_spk(script.to_owned())
            .is_some()
    }

    /// The coins, by how certain they are.
    #[must_use]
    pub fn balances(&self) -> Balances {
        self.lock().view().balances()
    }

    /// The coins that nothing spends: confirmed and mature, or in the mempool.
    #[must_use]
    pub fn list_unspent(&self) -> Vec<Unspent> {
        let mut wallet = self.lock();
        let view = wallet.view();
        let scribe = wallet.scribe(&view);
        view.coins()
            .iter()
            .filter(|coin| !coin.immature)
            .filter_map(|coin| scribe.unspent(coin))
            .collect()
    }

    /// Makes and signs a payment from coins of both accounts. The coins are set aside until the transaction is
    /// recorded with [`record_sent`](Self::record_sent) or given up with [`release`](Self::release), or for a minute.
    ///
    /// # Errors
    /// [`WalletError::InsufficientFunds`], or whatever is wrong with the recipients, the fee rate or the size; a
    /// failure of the database.
    pub fn create_transaction(
        &self,
        recipients: &[(ScriptBuf, Amount)],
        options: SendOptions,
    ) -> Result<Transaction, WalletError> {
        let mut wallet = self.lock();
        wallet.create_transaction(recipients, &options, Instant::now())
    }

    /// Gives up a transaction of [`create_transaction`](Self::create_transaction) that was not sent.
    pub fn release(&self, txid: &Txid) {
        self.lock().reservations.release(txid);
    }

    /// Records a transaction that the mempool took. Once this returns it is never lost, and it is in
    /// [`unconfirmed`](Self::unconfirmed) until a block has it or another one that spends its coins.
    ///
    /// # Errors
    /// [`WalletError::NotRelevant`], [`WalletError::TextTooLong`], a failure of the database.
    pub fn record_sent(
        &self,
        tx: Arc<Transaction>,
        time: u64,
        comment: &str,
        comment_to: &str,
    ) -> Result<(), WalletError> {
        check_text(comment)?;
        check_text(comment_to)?;
        let mut wallet = self.lock();
        wallet.ledger.record_sent(&tx, time, comment, comment_to)?;
        wallet.save(Durability::Power)?;
        wallet.reservations.release(&tx.compute_txid());
        Ok(())
    }

    /// The wallet's transaction of that id.
    #[must_use]
    pub fn transaction(&self, txid: &Txid) -> Option<WalletTransaction> {
        let mut wallet = self.lock();
        let view = wallet.view();
        wallet.scribe(&view).transaction(txid)
    }

    /// The wallet's transactions in the order in which it learnt of them.
    #[must_use]
    pub fn transactions(&self) -> Vec<WalletTransaction> {
        self.recent_transactions(usize::MAX)
    }

    /// The `count` transactions that it learnt of last, oldest first.
    #[must_use]
    pub fn recent_transactions(&self, count: usize) -> Vec<WalletTransaction> {
        let mut wallet = self.lock();
        let view = wallet.view();
        let scribe = wallet.scribe(&view);
        let newest = wallet.ledger.order().values().rev().take(count);
        let mut transactions: Vec<_> = newest.filter_map(|txid| scribe.transaction(txid)).collect();
        transactions.reverse();
        transactions
    }

    /// The fee of a transaction that spends the wallet's coins only; `None` if it spends others.
    #[must_use]
    pub fn fee(&self, tx: &Transaction) -> Option<Amount> {
        let mut wallet = self.lock();
        let view = wallet.view();
        let sent = wallet
            .ledger
            .own_prevouts(tx)
            .flatten()
            .try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value))?;
        wallet.scribe(&view).fee(tx, sent)
    }

    /// Facts about the wallet.
    #[must_use]
    pub fn info(&self) -> WalletInfo {
        let wallet = self.lock();
        WalletInfo {
            name: wallet.config.name.clone(),
            tx_count: wallet.ledger.order().len(),
            keypool_size: 2 * LOOKAHEAD,
            keypool_size_internal: 2 * LOOKAHEAD,
            cursor: wallet.cursor(),
            format: "sqlite",
            descriptors: true,
            private_keys_enabled: true,
            birth_time: wallet.birth_time,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wallet> {
        self.inner
            .lock()
            .expect("nothing panics while it holds the wallet")
    }
}

impl fmt::Debug for WalletHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WalletHandle(redacted)")
    }
}

fn check_text(text: &str) -> Result<(), WalletError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(WalletError::TextTooLong {
            length: text.len(),
            maximum: MAX_TEXT_BYTES,
        });
    }
    Ok(())
}
