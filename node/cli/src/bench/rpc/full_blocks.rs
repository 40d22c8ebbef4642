//! Blocks as full as they may be: of ordinary payments, which take the most work, or of large witnesses, which make the most
//! bytes. They are made for a chain of coins that is prepared before the node starts.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::opcodes::OP_TRUE;
use pyrite_consensus::bitcoin::opcodes::all::OP_DROP;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Transaction, TxOut, Witness,
};
use pyrite_consensus::{ChainSpec, Height};
use pyrite_node::DataDir;
use pyrite_rpc::RpcClient;
use serde_json::{Value, json};

use crate::bench::block::{Place, make_block};
use crate::bench::load::{CoinsOfOneOwner, Payer};
use crate::bench::owner::Kind;

/// Payments of one input and two outputs that fill a block's weight.
pub(super) const FULL: u32 = 7_000;
/// Payments that carry large witnesses, and how many elements each has: together almost the greatest weight.
const CARRIERS: u32 = 380;
const ELEMENTS: usize = 19;
/// The longest element of a witness.
const ELEMENT_BYTES: usize = 520;
/// Seconds between blocks.
const SPACING_S: u32 = 600;
/// What a payment leaves to the miner.
const FEE: Amount = Amount::from_sat(1_000);

/// Makes blocks, each with coins of its own.
pub(super) struct FullBlocks {
    spec: Arc<ChainSpec>,
    payer: Payer,
    coins: CoinsOfOneOwner,
    /// The first coin that no block spends yet.
    next: u32,
}

impl FullBlocks {
    /// Prepares the chain of a directory, which must not exist, for blocks that spend so many coins.
    pub(super) fn prepare(dir: &Path, coins: u32) -> Result<Self> {
        let spec = Arc::new(ChainSpec::regtest());
        let data_dir = DataDir::new(dir.to_owned(), &spec.name);
        data_dir.create()?;
        let payer = Payer::new(Kind::P2wpkh);
        let coins = CoinsOfOneOwner::make(&spec, &data_dir.database(), &payer, coins)?;
        Ok(Self {
            spec,
            payer,
            coins,
            next: 0,
        })
    }

    /// A block of so many payments of one input and two outputs.
    pub(super) fn of_payments(&mut self, tip: Tip, count: u32) -> Result<Block> {
        let payments: Result<Vec<_>> = (0..count)
            .map(|_| self.payment(vec![self.payer.script(); 2]))
            .collect();
        Ok(self.block(tip, payments?))
    }

    /// Two blocks: the first makes coins for the second, whose witnesses take four million bytes, about.
    pub(super) fn of_large_witnesses(&mut self, tip: Tip) -> Result<[Block; 2]> {
        let locks = vec![carrier().to_p2wsh(); CARRIERS as usize];
        let parent = self.payment(locks)?;
        let txid = parent.compute_txid();
        let value = parent.output[0].value;
        let first = self.block(tip, vec![parent]);
        let carriers = (0..CARRIERS).map(|vout| {
            let output = TxOut {
                value,
                script_pubkey: self.payer.script(),
            };
            let mut carrier = self.payer.unsigned(OutPoint { txid, vout }, vec![output]);
            carrier.input[0].witness = witness(vout);
            carrier
        });
        let carriers = carriers.collect();
        let second = self.block(tip.after(&first), carriers);
        Ok([first, second])
    }

    /// Spends the next coin, in equal shares.
    fn payment(&mut self, locks: Vec<ScriptBuf>) -> Result<Transaction> {
        if self.next == self.coins.len() {
            bail!("there are no more coins");
        }
        let coin = self.coins.outpoint(self.next);
        self.next += 1;
        let share = (self.coins.value() - FEE) / u64::try_from(locks.len())?;
        let output = |script_pubkey| TxOut {
            value: share,
            script_pubkey,
        };
        let outputs = locks.into_iter().map(output).collect();
        let mut payment = self.payer.unsigned(coin, outputs);
        self.payer.sign(&mut payment, self.coins.value());
        Ok(payment)
    }

    fn block(&self, tip: Tip, payments: Vec<Transaction>) -> Block {
        let height = tip.height.next();
        let place = Place {
            parent: tip.hash,
            height,
            time: tip.time + SPACING_S,
        };
        let payout = TxOut {
            value: self.spec.subsidy(height),
            script_pubkey: self.payer.script(),
        };
        make_block(&self.spec, place, payout, payments)
    }
}

/// A script that takes elements and does nothing with them.
fn carrier() -> ScriptBuf {
    let drops = std::iter::repeat_n(OP_DROP, ELEMENTS);
    drops
        .fold(Builder::new(), Builder::push_opcode)
        .push_opcode(OP_TRUE)
        .into_script()
}

/// The elements of such a script, others for each number.
fn witness(number: u32) -> Witness {
    let element = |place: usize| {
        let mut bytes = vec![0xa5; ELEMENT_BYTES];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[4..12].copy_from_slice(&place.to_le_bytes());
        bytes
    };
    let mut elements: Vec<_> = (0..ELEMENTS).map(element).collect();
    elements.push(carrier().into_bytes());
    Witness::from_slice(&elements)
}

/// What the next block is built on.
#[derive(Clone, Copy)]
pub(super) struct Tip {
    hash: BlockHash,
    height: Height,
    time: u32,
}

impl Tip {
    /// A node's tip.
    pub(super) fn of(client: &RpcClient) -> Result<Self> {
        let hash = client.call("getbestblockhash", json!([]))?;
        let header = client.call("getblockheader", json!([hash]))?;
        let number = |field: &str| {
            let number = header[field].as_u64().context("no number")?;
            u32::try_from(number).context("a number that is too large")
        };
        Ok(Self {
            hash: serde_json::from_value(hash.clone())?,
            height: Height(number("height")?),
            time: number("time")?,
        })
    }

    fn after(self, block: &Block) -> Self {
        Self {
            hash: block.block_hash(),
            height: self.height.next(),
            time: block.header.time,
        }
    }
}

/// Gives a node a block, which must become its tip.
pub(super) fn submit(client: &RpcClient, block: &Block) -> Result<()> {
    match client.call("submitblock", json!([serialize_hex(block)]))? {
        Value::Null => Ok(()),
        refusal => bail!("a block of the benchmark is refused: {refusal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_full() {
        let dir = tempfile::tempdir().unwrap();
        let mut blocks = FullBlocks::prepare(&dir.path().join("node"), FULL + 1).unwrap();
        let genesis = blocks.spec.genesis_block();
        let tip = Tip {
            hash: genesis.block_hash(),
            height: Height::GENESIS,
            time: genesis.header.time,
        };
        let limit = blocks.spec.limits.max_block_weight;
        let almost = limit * 97 / 100..=limit;
        let payments = blocks.of_payments(tip, FULL).unwrap();
        assert!(
            almost.contains(&payments.weight().to_wu()),
            "{}",
            payments.weight()
        );
        let [_, large] = blocks.of_large_witnesses(tip).unwrap();
        assert!(
            almost.contains(&large.weight().to_wu()),
            "{}",
            large.weight()
        );
        assert!(large.total_size() > 3_700_000, "{}", large.total_size());
        assert!(blocks.of_payments(tip, 1).is_err());
    }
}
