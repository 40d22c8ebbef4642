//! Tests of whole wallets, on chains built by hand: the wallet does not look at proof of work.

mod files;
mod following;
mod history;
mod mempool;
mod payments;

use std::collections::HashMap;
use std::sync::Arc;

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Address, Amount, Block, BlockHash, CompactTarget, Network, OutPoint, ScriptBuf, Sequence,
    Transaction, TxIn, TxMerkleNode, TxOut, Txid, Witness, absolute, transaction,
};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use pyrite_consensus::{ChainSpec, Height, ScriptError};
use tempfile::TempDir;

use crate::{AddressType, SeedSource, SendOptions, WalletConfig, WalletHandle};

const ENTROPY: [u8; 16] = [7; 16];
const COIN: u64 = 100_000_000;
const MATURITY: u32 = 5;

/// A wallet, the chain that it follows, and every output of that chain.
struct Fixture {
    directory: TempDir,
    config: WalletConfig,
    wallet: WalletHandle,
    chain: Vec<Block>,
    outputs: HashMap<OutPoint, TxOut>,
    salt: u32,
}

impl Fixture {
    /// A wallet that followed a genesis block without coins for it.
    fn new() -> Self {
        let fixture = Self::unstarted(Vec::new());
        fixture
            .wallet
            .apply_block(&fixture.chain[0], Height::GENESIS)
            .unwrap();
        fixture
    }

    /// A new wallet, and a genesis block with transactions beside its coinbase.
    fn unstarted(transactions: Vec<Transaction>) -> Self {
        let directory = TempDir::new().unwrap();
        let genesis = block(
            BlockHash::all_zeros(),
            0,
            coinbase(&stranger(0), 50 * COIN, 0),
            transactions,
        );
        let config = WalletConfig {
            directory: directory.path().join("wallets"),
            name: "default".to_owned(),
            network: Network::Regtest,
            genesis_hash: genesis.block_hash(),
            coinbase_maturity: MATURITY,
        };
        let wallet = open(&config);
        let mut fixture = Self {
            directory,
            config,
            wallet,
            chain: Vec::new(),
            outputs: HashMap::new(),
            salt: 0,
        };
        fixture.remember(&genesis);
        fixture.chain.push(genesis);
        fixture
    }

    fn remember(&mut self, block: &Block) {
        for tx in &block.txdata {
            self.remember_transaction(tx);
        }
    }

    fn remember_transaction(&mut self, tx: &Transaction) {
        let txid = tx.compute_txid();
        for (vout, output) in (0_u32..).zip(&tx.output) {
            self.outputs.insert(OutPoint { txid, vout }, output.clone());
        }
    }

    fn tip(&self) -> Height {
        Height(u32::try_from(self.chain.len() - 1).unwrap())
    }

    /// Makes a block on the block at `parent`, with a coinbase to `payee`.
    fn block_on(&mut self, parent: Height, payee: &ScriptBuf, txs: Vec<Transaction>) -> Block {
        self.salt += 1;
        let previous = self.chain[parent.0 as usize].block_hash();
        let coinbase = coinbase(payee, 50 * COIN, self.salt);
        let block = block(previous, self.salt, coinbase, txs);
        self.remember(&block);
        block
    }

    /// Mines a block with `txs` that pays a stranger, and gives it to the wallet.
    fn mine(&mut self, txs: Vec<Transaction>) {
        self.mine_to(&stranger(9), txs);
    }

    fn mine_to(&mut self, payee: &ScriptBuf, txs: Vec<Transaction>) {
        let block = self.block_on(self.tip(), payee, txs);
        self.wallet.apply_block(&block, self.tip().next()).unwrap();
        self.chain.push(block);
    }

    /// Replaces the chain above `fork` by blocks with these transactions.
    fn reorganise(&mut self, fork: Height, branch: Vec<Vec<Transaction>>) {
        self.chain.truncate(fork.0 as usize + 1);
        for txs in branch {
            self.mine(txs);
        }
    }

    /// An output of someone else's, in no block.
    fn stranger_coin(&mut self, value: u64) -> OutPoint {
        self.salt += 1;
        let tx = coinbase(&stranger(1), value, self.salt);
        self.remember_transaction(&tx);
        OutPoint {
            txid: tx.compute_txid(),
            vout: 0,
        }
    }

    /// A transaction of someone else's that pays `value` to `script`.
    fn payment_to(&mut self, script: &ScriptBuf, value: u64) -> Transaction {
        let coin = self.stranger_coin(value);
        let tx = spend(&[coin], &[(script.clone(), value)]);
        self.remember_transaction(&tx);
        tx
    }

    /// Confirms one payment of `value` to a new address of each of `kinds`.
    fn fund(&mut self, kinds: &[AddressType], value: u64) {
        let scripts: Vec<_> = kinds
            .iter()
            .map(|kind| self.wallet.new_address(*kind, "").unwrap().script_pubkey())
            .collect();
        let txs = scripts
            .iter()
            .map(|script| self.payment_to(script, value))
            .collect();
        self.mine(txs);
    }

    /// Verifies the scripts of all inputs, under the rules of regtest.
    fn verify(&self, tx: &Transaction) -> Result<(), ScriptError> {
        let spent = tx
            .input
            .iter()
            .map(|input| self.outputs[&input.previous_output].clone())
            .collect();
        let flags = ScriptFlags::at_height(&ChainSpec::regtest(), Height(1));
        ScriptCheck::new(tx, spent, flags).verify()
    }

    fn fee(&self, tx: &Transaction) -> u64 {
        let value = |output: &TxOut| output.value.to_sat();
        let spent: u64 = tx
            .input
            .iter()
            .map(|input| value(&self.outputs[&input.previous_output]))
            .sum();
        spent - tx.output.iter().map(value).sum::<u64>()
    }

    /// Creates a payment to a stranger and records it as sent at `time`.
    fn send(&mut self, value: u64, time: u64) -> Arc<Transaction> {
        let recipients = [(stranger(5), Amount::from_sat(value))];
        let tx = self
            .wallet
            .create_transaction(&recipients, SendOptions::default())
            .unwrap();
        self.remember_transaction(&tx);
        let tx = Arc::new(tx);
        self.wallet
            .record_sent(Arc::clone(&tx), time, "", "")
            .unwrap();
        tx
    }

    fn trusted(&self) -> u64 {
        self.wallet.balances().trusted.to_sat()
    }

    /// Closes the wallet and opens it again.
    fn reopen(self) -> Self {
        let Self {
            directory,
            config,
            wallet,
            chain,
            outputs,
            salt,
        } = self;
        drop(wallet);
        let wallet = open(&config);
        Self {
            directory,
            config,
            wallet,
            chain,
            outputs,
            salt,
        }
    }
}

fn open(config: &WalletConfig) -> WalletHandle {
    WalletHandle::open_or_create(config.clone(), SeedSource::Entropy(ENTROPY.to_vec())).unwrap()
}

/// A script that no wallet here has the key of.
fn stranger(number: u8) -> ScriptBuf {
    let mut program = vec![0x00, 0x14];
    program.extend([number; 20]);
    ScriptBuf::from_bytes(program)
}

fn block(
    prev_blockhash: BlockHash,
    salt: u32,
    coinbase: Transaction,
    transactions: Vec<Transaction>,
) -> Block {
    let mut txdata = vec![coinbase];
    txdata.extend(transactions);
    let mut block = Block {
        header: Header {
            version: Version::TWO,
            prev_blockhash,
            merkle_root: TxMerkleNode::all_zeros(),
            time: 1_700_000_000 + salt,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: salt,
        },
        txdata,
    };
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    block
}

fn coinbase(script: &ScriptBuf, value: u64, salt: u32) -> Transaction {
    let mut tx = spend(&[OutPoint::null()], &[(script.clone(), value)]);
    tx.input[0].script_sig = ScriptBuf::from_bytes([&[4][..], &salt.to_le_bytes()].concat());
    tx
}

fn spend(coins: &[OutPoint], outputs: &[(ScriptBuf, u64)]) -> Transaction {
    let input = |outpoint: &OutPoint| TxIn {
        previous_output: *outpoint,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = |(script, value): &(ScriptBuf, u64)| TxOut {
        value: Amount::from_sat(*value),
        script_pubkey: script.clone(),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: coins.iter().map(input).collect(),
        output: outputs.iter().map(output).collect(),
    }
}

fn txids(transactions: &[Arc<Transaction>]) -> Vec<Txid> {
    transactions.iter().map(|tx| tx.compute_txid()).collect()
}

fn bech32(wallet: &WalletHandle) -> Address {
    wallet.new_address(AddressType::Bech32, "").unwrap()
}
