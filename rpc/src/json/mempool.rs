//! Entries and chunks of the mempool, as `getmempoolentry`, `getrawmempool` and `getmempoolcluster` show them, and what a
//! transaction pays where it is judged.

use pyrite_mempool::{Accepted, EntryDetails, FeeRate, MempoolChunk};
use serde::Serialize;
use serde_json::{Value, json};

use super::number::Btc;

/// An entry of the mempool.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MempoolEntryJson {
    vsize: u64,
    weight: u64,
    time: u64,
    height: u32,
    descendantcount: u64,
    descendantsize: u64,
    ancestorcount: u64,
    ancestorsize: u64,
    wtxid: String,
    chunkweight: u64,
    fees: FeesJson,
    depends: Vec<String>,
    spentby: Vec<String>,
    #[serde(rename = "bip125-replaceable")]
    replaceable: bool,
    unbroadcast: bool,
}

#[derive(Clone, Debug, Serialize)]
struct FeesJson {
    base: Btc,
    modified: Btc,
    ancestor: Btc,
    descendant: Btc,
    chunk: Btc,
}

/// The form of an entry. A transaction is announced when it enters, so none is left to broadcast.
pub(crate) fn entry_json(details: &EntryDetails) -> MempoolEntryJson {
    let entry = &details.entry;
    let mut depends: Vec<String> = details.depends.iter().map(ToString::to_string).collect();
    depends.sort_unstable();
    MempoolEntryJson {
        vsize: entry.vsize,
        weight: entry.weight,
        time: entry.time,
        height: entry.height.0,
        descendantcount: details.descendants.count,
        descendantsize: details.descendants.vsize,
        ancestorcount: details.ancestors.count,
        ancestorsize: details.ancestors.vsize,
        wtxid: entry.wtxid.to_string(),
        chunkweight: details.chunk.weight,
        fees: FeesJson {
            base: entry.fee.into(),
            modified: Btc::from_signed_sat(details.modified_fee),
            ancestor: Btc::from_signed_sat(details.ancestors.fees),
            descendant: Btc::from_signed_sat(details.descendants.fees),
            chunk: Btc::from_signed_sat(details.chunk.fee),
        },
        depends,
        spentby: details.spent_by.iter().map(ToString::to_string).collect(),
        replaceable: details.replaceable,
        unbroadcast: false,
    }
}

/// A chunk: transactions that are mined together.
pub(crate) fn chunk_json(chunk: &MempoolChunk) -> Value {
    let ids = chunk.entries.iter().map(|entry| entry.txid.to_string());
    json!({
        "chunkfee": Btc::from_signed_sat(chunk.rate.fee),
        "chunkweight": chunk.rate.weight,
        "txs": ids.collect::<Vec<_>>(),
    })
}

/// What a transaction pays, by itself and as it was judged.
pub(crate) fn accepted_fees(accepted: &Accepted) -> Value {
    let effective = &accepted.effective;
    let rate = FeeRate::of_modified(effective.fee, effective.vsize);
    let includes = effective.includes.iter().map(ToString::to_string);
    json!({
        "base": Btc::from(accepted.fee),
        "effective-feerate": Btc::from_sat(rate.0),
        "effective-includes": includes.collect::<Vec<_>>(),
    })
}
