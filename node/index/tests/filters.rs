//! Filters equal BIP-0158's test vectors.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::path::PathBuf;

use pyrite_consensus::bitcoin::bip158::{FilterHash, FilterHeader};
use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, ScriptBuf};
use pyrite_index::{build_filter, filter_matches};
use serde_json::Value;

fn vectors() -> Option<Value> {
    let root = std::env::var_os("PYRITE_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let path = root.join("bitcoin-core/blockfilters.json");
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) if std::env::var_os("CI").is_some() => {
            panic!("{}: {error}", path.display())
        }
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            None
        }
    }
}

#[test]
fn filters_equal_the_published_ones() {
    let Some(vectors) = vectors() else { return };
    let cases = vectors.as_array().unwrap();
    let mut checked = 0;
    for case in cases.iter().skip(1) {
        let text = |index: usize| case[index].as_str().unwrap();
        let block: Block = deserialize_hex(text(2)).unwrap();
        let spent: Vec<ScriptBuf> = case[3]
            .as_array()
            .unwrap()
            .iter()
            .map(|script| ScriptBuf::from_hex(script.as_str().unwrap()).unwrap())
            .collect();
        let filter = build_filter(&block, spent.iter().map(|script| script.as_script()));
        assert_eq!(hex::encode(&filter), text(5), "height {}", case[0]);
        let before: FilterHeader = text(4).parse().unwrap();
        let header = FilterHash::hash(&filter).filter_header(&before);
        assert_eq!(header.to_string(), text(6), "height {}", case[0]);
        for script in spent.iter().filter(|script| !script.is_empty()) {
            let needles = std::iter::once(script.as_bytes());
            assert!(filter_matches(&filter, &block.block_hash(), needles).unwrap());
        }
        checked += 1;
    }
    assert!(checked >= 10, "{checked} cases");
}
