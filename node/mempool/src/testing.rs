//! A pool with coins to spend, for tests without a chain.

use std::collections::HashMap;
use std::sync::Arc;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version as BlockVersion};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness, script,
};
use pyrite_consensus::script::ScriptFlags;
use pyrite_consensus::{BlockContext, ChainSpec, Coin, HeaderChain, Height};

use crate::admission::{
    Admission, Draft, Plan, PlanRules, check_is_new, check_without_coins, draft, plan, pool_coins,
};
use crate::state::{Cursor, State};
use crate::{FeeRate, MempoolConfig, MempoolError};

/// The height of the test's tip.
pub(crate) const TIP_HEIGHT: u32 = 300;

/// The time of the test's genesis block, and the spacing.
pub(crate) const START: u32 = 1_600_000_000;
pub(crate) const SPACING: u32 = 600;

/// `OP_TRUE`, the redeem script of the outputs that tests spend.
const REDEEM: [u8; 1] = [0x51];

/// A standard output script that anyone can spend.
pub(crate) fn open_script() -> ScriptBuf {
    ScriptBuf::new_p2sh(&Script::from_bytes(&REDEEM).script_hash())
}

/// An input that unlocks `open_script`.
pub(crate) fn open_input(outpoint: OutPoint) -> TxIn {
    TxIn {
        previous_output: outpoint,
        script_sig: script::Builder::new().push_slice(REDEEM).into_script(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    }
}

/// An output of `value` satoshis with `open_script`.
pub(crate) fn open_output(value: u64) -> TxOut {
    TxOut {
        value: Amount::from_sat(value),
        script_pubkey: open_script(),
    }
}

/// A standard transaction that anyone could have made.
pub(crate) fn open_transaction(inputs: &[OutPoint], values: &[u64]) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs
            .iter()
            .map(|outpoint| open_input(*outpoint))
            .collect(),
        output: values.iter().map(|value| open_output(*value)).collect(),
    }
}

/// The outpoint of a transaction's output.
pub(crate) fn output_of(transaction: &Transaction, vout: u32) -> OutPoint {
    OutPoint {
        txid: transaction.compute_txid(),
        vout,
    }
}

/// Headers in memory.
pub(crate) struct Headers(Vec<Header>);

impl HeaderChain for Headers {
    fn tip_height(&self) -> Height {
        Height(u32::try_from(self.0.len() - 1).unwrap())
    }

    fn header(&self, height: Height) -> Header {
        self.0[height.0 as usize]
    }
}

fn headers() -> Headers {
    let header = |height| Header {
        version: BlockVersion::TWO,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: START + SPACING * height,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    Headers((0..=TIP_HEIGHT).map(header).collect())
}

/// A mempool's state, the coins of its chain, and a clock.
pub(crate) struct Bench {
    pub(crate) spec: ChainSpec,
    pub(crate) config: MempoolConfig,
    pub(crate) headers: Headers,
    pub(crate) coins: HashMap<OutPoint, Coin>,
    pub(crate) state: State,
    pub(crate) now: u64,
    funded: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let cursor = Cursor {
            hash: BlockHash::all_zeros(),
            height: Height(TIP_HEIGHT),
        };
        Self {
            spec: ChainSpec::regtest(),
            config: MempoolConfig::default(),
            headers: headers(),
            coins: HashMap::new(),
            state: State::new(cursor),
            now: 1_000_000,
            funded: 0,
        }
    }

    /// A new confirmed coin of `value` satoshis.
    pub(crate) fn fund(&mut self, value: u64) -> OutPoint {
        self.fund_with(open_script(), value)
    }

    /// A new confirmed coin with this script.
    pub(crate) fn fund_with(&mut self, script_pubkey: ScriptBuf, value: u64) -> OutPoint {
        self.funded += 1;
        let txid = Txid::hash(&self.funded.to_le_bytes());
        let output = TxOut {
            value: Amount::from_sat(value),
            script_pubkey,
        };
        let coin = Coin {
            output,
            height: Height(100),
            is_coinbase: false,
        };
        let outpoint = OutPoint { txid, vout: 0 };
        self.coins.insert(outpoint, coin);
        outpoint
    }

    /// Every rule but the scripts.
    pub(crate) fn check(&self, transaction: &Transaction) -> Result<(Draft, Plan), MempoolError> {
        self.check_under(transaction, PlanRules::SINGLE)
    }

    pub(crate) fn check_under(
        &self,
        transaction: &Transaction,
        rules: PlanRules,
    ) -> Result<(Draft, Plan), MempoolError> {
        self.with_admission(|admission| {
            let draft = self.draft(admission, transaction)?;
            let plan = plan(admission, &self.state.pool, &draft, rules)?;
            Ok((draft, plan))
        })
    }

    /// The rules that don't look at other transactions.
    pub(crate) fn draft(
        &self,
        admission: &Admission<'_>,
        transaction: &Transaction,
    ) -> Result<Draft, MempoolError> {
        let txid = transaction.compute_txid();
        check_is_new(&self.state.pool, txid, || transaction.compute_wtxid())?;
        check_without_coins(admission, transaction)?;
        let height = admission.context.height;
        let coins = pool_coins(&self.state.pool, transaction, &self.coins, height)?;
        draft(admission, Arc::new(transaction.clone()), txid, &coins)
    }

    pub(crate) fn with_admission<T>(&self, judge: impl FnOnce(&Admission<'_>) -> T) -> T {
        let context = BlockContext::new(&self.headers);
        judge(&Admission {
            spec: &self.spec,
            context: &context,
            config: &self.config,
            mempool_min_fee: self.min_fee(),
        })
    }

    /// Takes a transaction, as a handle would.
    pub(crate) fn submit(&mut self, transaction: &Transaction) -> Result<Vec<Txid>, MempoolError> {
        let (draft, plan) = self.check(transaction)?;
        draft
            .script_check(ScriptFlags::STANDARD)
            .verify()
            .map_err(MempoolError::Script)?;
        assert!(plan.is_current(&self.state.pool, &[&draft]));
        let tip = self.with_admission(|admission| admission.tip());
        let replaced = self
            .state
            .accept(&[&draft], plan.into_staged(), self.now, tip);
        self.state.keep_bounds(&self.config, self.now);
        if self.state.pool.contains(&draft.txid) {
            Ok(replaced)
        } else {
            Err(MempoolError::Full)
        }
    }

    /// The minimum that evictions left.
    pub(crate) fn min_fee(&self) -> FeeRate {
        self.state.mempool_min_fee(&self.config, self.now)
    }

    /// A transaction from a fresh coin that pays `fee`.
    pub(crate) fn paying(&mut self, fee: u64) -> Transaction {
        let coin = self.fund(1_000_000);
        open_transaction(&[coin], &[1_000_000 - fee])
    }

    /// Takes a chain of `count` transactions, each of which spends the one before.
    pub(crate) fn submit_chain(&mut self, count: usize) -> Vec<Transaction> {
        let mut chain = vec![self.paying(1_000)];
        self.submit(&chain[0]).unwrap();
        while chain.len() < count {
            let parent = chain.last().unwrap();
            let value = parent.output[0].value.to_sat() - 1_000;
            let child = open_transaction(&[output_of(parent, 0)], &[value]);
            self.submit(&child).unwrap();
            chain.push(child);
        }
        chain
    }
}
