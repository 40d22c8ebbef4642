//! Making blocks when they are asked for, and the switches that Bitcoin had for its built-in miner.

use std::sync::Arc;

use jsonrpsee::core::async_trait;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Block, BlockHash, Script, ScriptBuf, Transaction, TxMerkleNode, Txid,
};
use pyrite_miner::{
    Finder, MAX_THREADS, MinerSettings, Template, TemplateTip, WorkError, build_template, solve,
};
use pyrite_wallet::AddressType;
use serde_json::{Value, json};

use super::Handler;
use crate::api::generate::GenerateServer;
use crate::call::{CallError, CallResult, code};
use crate::error::stopping;
use crate::params;
use crate::scan::read_output;
use crate::work_end::WorkEnd;

/// Hashes that are tried by default.
const DEFAULT_MAX_TRIES: u64 = 1_000_000;

/// The most blocks of one call.
const MAX_GENERATED: i64 = 1_000_000;

/// Hashes that one extranonce is good for.
const NONCES: u64 = 1 << 32;

/// How the accounts of mining call what these methods find.
const FINDER: &str = "generate";

/// Length of the script of a witness commitment, and its start (BIP-0141).
const COMMITMENT_START: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

#[async_trait]
impl GenerateServer for Handler {
    fn generate(&self) -> CallResult<Value> {
        Err(CallError::new(
            code::METHOD_NOT_FOUND,
            "generate\n\nhas been replaced by the -generate cli option. Refer to -help for more information.\n",
        ))
    }

    async fn generate_to_address(
        &self,
        nblocks: i64,
        address: String,
        maxtries: Option<i64>,
    ) -> CallResult<Vec<String>> {
        let count = params::int(nblocks)?;
        let tries = max_tries(maxtries);
        let payout = self
            .parse_address(&address)
            .ok_or_else(|| CallError::not_found("Error: Invalid address"))?
            .script_pubkey();
        self.generate_blocks(count.into(), payout, tries).await
    }

    async fn generate_to_descriptor(
        &self,
        num_blocks: i64,
        descriptor: String,
        maxtries: Option<i64>,
    ) -> CallResult<Vec<String>> {
        let count = params::int(num_blocks)?;
        let tries = max_tries(maxtries);
        let payout = read_output(&descriptor, self.context.spec.address_kind, &self.stop)?;
        self.generate_blocks(count.into(), payout, tries).await
    }

    async fn generate_block(
        &self,
        output: String,
        transactions: Vec<Value>,
        submit: Option<bool>,
    ) -> CallResult<Value> {
        self.long_work(move |handler, end| {
            let payout = handler.output_script(&output)?;
            let block = handler.solved_block(&payout, &transactions, end)?;
            let hash = block.block_hash().to_string();
            if !submit.unwrap_or(true) {
                return Ok(json!({ "hash": hash, "hex": serialize_hex(&block) }));
            }
            handler.submit_generated(block)?;
            Ok(json!({ "hash": hash }))
        })
        .await
    }

    fn set_generate(&self, generate: bool, genproclimit: Option<i64>) -> CallResult<Value> {
        let context = &self.context;
        let threads = match genproclimit.map(params::int).transpose()? {
            None => context.mining_defaults.threads,
            Some(..0) => std::thread::available_parallelism().map_or(1, usize::from),
            Some(count) => usize::try_from(count).map_err(|_| params::integer_out_of_range())?,
        };
        if !generate || threads == 0 {
            context.miner.stop();
            return Ok(Value::Null);
        }
        let settings = MinerSettings {
            threads: threads.min(MAX_THREADS),
            ..context.mining_defaults.clone()
        };
        // Templates are there for the miner when somebody is to be paid.
        if context.work.payout().is_none() {
            let address = context.wallet.new_address(AddressType::Bech32, "mining")?;
            context.work.set_payout(address.script_pubkey());
        }
        context.miner.start(settings)?;
        Ok(Value::Null)
    }

    fn get_generate(&self) -> CallResult<bool> {
        Ok(self.context.miner.status().running)
    }

    fn get_hashes_per_sec(&self) -> CallResult<u64> {
        // No rate is negative, or above 2^64.
        Ok(self.context.miner.status().hash_rate.round() as u64)
    }
}

impl Handler {
    async fn generate_blocks(
        &self,
        count: i64,
        payout: ScriptBuf,
        mut tries: u64,
    ) -> CallResult<Vec<String>> {
        if count > MAX_GENERATED {
            return Err(CallError::invalid_parameter(format!(
                "At most {MAX_GENERATED} blocks can be generated at once"
            )));
        }
        self.long_work(move |handler, end| {
            let mut hashes = Vec::new();
            for _ in 0..count {
                let template = handler.context.work.build(&payout)?;
                let make = |extranonce, time| template.block(extranonce, time, 0);
                let Some(block) = handler.search(&template, make, &mut tries, end)? else {
                    break;
                };
                hashes.push(handler.submit_generated(block)?.to_string());
            }
            Ok(hashes)
        })
        .await
    }

    /// Searches blocks on a template, which `make` makes of an extranonce and a time, until one is solved. `tries` is what is
    /// left of the caller's hashes.
    fn search(
        &self,
        template: &Template,
        make: impl Fn([u8; 8], u32) -> Block,
        tries: &mut u64,
        end: &WorkEnd,
    ) -> CallResult<Option<Block>> {
        while *tries > 0 {
            if end.is_asked_for() {
                return Err(stopping());
            }
            let time = template.time_at(self.context.clock.now());
            let limit = (*tries).min(NONCES);
            let Some(block) = solve(make(rand::random(), time), limit, end.flag()) else {
                *tries -= limit;
                continue;
            };
            *tries = tries.saturating_sub(u64::from(block.header.nonce) + 1);
            return Ok(Some(block));
        }
        Ok(None)
    }

    /// Submits a block by the same door as the miner's. One that is valid without becoming the tip is taken, too.
    fn submit_generated(&self, block: Block) -> CallResult<BlockHash> {
        let hash = block.block_hash();
        let finder = Finder::named(FINDER);
        match self.context.work.submit_found(Arc::new(block), finder) {
            Ok(()) | Err(WorkError::Stale) => Ok(hash),
            Err(WorkError::Stopped) => Err(stopping()),
            Err(error) => Err(CallError::new(
                code::INTERNAL_ERROR,
                format!("ProcessNewBlock, block not accepted: {error}"),
            )),
        }
    }

    /// The script of a descriptor or of an address.
    fn output_script(&self, text: &str) -> CallResult<ScriptBuf> {
        match read_output(text, self.context.spec.address_kind, &self.stop) {
            // It is a descriptor, and not one that can be paid.
            Err(error) if error.code == code::INVALID_PARAMETER => Err(error),
            Err(_) => self
                .parse_address(text)
                .map(|address| address.script_pubkey())
                .ok_or_else(|| CallError::not_found("Error: Invalid address or descriptor")),
            script => script,
        }
    }

    /// A solved block of these transactions.
    fn solved_block(
        &self,
        payout: &Script,
        transactions: &[Value],
        end: &WorkEnd,
    ) -> CallResult<Block> {
        let transactions = transactions
            .iter()
            .map(|text| self.named_transaction(params::text(text)?))
            .collect::<CallResult<Vec<_>>>()?;
        let template = self.empty_template(payout)?;
        let make = |extranonce, time| {
            let mut block = template.block(extranonce, time, 0);
            add_transactions(&mut block, &transactions);
            block
        };
        let proposal = make([0; 8], template.time_at(self.context.clock.now()));
        let verdict = self.context.chain.check_proposal(Arc::new(proposal));
        verdict.map_err(|error| match CallError::from(error) {
            error if error.code == code::VERIFY_ERROR => CallError::new(
                code::VERIFY_ERROR,
                format!("TestBlockValidity failed: {}", error.message),
            ),
            error => error,
        })?;
        let mut tries = DEFAULT_MAX_TRIES;
        self.search(&template, make, &mut tries, end)?
            .ok_or_else(|| CallError::misc("Failed to make block."))
    }

    /// A template without transactions on the tip.
    fn empty_template(&self, payout: &Script) -> CallResult<Template> {
        let context = &self.context;
        let tip = context.reader.tip().hash;
        let parent = context.reader.header_chain(&tip).ok_or_else(stopping)?;
        let tip = TemplateTip {
            parent: &parent,
            hash: tip,
        };
        let now = context.clock.now();
        Ok(build_template(&context.spec, &tip, &[], payout, now))
    }

    /// A transaction of the mempool by its id, or one from its bytes.
    fn named_transaction(&self, text: &str) -> CallResult<Transaction> {
        if let Ok(txid) = text.parse::<Txid>() {
            let entry = self.mempool_at_tip()?.get(&txid).ok_or_else(|| {
                CallError::not_found(format!("Transaction {text} not in mempool."))
            })?;
            return Ok(entry.tx.as_ref().clone());
        }
        deserialize_hex(text).map_err(|_| {
            CallError::new(
                code::DESERIALIZATION_ERROR,
                format!(
                    "Transaction decode failed for {text}. Make sure the tx has at least one input."
                ),
            )
        })
    }
}

/// The caller's limit; a negative one is none.
fn max_tries(maxtries: Option<i64>) -> u64 {
    maxtries.map_or(DEFAULT_MAX_TRIES, |tries| {
        u64::try_from(tries).unwrap_or(u64::MAX)
    })
}

/// Puts transactions behind the coinbase, and what commits to them into coinbase and header.
fn add_transactions(block: &mut Block, transactions: &[Transaction]) {
    block.txdata.extend_from_slice(transactions);
    let witness_root = block.witness_root();
    if let (Some(root), Some(coinbase)) = (witness_root, block.txdata.first_mut())
        && let Some(reserved) = coinbase
            .input
            .first()
            .and_then(|input| input.witness.nth(0))
        && let Some(output) = coinbase.output.iter_mut().rev().find(|output| {
            output
                .script_pubkey
                .as_bytes()
                .starts_with(&COMMITMENT_START)
        })
    {
        let commitment = Block::compute_witness_commitment(&root, reserved);
        let mut data = [0; 36];
        data[..4].copy_from_slice(&COMMITMENT_START[2..]);
        data[4..].copy_from_slice(commitment.as_byte_array());
        output.script_pubkey = ScriptBuf::new_op_return(data);
    }
    block.header.merkle_root = block
        .compute_merkle_root()
        .unwrap_or_else(TxMerkleNode::all_zeros);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_limit_is_none() {
        assert_eq!(max_tries(None), 1_000_000);
        assert_eq!(max_tries(Some(0)), 0);
        assert_eq!(max_tries(Some(7)), 7);
        assert_eq!(max_tries(Some(-1)), u64::MAX);
    }
}
