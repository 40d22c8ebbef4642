//! Reads the answer of `getblocktemplate` (BIP-0022, BIP-0023, BIP-0145). Nothing in it is trusted: what is missing,
//! malformed or asks for rules that are not known here is refused by name.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use pyrite_consensus::bitcoin::{Amount, BlockHash, CompactTarget, Script, ScriptBuf};
use pyrite_miner::{OfferedTransaction, Template, TemplateOffer};
use serde::Deserialize;
use serde_json::Value;

use super::trouble::Trouble;

/// Rules that this miner's blocks obey. Others that start with "!" change what a block must be (BIP-0009).
const KNOWN_RULES: [&str; 3] = ["csv", "segwit", "taproot"];

/// What legacy sizes and sigops count of BIP-0141's limits.
const WITNESS_SCALE_FACTOR: u64 = 4;

/// Bitcoin's limits, for servers that tell none.
const MAX_BLOCK_WEIGHT: u64 = 4_000_000;
const MAX_BLOCK_SIGOP_COST: u64 = 80_000;

/// All nonces.
const WHOLE_NONCE_RANGE: &str = "00000000ffffffff";

/// Bits of the version that miners may roll (BIP-0320).
const ROLLED_BITS: u32 = 0x1fff_e000;

/// The fields that matter.
#[derive(Deserialize)]
struct Form {
    version: i64,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    vbrequired: u32,
    previousblockhash: String,
    transactions: Vec<TransactionForm>,
    coinbasevalue: u64,
    #[serde(default)]
    longpollid: Option<String>,
    #[serde(default)]
    workid: Option<String>,
    #[serde(default)]
    mintime: u32,
    #[serde(default)]
    maxtime: Option<u32>,
    #[serde(default)]
    mutable: Option<Vec<String>>,
    #[serde(default)]
    noncerange: Option<String>,
    #[serde(default)]
    sigoplimit: Option<u64>,
    #[serde(default)]
    sizelimit: Option<u64>,
    #[serde(default)]
    weightlimit: Option<u64>,
    curtime: u32,
    bits: String,
    height: u32,
    #[serde(default)]
    default_witness_commitment: Option<String>,
}

#[derive(Deserialize)]
struct TransactionForm {
    data: String,
    #[serde(default)]
    txid: Option<String>,
    fee: u64,
    #[serde(default)]
    sigops: u64,
    #[serde(default)]
    depends: Vec<usize>,
}

/// A template, and what belongs to it.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) template: Template,
    /// To wait for the next.
    pub(super) long_poll_id: Option<String>,
    /// To be brought back with a block.
    pub(super) work_id: Option<String>,
    /// The node's time.
    pub(super) time: u32,
}

impl Offer {
    /// Reads an answer; the block will pay `payout`.
    pub(super) fn read(answer: Value, payout: &Script) -> Result<Self, Trouble> {
        if !answer.is_object() {
            return Err(unusable("it is not an object"));
        }
        let form: Form = serde_json::from_value(answer).map_err(unusable)?;
        check_rules(&form.rules)?;
        if form.vbrequired & ROLLED_BITS != 0 {
            return Err(unusable("vbrequired asks for bits that miners roll"));
        }
        if form
            .noncerange
            .as_deref()
            .is_some_and(|range| range != WHOLE_NONCE_RANGE)
        {
            return Err(unusable("noncerange leaves out nonces"));
        }
        let scale = match form.rules.iter().any(|rule| bare(rule) == "segwit") {
            true => 1,
            false => WITNESS_SCALE_FACTOR,
        };
        let (min_time, max_time) = times(&form);
        let sigop_limit = form.sigoplimit.map(|limit| limit.saturating_mul(scale));
        let size_limit = form
            .sizelimit
            .map(|limit| limit.saturating_mul(WITNESS_SCALE_FACTOR));
        let commitment = form.default_witness_commitment.as_deref();
        let offer = TemplateOffer {
            height: Height(form.height),
            previous: field(
                "previousblockhash",
                form.previousblockhash.parse::<BlockHash>(),
            )?,
            version: field("version", version(form.version))?,
            bits: field("bits", CompactTarget::from_unprefixed_hex(&form.bits))?,
            time: form.curtime,
            min_time,
            max_time,
            coinbase_value: Amount::from_sat(form.coinbasevalue),
            transactions: transactions(&form.transactions, scale)?,
            witness_commitment: commitment
                .map(|script| field("default_witness_commitment", ScriptBuf::from_hex(script)))
                .transpose()?,
            max_weight: form
                .weightlimit
                .or(size_limit)
                .map_or(MAX_BLOCK_WEIGHT, |limit| limit.min(MAX_BLOCK_WEIGHT)),
            max_sigop_cost: sigop_limit.unwrap_or(MAX_BLOCK_SIGOP_COST),
        };
        Ok(Self {
            template: Template::from_offer(offer, payout).map_err(unusable)?,
            long_poll_id: form.longpollid,
            work_id: form.workid,
            time: form.curtime,
        })
    }
}

/// The version's 32 bits, which some servers give as a number without sign.
fn version(number: i64) -> Result<i32, std::num::TryFromIntError> {
    match u32::try_from(number) {
        Ok(bits) => Ok(bits.cast_signed()),
        Err(_) => i32::try_from(number),
    }
}

/// The bounds of the header's time. Where the server does not let it change, it is the server's.
fn times(form: &Form) -> (u32, Option<u32>) {
    let may_change = form.mutable.as_ref().is_none_or(|mutable| {
        mutable
            .iter()
            .any(|name| name == "time" || name == "time/increment")
    });
    match may_change {
        true => (form.mintime, form.maxtime),
        false => (form.curtime, Some(form.curtime)),
    }
}

fn transactions(forms: &[TransactionForm], scale: u64) -> Result<Vec<OfferedTransaction>, Trouble> {
    let read = |(index, form): (usize, &TransactionForm)| {
        let wrong = |what: &str| unusable(format!("transactions[{index}]: {what}"));
        let tx: pyrite_consensus::bitcoin::Transaction =
            deserialize_hex(&form.data).map_err(|_| wrong("data is no transaction"))?;
        let txid = form.txid.as_deref();
        if txid.is_some_and(|txid| !txid.eq_ignore_ascii_case(&tx.compute_txid().to_string())) {
            return Err(wrong("txid is not that of the data"));
        }
        let depends = form.depends.iter().map(|position| position.checked_sub(1));
        Ok(OfferedTransaction {
            tx,
            fee: Amount::from_sat(form.fee),
            sigop_cost: form.sigops.saturating_mul(scale),
            depends: depends
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("depends counts from 1"))?,
        })
    };
    forms.iter().enumerate().map(read).collect()
}

fn check_rules(rules: &[String]) -> Result<(), Trouble> {
    let unknown = rules
        .iter()
        .find(|rule| rule.starts_with('!') && !KNOWN_RULES.contains(&bare(rule)));
    match unknown.map(|rule| bare(rule)) {
        None => Ok(()),
        Some("signet") => Err(Trouble::lasting(
            "the chain is a signet, whose blocks its owner signs",
        )),
        Some(rule) => Err(Trouble::lasting(format!(
            "the chain has the rule {rule:?}, which this version does not know"
        ))),
    }
}

fn bare(rule: &str) -> &str {
    rule.strip_prefix('!').unwrap_or(rule)
}

fn field<T, E: std::fmt::Display>(name: &str, value: Result<T, E>) -> Result<T, Trouble> {
    value.map_err(|error| unusable(format!("{name}: {error}")))
}

fn unusable(reason: impl std::fmt::Display) -> Trouble {
    Trouble::passing(format!("the node's template can't be mined: {reason}"))
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
