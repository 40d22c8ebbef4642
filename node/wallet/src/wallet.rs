//! The inside of a wallet: ledger, keys and database, and the operations that need more than one of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_consensus::bitcoin::{
    Address, Amount, BlockHash, Script, ScriptBuf, Transaction, absolute,
};

use crate::history::Scribe;
use crate::keys::{KeyRing, Keychain};
use crate::ledger::Ledger;
use crate::reservation::Reservations;
use crate::seed::{create_wallet_directory, read_seed, seed_path};
use crate::sign::sign;
use crate::spend::Payment;
use crate::store::{Content, Durability, Identity, Store, check_identity};
use crate::view::{Coin, View};
use crate::{AddressType, Seed, SeedSource, SendOptions, WalletConfig, WalletError, write_seed};

const DATABASE_FILE: &str = "wallet.sqlite";
/// Checkpoints given without gaps; beyond, their distance doubles.
const DENSE_CHECKPOINTS: u32 = 64;

/// Whether transactions that the wallet knew left the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    None,
    Some,
}

pub(crate) struct Wallet {
    pub(crate) config: WalletConfig,
    pub(crate) birth_time: u64,
    secp: Secp256k1<All>,
    keys: KeyRing,
    store: Store,
    pub(crate) ledger: Ledger,
    /// `None` after a change of the ledger.
    view: Option<Arc<View>>,
    pub(crate) reservations: Reservations,
}

impl Wallet {
    /// See [`WalletHandle::open_or_create`](crate::WalletHandle::open_or_create).
    pub(crate) fn open(config: WalletConfig, seed: &SeedSource) -> Result<Self, WalletError> {
        let directory = create_wallet_directory(&config.directory, &config.name)?;
        let database = directory.join(DATABASE_FILE);
        let seed_file = seed_path(&directory);
        let demanded = seed.demanded()?;
        let seed = match (read_seed(&seed_file)?, demanded) {
            (Some(present), Some(demanded)) if present != demanded => {
                return Err(WalletError::SeedExists { path: seed_file });
            }
            (Some(present), _) => present,
            (None, _) if database.exists() => {
                return Err(WalletError::SeedMissing { path: seed_file });
            }
            (None, demanded) => {
                let seed = demanded.unwrap_or_else(Seed::random);
                write_seed(&config.directory, &config.name, &seed)?;
                seed
            }
        };
        let secp = Secp256k1::new();
        let keys = KeyRing::new(&seed, config.network, &secp)?;
        let (mut store, mut content) = Store::open(&database)?;
        let birth_time = identify(&config, &keys, &mut store, &mut content)?;
        let ledger = Ledger::new(config.genesis_hash, &keys, content).map_err(|reason| {
            WalletError::Corrupt {
                path: database,
                reason,
            }
        })?;
        Ok(Self {
            config,
            birth_time,
            secp,
            keys,
            store,
            ledger,
            view: None,
            reservations: Reservations::default(),
        })
    }

    pub(crate) fn cursor(&self) -> (Height, BlockHash) {
        self.ledger
            .tip()
            .unwrap_or((Height::GENESIS, self.ledger.genesis_hash()))
    }

    pub(crate) fn checkpoints(&self) -> Vec<(Height, BlockHash)> {
        let (tip, _) = self.cursor();
        let mut checkpoints = Vec::new();
        let mut height = Some(tip.0);
        let mut step = 1;
        while let Some(present) = height {
            let hash = self.ledger.block_at(Height(present));
            checkpoints.push((Height(present), hash.unwrap_or(self.ledger.genesis_hash())));
            if tip.0 - present >= DENSE_CHECKPOINTS {
                step = u32::saturating_mul(step, 2);
            }
            height = if present == 0 {
                None
            } else {
                Some(present.saturating_sub(step))
            };
        }
        checkpoints
    }

    /// Takes note of what entered the mempool. What left it before was noted by the caller, who says
    /// whether the wallet knew any of it. The state that was derived stays as it is if nothing of it all
    /// concerns the wallet, as most of a busy mempool doesn't.
    pub(crate) fn add_unconfirmed(
        &mut self,
        added: &[(Arc<Transaction>, u64)],
        removed: Removed,
    ) -> Result<(), WalletError> {
        let mut is_changed = removed == Removed::Some;
        for (tx, first_seen) in added {
            is_changed |= self.ledger.add_unconfirmed(tx, *first_seen);
        }
        if is_changed {
            self.save(Durability::Process)?;
        }
        Ok(())
    }

    /// Writes what is staged, and forgets what was derived from the state before.
    pub(crate) fn save(&mut self, durability: Durability) -> Result<(), WalletError> {
        self.view = None;
        if !self.ledger.stage().is_empty() {
            self.store.commit(self.ledger.stage(), durability)?;
            self.ledger.clear_stage();
        }
        Ok(())
    }

    pub(crate) fn view(&mut self) -> Arc<View> {
        let Self {
            view,
            ledger,
            config,
            ..
        } = self;
        let view =
            view.get_or_insert_with(|| Arc::new(View::new(ledger, config.coinbase_maturity)));
        Arc::clone(view)
    }

    pub(crate) fn scribe<'a>(&'a self, view: &'a View) -> Scribe<'a> {
        Scribe {
            ledger: &self.ledger,
            view,
            network: self.config.network,
        }
    }

    pub(crate) fn address(&self, script: &Script) -> Address {
        Address::from_script(script, self.config.network)
            .expect("the wallet's scripts are P2WPKH and P2TR")
    }

    pub(crate) fn create_transaction(
        &mut self,
        recipients: &[(ScriptBuf, Amount)],
        options: &SendOptions,
        now: Instant,
    ) -> Result<Transaction, WalletError> {
        self.reservations.drop_lapsed(now);
        let reserved = self.reservations.coins();
        let view = self.view();
        let spendable =
            |coin: &&Coin| coin.trusted && !coin.immature && !reserved.contains(&coin.outpoint);
        let coins: Vec<Coin> = view.coins().iter().filter(spendable).cloned().collect();
        let (keychain, index, script) = self.change_script(recipients)?;
        let payment = Payment {
            recipients,
            options,
            change_script: &script,
            lock_time: options.lock_time.unwrap_or_else(|| self.tip_lock_time()),
        };
        let plan = payment.plan(&coins, &mut rand::thread_rng())?;
        let tx = sign(plan.tx, &plan.coins, &self.keys, &self.secp)?;
        let change = plan.has_change.then_some((keychain, index));
        if change.is_some() {
            self.ledger.reveal_to(keychain, index);
            self.save(Durability::Process)?;
        }
        self.reservations.add(&tx, change, now);
        Ok(tx)
    }

    /// Against fee sniping: not valid in a block that would replace the present tip.
    fn tip_lock_time(&self) -> absolute::LockTime {
        absolute::LockTime::from_height(self.cursor().0.0).unwrap_or(absolute::LockTime::ZERO)
    }

    /// A change script that no transaction pays yet: taproot if a recipient is, so that the change does not stand out.
    fn change_script(
        &self,
        recipients: &[(ScriptBuf, Amount)],
    ) -> Result<(Keychain, u32, ScriptBuf), WalletError> {
        let is_taproot = recipients.iter().any(|(script, _)| script.is_p2tr());
        let kind = if is_taproot {
            AddressType::Bech32m
        } else {
            AddressType::Bech32
        };
        let keychain = Keychain::change(kind);
        let index = self.ledger.index();
        let unused = index
            .unused_keychain_spks(keychain)
            .find(|(index, _)| !self.reservations.holds_change(keychain, *index));
        let next = || {
            let (next, _) = index.next_index(keychain)?;
            Some((next, index.spk_at_index(keychain, next)?))
        };
        let (index, script) = unused
            .or_else(next)
            .ok_or(WalletError::AddressesExhausted)?;
        Ok((keychain, index, script))
    }
}

/// Checks that the database was made for this wallet, or marks a new one; returns its birth time.
fn identify(
    config: &WalletConfig,
    keys: &KeyRing,
    store: &mut Store,
    content: &mut Content,
) -> Result<u64, WalletError> {
    let descriptors: BTreeMap<u32, String> = keys
        .descriptors()
        .iter()
        .map(|(keychain, descriptor)| (keychain.code(), descriptor.to_string()))
        .collect();
    if let Some(found) = content.identity.take() {
        let path = store.path();
        check_identity(
            path,
            &found,
            config.network,
            config.genesis_hash,
            &descriptors,
        )?;
        return Ok(found.birth_time);
    }
    let birth_time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    store.initialise(&Identity {
        network: config.network.to_string(),
        genesis_hash: config.genesis_hash,
        birth_time,
        descriptors,
    })?;
    Ok(birth_time)
}
