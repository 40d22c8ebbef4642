//! A chain of blocks that pay from owner to owner at random.

use std::collections::VecDeque;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, Transaction, TxOut, transaction,
};
use pyrite_consensus::{ChainSpec, Height};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::block::{Place, input, make_block};
use super::super::owner::{Kind, Owner};

/// Owners, who get paid again and again.
const OWNERS: u32 = 256;
/// Seconds between blocks.
const SPACING_S: u32 = 600;
/// While there are fewer coins for each payment of a block, payments split coins into many.
const COINS_PER_PAYMENT: usize = 50;
/// Outputs of a payment, of one that splits, and the least that one is worth.
const OUTPUTS: u64 = 2;
const MANY_OUTPUTS: u64 = 8;
const LEAST_SAT: u64 = 20_000;
const MAX_FEE_SAT: u64 = 5_000;

/// A coin that can be spent.
struct OwnedCoin {
    outpoint: OutPoint,
    output: TxOut,
    owner: usize,
    kind: Kind,
}

/// Makes block after block.
pub(super) struct ChainMaker<'a> {
    spec: &'a ChainSpec,
    secp: Secp256k1<All>,
    random: StdRng,
    owners: Vec<Owner>,
    coins: Vec<OwnedCoin>,
    /// Coinbases' coins that are not mature, with the height of the first block that may spend them.
    immature: VecDeque<(u32, OwnedCoin)>,
    tip: BlockHash,
    height: Height,
    time: u32,
    payments: u64,
    inputs: [u64; Kind::ALL.len()],
}

impl<'a> ChainMaker<'a> {
    /// A maker at the genesis block.
    pub(super) fn new(spec: &'a ChainSpec, seed: u64) -> Self {
        let secp = Secp256k1::new();
        let genesis = spec.genesis_block().header;
        Self {
            spec,
            random: StdRng::seed_from_u64(seed),
            owners: (0..OWNERS)
                .map(|number| Owner::new(&secp, number))
                .collect(),
            secp,
            coins: Vec::new(),
            immature: VecDeque::new(),
            tip: genesis.block_hash(),
            height: Height::GENESIS,
            time: genesis.time,
            payments: 0,
            inputs: [0; Kind::ALL.len()],
        }
    }

    /// Payments so far.
    pub(super) fn payments(&self) -> u64 {
        self.payments
    }

    /// Inputs of payments so far, for each kind.
    pub(super) fn inputs(&self) -> [u64; Kind::ALL.len()] {
        self.inputs
    }

    /// The next block, with so many payments, if there are coins for them.
    pub(super) fn next_block(&mut self, payments: u32) -> Block {
        self.height = self.height.next();
        self.time += SPACING_S;
        while self
            .immature
            .front()
            .is_some_and(|(height, _)| *height <= self.height.0)
        {
            self.coins
                .extend(self.immature.pop_front().map(|(_, coin)| coin));
        }
        let splits = self.coins.len() < COINS_PER_PAYMENT * payments as usize;
        let mut fees = Amount::ZERO;
        let mut transactions = Vec::new();
        for _ in 0..payments {
            let Some((payment, fee)) = self.payment(if splits { MANY_OUTPUTS } else { OUTPUTS })
            else {
                break;
            };
            fees += fee;
            transactions.push(payment);
        }
        let block = self.block(transactions, fees);
        self.tip = block.block_hash();
        block
    }

    /// Spends one to three coins at random; `None` when there is none.
    fn payment(&mut self, outputs: u64) -> Option<(Transaction, Amount)> {
        let wanted = match self.random.gen_range(0..20) {
            0 => 3,
            1..=5 => 2,
            _ => 1,
        };
        let mut spent = Vec::new();
        while spent.len() < wanted && !self.coins.is_empty() {
            let index = self.random.gen_range(0..self.coins.len());
            spent.push(self.coins.swap_remove(index));
        }
        let value: u64 = spent.iter().map(|coin| coin.output.value.to_sat()).sum();
        let fee = self.random.gen_range(0..=MAX_FEE_SAT).min(value);
        let outputs = outputs.min((value - fee) / LEAST_SAT).max(1);
        if spent.is_empty() {
            return None;
        }
        let made: Vec<_> = self.shares(value - fee, outputs);
        let made: Vec<_> = made.into_iter().map(|value| self.output(value)).collect();
        let mut payment = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: spent.iter().map(|coin| input(coin.outpoint)).collect(),
            output: made.iter().map(|(output, ..)| output.clone()).collect(),
        };
        let outputs: Vec<_> = spent.iter().map(|coin| coin.output.clone()).collect();
        for (index, coin) in spent.iter().enumerate() {
            let owner = &self.owners[coin.owner];
            owner.unlock(&self.secp, coin.kind, &mut payment, index, &outputs);
            self.inputs[coin.kind as usize] += 1;
        }
        let txid = payment.compute_txid();
        for (vout, (output, owner, kind)) in (0..).zip(made) {
            self.coins.push(OwnedCoin {
                outpoint: OutPoint { txid, vout },
                output,
                owner,
                kind,
            });
        }
        self.payments += 1;
        Some((payment, Amount::from_sat(fee)))
    }

    /// Random shares of a value, each worth something.
    fn shares(&mut self, value: u64, count: u64) -> Vec<u64> {
        let mut rest = value;
        let mut shares = Vec::new();
        for left in (1..count).rev() {
            let most = rest - LEAST_SAT * left;
            let share = self
                .random
                .gen_range(LEAST_SAT.min(most)..=most.min(2 * rest / (left + 1)));
            shares.push(share);
            rest -= share;
        }
        shares.push(rest);
        shares
    }

    /// An output to a random owner, of a random kind.
    fn output(&mut self, value: u64) -> (TxOut, usize, Kind) {
        let owner = self.random.gen_range(0..self.owners.len());
        let kind = Kind::ALL[self.random.gen_range(0..Kind::ALL.len())];
        let output = TxOut {
            value: Amount::from_sat(value),
            script_pubkey: self.owners[owner].lock(kind),
        };
        (output, owner, kind)
    }

    fn block(&mut self, payments: Vec<Transaction>, fees: Amount) -> Block {
        let value = self.spec.subsidy(self.height) + fees;
        let (output, owner, kind) = self.output(value.to_sat());
        let place = Place {
            parent: self.tip,
            height: self.height,
            time: self.time,
        };
        let block = make_block(self.spec, place, output.clone(), payments);
        let coin = OwnedCoin {
            outpoint: OutPoint {
                txid: block.txdata[0].compute_txid(),
                vout: 0,
            },
            output,
            owner,
            kind,
        };
        if coin.output.value > Amount::ZERO {
            let mature = self.height.0 + self.spec.coinbase_maturity;
            self.immature.push_back((mature, coin));
        }
        block
    }
}
