//! A chain whose genesis block has coins, and the payments of one input and two outputs that spend them. Half of
//! them spend a coin of the chain, the others the first output of one of those.

use std::sync::Arc;

use anyhow::{Context, Result};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, Sequence, Transaction, TxIn, TxOut, transaction,
};
use pyrite_consensus::connect::genesis_coins;
use pyrite_consensus::spec::Allocation;
use pyrite_node::NodeHandles;
use rand::Rng;
use rand::rngs::StdRng;

use super::super::owner::{Kind, Owner};

/// So many have their coins in one genesis block.
pub(super) const MAX_TRANSACTIONS: u32 = 60_000;

/// Coins beyond those of the payments that are there at first, for payments that come later.
const LATER: u32 = 200;

const COIN: Amount = Amount::from_sat(1_000_000);

/// Fees, in satoshi: one to fifty for a virtual byte, about.
const FEES: std::ops::Range<u64> = 141..7_050;
/// More than any of them.
const BEST_FEE: u64 = 20_000;

/// Makes payments.
pub(super) struct Payments {
    spec: Arc<ChainSpec>,
    secp: Secp256k1<All>,
    owner: Owner,
    /// Coins of the chain that nothing spends yet.
    coins: Vec<(OutPoint, TxOut)>,
    /// Payments for the mempool, parents before their children.
    first: Vec<Arc<Transaction>>,
}

impl Payments {
    /// A chain, and so many payments on it.
    pub(super) fn new(count: u32, mut random: StdRng) -> Self {
        let secp = Secp256k1::new();
        let owner = Owner::new(&secp, 0);
        let allocation = Allocation {
            script_pubkey: owner.lock(Kind::P2wpkh),
            value: COIN,
        };
        let parents = count.div_ceil(2);
        let allocations = vec![allocation; (parents + LATER) as usize];
        let regtest = ChainSpec::regtest();
        let spec = regtest.derive("bench", regtest.genesis.time, "bench", allocations);
        let coins = genesis_coins(&spec);
        let mut payments = Self {
            spec: Arc::new(spec),
            secp,
            owner,
            coins: coins
                .into_iter()
                .map(|(outpoint, coin)| (outpoint, coin.output))
                .collect(),
            first: Vec::new(),
        };
        while payments.first.len() < count as usize {
            let Some((outpoint, output)) = payments.coins.pop() else {
                break;
            };
            let parent = payments.payment(outpoint, &output, random.gen_range(FEES));
            let made = OutPoint::new(parent.compute_txid(), 0);
            let child = payments.payment(made, &parent.output[0], random.gen_range(FEES));
            payments.first.push(Arc::new(parent));
            payments.first.push(Arc::new(child));
        }
        payments.first.truncate(count as usize);
        payments
    }

    /// The chain.
    pub(super) fn spec(&self) -> &Arc<ChainSpec> {
        &self.spec
    }

    /// Puts the payments into a mempool.
    pub(super) fn fill(&mut self, node: &NodeHandles) -> Result<()> {
        for payment in self.first.drain(..) {
            node.mempool
                .submit(payment)
                .context("a payment is refused")?;
        }
        Ok(())
    }

    /// Another payment, which pays better than all others.
    pub(super) fn next(&mut self) -> Result<Arc<Transaction>> {
        let (outpoint, output) = self.coins.pop().context("there are no more coins")?;
        Ok(Arc::new(self.payment(outpoint, &output, BEST_FEE)))
    }

    fn payment(&self, coin: OutPoint, spent: &TxOut, fee: u64) -> Transaction {
        let share = (spent.value - Amount::from_sat(fee)) / 2;
        let output = TxOut {
            value: share,
            script_pubkey: spent.script_pubkey.clone(),
        };
        let mut payment = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: coin,
                sequence: Sequence::MAX,
                ..TxIn::default()
            }],
            output: vec![output; 2],
        };
        let spent = std::slice::from_ref(spent);
        self.owner
            .unlock(&self.secp, Kind::P2wpkh, &mut payment, 0, spent);
        payment
    }
}
