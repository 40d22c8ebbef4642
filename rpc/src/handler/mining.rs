//! Templates, blocks and the built-in miner.

use std::sync::Arc;

use jsonrpsee::Extensions;
use jsonrpsee::core::async_trait;
use pyrite_chain::{SubmitError, Submitted};
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{self, Block, BlockHash, CompactTarget, ScriptBuf, Witness, Work};
use pyrite_consensus::spec::Difficulty;
use pyrite_consensus::{HashedBlock, Height, check_block, check_header, earliest_time, pow};
use pyrite_miner::{BlockSchedule, Finder};
use pyrite_wallet::AddressType;
use serde_json::{Map, Value, json};

use super::Handler;
use super::mining_settings::MiningParams;
use super::template::{UNKNOWN_WORK, bip22, decode_block};
use super::template_request::read_work_id;
use crate::api::mining::MiningServer;
use crate::call::{CallError, CallResult, code};
use crate::dialect::ReadyResult;
use crate::json::{Btc, bits_hex, float, miner_json, target_hex};

/// Blocks that `getnetworkhashps` looks at by default.
const DEFAULT_HASH_RATE_BLOCKS: i64 = 120;

/// How the accounts of mining call what found the blocks that clients submit.
const SUBMITTED_FINDER: &str = "submitblock";

/// Bytes of a header.
const HEADER_BYTES: usize = 80;

#[async_trait]
impl MiningServer for Handler {
    async fn get_block_template(
        &self,
        extensions: &Extensions,
        template_request: Map<String, Value>,
    ) -> CallResult<Value> {
        let ready = ReadyResult::of(extensions);
        self.block_template(template_request, ready).await
    }

    fn submit_block(&self, hexdata: String, dummy: Option<Value>) -> CallResult<Value> {
        let mut block = decode_block(&hexdata)?;
        let work_id = match &dummy {
            Some(Value::Object(parameters)) => read_work_id(parameters),
            _ => None,
        };
        if let Some(work_id) = &work_id
            && !self.is_work_of(&block, work_id)
        {
            return Ok(Value::from(UNKNOWN_WORK));
        }
        if self.is_segwit_active_after(&block.header.prev_blockhash) {
            complete_witness(&mut block);
        }
        let block = Arc::new(block);
        self.record_submitted(&block);
        match self.context.chain.submit_block(block) {
            Ok(Submitted::NewTip) => Ok(Value::Null),
            // The block is kept: its chain may still win.
            Ok(Submitted::SideChain) if work_id.is_some() => Ok(Value::from("stale-work")),
            Ok(Submitted::SideChain) => Ok(Value::from("inconclusive")),
            Ok(Submitted::Duplicate) => Ok(Value::from("duplicate")),
            Err(error) => bip22(Err(error)),
        }
    }

    fn submit_header(&self, hexdata: String) -> CallResult<Value> {
        let header: Header = hex::decode(&hexdata)
            .ok()
            .and_then(|bytes| bitcoin::consensus::deserialize(bytes.get(..HEADER_BYTES)?).ok())
            .ok_or_else(|| {
                CallError::new(code::DESERIALIZATION_ERROR, "Block header decode failed")
            })?;
        match self.context.chain.submit_headers(vec![header]) {
            Ok(_) => Ok(Value::Null),
            Err(SubmitError::UnknownParent(parent)) => Err(CallError::new(
                code::VERIFY_ERROR,
                format!("Must submit previous header ({parent}) first"),
            )),
            Err(error) => Err(error.into()),
        }
    }

    fn get_mining_info(&self) -> CallResult<Value> {
        let context = &self.context;
        let tip = context.reader.tip();
        let mut info = json!({ "blocks": tip.height.0 });
        if let Some(template) = context.work.published().borrow().as_ref() {
            info["currentblockweight"] = template.weight.into();
            info["currentblocktx"] = template.transactions.len().into();
        }
        describe_target(&mut info, tip.header.bits);
        info["networkhashps"] = self.network_hash_rate(DEFAULT_HASH_RATE_BLOCKS, -1)?;
        info["pooledtx"] = self.mempool_at_tip()?.info().size.into();
        let min_fee_rate = context.work.options().min_fee_rate_sat_per_kvb;
        info["blockmintxfee"] = Btc::from_sat(min_fee_rate).value();
        info["chain"] = context.spec.address_kind.core_name().into();
        if let Some(chain) = context.reader.header_chain(&tip.hash) {
            let mut next = json!({ "height": tip.height.next().0 });
            let now = u32::try_from(context.clock.now()).unwrap_or(u32::MAX);
            let time = now.max(earliest_time(&context.spec, &chain));
            describe_target(&mut next, pow::next_bits(&context.spec, &chain, time));
            info["next"] = next;
        }
        info["warnings"] = self.context.warnings();
        Ok(info)
    }

    fn get_network_hash_ps(&self, nblocks: Option<i64>, height: Option<i64>) -> CallResult<Value> {
        self.network_hash_rate(
            nblocks.unwrap_or(DEFAULT_HASH_RATE_BLOCKS),
            height.unwrap_or(-1),
        )
    }

    fn start_mining(
        &self,
        address: Option<String>,
        threads: Option<i64>,
        intensity: Option<i64>,
        devices: Option<String>,
        kernel: Option<String>,
        options: Option<Value>,
    ) -> CallResult<Value> {
        let params = MiningParams {
            threads,
            intensity,
            devices,
            kernel,
            options,
        };
        // Before the payout changes: settings that make no sense change nothing.
        let settings = params.over(&self.context.mining_defaults)?;
        self.context.work.set_payout(self.payout(address)?);
        self.context.miner.start(settings)?;
        self.get_mining_status()
    }

    fn stop_mining(&self) -> CallResult<Value> {
        self.context.miner.stop();
        self.get_mining_status()
    }

    fn get_mining_status(&self) -> CallResult<Value> {
        let mut form = miner_json(&self.context.miner.status());
        if let Some(schedule) = self.context.block_schedule {
            form["schedule"] = schedule_json(schedule);
        }
        Ok(form)
    }
}

impl Handler {
    /// Whom mined blocks pay: the address, or a new one of the wallet.
    fn payout(&self, address: Option<String>) -> CallResult<ScriptBuf> {
        let address = match address.filter(|address| !address.is_empty()) {
            Some(text) => self
                .parse_address(&text)
                .ok_or_else(|| CallError::not_found("Error: Invalid address"))?,
            None => self
                .context
                .wallet
                .new_address(AddressType::Bech32, "mining")?,
        };
        Ok(address.script_pubkey())
    }

    /// Whether the block after this one has segwit's rules; not if it is unknown.
    fn is_segwit_active_after(&self, parent: &BlockHash) -> bool {
        self.context
            .reader
            .header(parent)
            .is_some_and(|parent| parent.height.next().0 >= self.context.spec.deployments.segwit)
    }

    /// A block of a miner apart from the node goes into the accounts of mining if it pays the node's wallet. It does so before it is
    /// submitted, so what is written down is checked as far as that needs no coins: anybody can make blocks that are nothing.
    fn record_submitted(&self, block: &Arc<Block>) {
        let context = &self.context;
        let is_ours = block.txdata.first().is_some_and(|coinbase| {
            coinbase
                .output
                .iter()
                .any(|output| context.wallet.is_mine(&output.script_pubkey))
        });
        let reader = &context.reader;
        if !is_ours || reader.has_block(&block.block_hash()) {
            return;
        }
        let Some(parent) = reader.header_chain(&block.header.prev_blockhash) else {
            return;
        };
        let is_good = check_header(&context.spec, &block.header, &parent, context.clock.now())
            .is_ok()
            && check_block(&context.spec, &HashedBlock::new(Arc::clone(block))).is_ok();
        if is_good {
            context.work.record(block, Finder::named(SUBMITTED_FINDER));
        }
    }

    /// Hashes a second, by the work and the time of the blocks up to a height.
    fn network_hash_rate(&self, blocks: i64, height: i64) -> CallResult<Value> {
        if blocks < -1 || blocks == 0 {
            return Err(CallError::invalid_parameter(
                "Invalid nblocks. Must be a positive number or -1.",
            ));
        }
        let tip = self.context.reader.tip();
        if height < -1 || height > i64::from(tip.height.0) {
            return Err(CallError::invalid_parameter(
                "Block does not exist at specified height",
            ));
        }
        let last = u32::try_from(height).unwrap_or(tip.height.0);
        let count = match u32::try_from(blocks) {
            Ok(count) => count,
            Err(_) if blocks < 0 => since_last_change(&self.context.spec.difficulty, last),
            Err(_) => u32::MAX,
        };
        self.rate_over(last.saturating_sub(count), last)
    }

    /// The rate from the block at `first` to the block at `last`.
    fn rate_over(&self, first: u32, last: u32) -> CallResult<Value> {
        let mut times = None;
        let mut works = None;
        for height in first..=last {
            let Some(info) = self
                .context
                .reader
                .hash_at(Height(height))
                .and_then(|hash| self.context.reader.header(&hash))
            else {
                // The chain was reorganised meanwhile.
                return Ok(Value::from(0));
            };
            let (time, work) = (info.header.time, info.work);
            let (earliest, latest) = times.unwrap_or((time, time));
            times = Some((time.min(earliest), time.max(latest)));
            works = Some((works.map_or(work, |(lowest, _): (Work, Work)| lowest), work));
        }
        let (Some((earliest, latest)), Some((lowest, highest))) = (times, works) else {
            return Ok(Value::from(0));
        };
        if earliest == latest {
            return Ok(Value::from(0));
        }
        Ok(float(
            work_to_f64(highest - lowest) / f64::from(latest - earliest),
        ))
    }
}

/// Blocks since the difficulty changed last; with one that changes at every block, one.
fn since_last_change(difficulty: &Difficulty, height: u32) -> u32 {
    match difficulty {
        Difficulty::Retarget { interval, .. } => height.checked_rem(*interval).unwrap_or(0) + 1,
        Difficulty::Asert { .. } | Difficulty::Lwma { .. } | Difficulty::Fixed => 1,
    }
}

/// Work as a float.
fn work_to_f64(work: Work) -> f64 {
    work.to_be_bytes()
        .iter()
        .fold(0.0, |number, byte| number * 256.0 + f64::from(*byte))
}

/// Adds what compact bits stand for.
fn describe_target(form: &mut Value, bits: CompactTarget) {
    form["bits"] = bits_hex(bits).into();
    form["difficulty"] = float(pow::difficulty(bits));
    form["target"] = target_hex(bits).into();
}

/// Gives a coinbase that has a witness commitment and no witness the reserved value that it must
/// have: some miners leave it out, and Bitcoin Core lets them.
fn complete_witness(block: &mut Block) {
    const COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    let Some(coinbase) = block.txdata.first_mut() else {
        return;
    };
    let commits = coinbase.output.iter().any(|output| {
        output.script_pubkey.len() >= 38 && output.script_pubkey.as_bytes().starts_with(&COMMITMENT)
    });
    if let [input] = coinbase.input.as_mut_slice()
        && commits
        && input.witness.is_empty()
    {
        input.witness = Witness::from_slice(&[[0_u8; 32]]);
    }
}

/// Blocks by the clock.
fn schedule_json(schedule: BlockSchedule) -> Value {
    json!({
        "every": float(schedule.every.as_secs_f64()),
        "timing": schedule.timing.name(),
    })
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
    use pyrite_consensus::bitcoin::{Amount, Network, TxOut};

    use super::*;

    #[test]
    fn a_missing_coinbase_witness_is_completed() {
        let mut block = genesis_block(Network::Regtest);
        complete_witness(&mut block);
        assert!(
            block.txdata[0].input[0].witness.is_empty(),
            "there is nothing to commit to"
        );
        let script = ScriptBuf::from_hex(&format!("6a24aa21a9ed{}", "00".repeat(32))).unwrap();
        block.txdata[0].output.push(TxOut {
            value: Amount::ZERO,
            script_pubkey: script,
        });
        complete_witness(&mut block);
        assert_eq!(
            block.txdata[0].input[0].witness,
            Witness::from_slice(&[[0_u8; 32]])
        );
        let own = Witness::from_slice(&[[1_u8; 32]]);
        block.txdata[0].input[0].witness = own.clone();
        complete_witness(&mut block);
        assert_eq!(block.txdata[0].input[0].witness, own);
        complete_witness(&mut Block {
            header: block.header,
            txdata: Vec::new(),
        });
    }

    #[test]
    fn work_is_a_number() {
        assert!((work_to_f64(Work::from_be_bytes([0; 32])) - 0.0).abs() < f64::EPSILON);
        let mut bytes = [0; 32];
        bytes[30] = 1;
        bytes[31] = 2;
        assert!((work_to_f64(Work::from_be_bytes(bytes)) - 258.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_difficulty_changes_at_every_interval() {
        let retarget = Difficulty::Retarget {
            interval: 2_016,
            bip94: false,
        };
        assert_eq!(since_last_change(&retarget, 2_016), 1);
        assert_eq!(since_last_change(&retarget, 2_015), 2_016);
        assert_eq!(since_last_change(&Difficulty::Fixed, 2_015), 1);
    }

    #[test]
    fn a_schedule_is_told() {
        let form = schedule_json(BlockSchedule {
            every: std::time::Duration::from_millis(2_500),
            timing: pyrite_miner::BlockTiming::Poisson,
        });
        assert_eq!(form["every"].as_f64(), Some(2.5));
        assert_eq!(form["timing"], "poisson");
    }
}
