//! Entries of the mempool, as `getmempoolentry` and `getrawmempool` show them.

use pyrite_mempool::MempoolEntry;
use serde::Serialize;

use super::chunk::Chunk;
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
    chunkweight: u64,
    wtxid: String,
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

/// The form of an entry, with the chunk that it is mined in; `replaceable` says whether it or an
/// ancestor signals BIP-0125.
///
/// Fees can't be modified here, so the modified ones are the fees themselves; and a transaction is
/// announced when it enters, so none is left to broadcast.
pub(crate) fn entry_json(
    entry: &MempoolEntry,
    chunk: Chunk,
    replaceable: bool,
) -> MempoolEntryJson {
    let mut depends: Vec<String> = entry.depends.iter().map(ToString::to_string).collect();
    depends.sort_unstable();
    depends.dedup();
    MempoolEntryJson {
        vsize: entry.vsize,
        weight: entry.weight,
        time: entry.time,
        height: entry.height.0,
        descendantcount: entry.descendant_count,
        descendantsize: entry.descendant_size,
        ancestorcount: entry.ancestor_count,
        ancestorsize: entry.ancestor_size,
        chunkweight: chunk.weight,
        wtxid: entry.wtxid.to_string(),
        fees: FeesJson {
            base: entry.fee.into(),
            modified: entry.fee.into(),
            ancestor: entry.ancestor_fees.into(),
            descendant: entry.descendant_fees.into(),
            chunk: chunk.fees.into(),
        },
        depends,
        spentby: entry.spent_by.iter().map(ToString::to_string).collect(),
        replaceable,
        unbroadcast: false,
    }
}
