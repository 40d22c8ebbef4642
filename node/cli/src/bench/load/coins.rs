//! Coins for a load: a fresh database whose chain has as many of them as are asked for, all of one owner, and the
//! payments that spend them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use pyrite_chain::{Chain, ChainConfig, Clock, Submitted};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_consensus::bitcoin::{
    Address, Amount, Block, OutPoint, ScriptBuf, Transaction, TxOut, Txid, transaction,
};
use pyrite_consensus::{ChainSpec, Height};
use pyrite_node::db_cache_bytes;

use crate::bench::block::{Place, input, make_block};
use crate::bench::owner::{Kind, Owner};

/// Outputs of a transaction that splits a coinbase: a block of one such is below the greatest weight.
const OUTPUTS: u32 = 20_000;
/// Seconds between blocks.
const SPACING_S: u32 = 600;
/// Whose coins they are, among all owners that there could be.
const OWNER: u32 = 7;

/// Coins in the chain that nobody has spent, and what each is worth.
pub(in crate::bench) struct CoinsOfOneOwner {
    splits: Vec<Txid>,
    count: u32,
    value: Amount,
}

/// Who owns them.
pub(in crate::bench) struct Payer {
    secp: Secp256k1<All>,
    owner: Owner,
    kind: Kind,
}

impl Payer {
    /// The owner of coins of a kind.
    pub(in crate::bench) fn new(kind: Kind) -> Self {
        let secp = Secp256k1::new();
        let owner = Owner::new(&secp, OWNER);
        Self { secp, owner, kind }
    }

    /// The script that locks the coins.
    pub(in crate::bench) fn script(&self) -> ScriptBuf {
        self.owner.lock(self.kind)
    }

    /// That script's address.
    pub(in crate::bench) fn address(&self, spec: &ChainSpec) -> Result<Address> {
        let network = spec.address_kind.network();
        Ok(Address::from_script(&self.script(), network)?)
    }

    /// A payment of one coin, without its signature. Its id is final if the coin's script is empty in the input.
    pub(in crate::bench) fn unsigned(&self, coin: OutPoint, outputs: Vec<TxOut>) -> Transaction {
        Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![input(coin)],
            output: outputs,
        }
    }

    /// Signs a payment of one coin of that value.
    pub(in crate::bench) fn sign(&self, payment: &mut Transaction, value: Amount) {
        let spent = [TxOut {
            value,
            script_pubkey: self.script(),
        }];
        self.owner.unlock(&self.secp, self.kind, payment, 0, &spent);
    }
}

impl CoinsOfOneOwner {
    /// Makes the database of a chain with so many coins, and closes it.
    pub(in crate::bench) fn make(
        spec: &Arc<ChainSpec>,
        database: &Path,
        payer: &Payer,
        count: u32,
    ) -> Result<Self> {
        let splits = count.div_ceil(OUTPUTS);
        // All coinbases that are split have the first subsidy.
        if u64::from(splits) + u64::from(spec.coinbase_maturity) >= u64::from(spec.halving_interval)
        {
            bail!("{count} coins are too many");
        }
        let chain = Chain::open(ChainConfig {
            spec: Arc::clone(spec),
            path: database.to_owned(),
            script_threads: 1,
            coins_cache_bytes: db_cache_bytes(None)?,
            assume_valid: None,
            clock: Clock::system(),
        })?;
        let made = Self::submit(spec, &chain, payer, splits);
        chain.shutdown()?;
        let splits = made?;
        Ok(Self {
            splits,
            count,
            value: share(spec),
        })
    }

    /// Coinbases until the first are mature, then blocks that split them. Returns the ids of what splits.
    fn submit(
        spec: &Arc<ChainSpec>,
        chain: &Chain,
        payer: &Payer,
        splits: u32,
    ) -> Result<Vec<Txid>> {
        let genesis = spec.genesis_block().header;
        let mut place = Place {
            parent: genesis.block_hash(),
            height: Height::GENESIS,
            time: genesis.time,
        };
        let mut coinbases = Vec::new();
        let mut ids = Vec::new();
        for number in 0..spec.coinbase_maturity + splits {
            place.height = place.height.next();
            place.time += SPACING_S;
            let mut payments = Vec::new();
            if let Some(split) = number.checked_sub(spec.coinbase_maturity) {
                let payment = split_coinbase(spec, payer, coinbases[split as usize]);
                ids.push(payment.compute_txid());
                payments.push(payment);
            }
            let payout = TxOut {
                value: spec.subsidy(place.height),
                script_pubkey: payer.script(),
            };
            let block = make_block(spec, place, payout, payments);
            coinbases.push(block.txdata[0].compute_txid());
            place.parent = block.block_hash();
            connect(chain, block)?;
        }
        Ok(ids)
    }

    /// How many there are.
    pub(in crate::bench) fn len(&self) -> u32 {
        self.count
    }

    /// What each is worth.
    pub(in crate::bench) fn value(&self) -> Amount {
        self.value
    }

    /// The coin of that number, which is below `len`.
    pub(in crate::bench) fn outpoint(&self, number: u32) -> OutPoint {
        OutPoint {
            txid: self.splits[(number / OUTPUTS) as usize],
            vout: number % OUTPUTS,
        }
    }
}

/// What an output of a split is worth.
fn share(spec: &ChainSpec) -> Amount {
    spec.subsidy(Height::GENESIS.next()) / u64::from(OUTPUTS)
}

fn split_coinbase(spec: &ChainSpec, payer: &Payer, coinbase: Txid) -> Transaction {
    let output = TxOut {
        value: share(spec),
        script_pubkey: payer.script(),
    };
    let coin = OutPoint {
        txid: coinbase,
        vout: 0,
    };
    let mut payment = payer.unsigned(coin, vec![output; OUTPUTS as usize]);
    payer.sign(&mut payment, spec.subsidy(Height::GENESIS.next()));
    payment
}

fn connect(chain: &Chain, block: Block) -> Result<()> {
    match chain.handle.submit_block(Arc::new(block))? {
        Submitted::NewTip => Ok(()),
        other => bail!("a block of the benchmark was not connected: {other:?}"),
    }
}
