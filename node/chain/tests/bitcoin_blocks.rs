//! Bitcoin's own blocks on the `mainnet` chain.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyrite_chain::{SubmitError, Submitted};
use pyrite_consensus::bitcoin::consensus::encode::{deserialize, serialize};
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::{ChainSpec, Height};
use support::Fixture;

/// Blocks 1 to 255, or `None` where the data is not at hand.
fn blocks() -> Option<Vec<Block>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let vectors = std::env::var_os("PYRITE_VECTORS").map_or(root, PathBuf::from);
    let Ok(bytes) = fs::read(vectors.join("blocks/mainnet_1_to_255.blk")) else {
        assert!(std::env::var_os("CI").is_none(), "the vectors are missing");
        eprintln!("skipped: the vectors are missing");
        return None;
    };
    let mut rest = bytes.as_slice();
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(8);
        assert_eq!(head[..4], ChainSpec::mainnet().magic);
        let length = u32::from_le_bytes(head[4..].try_into().expect("four bytes"));
        let (block, tail) = tail.split_at(usize::try_from(length).expect("fits"));
        blocks.push(deserialize(block).expect("is a block"));
        rest = tail;
    }
    Some(blocks)
}

fn mainnet() -> Fixture {
    // In 2011, after all of the blocks' times.
    Fixture::at(ChainSpec::mainnet(), 1_300_000_000)
}

fn hash(text: &str) -> BlockHash {
    text.parse().expect("is a hash")
}

#[test]
fn the_first_255_blocks_are_imported() {
    let Some(blocks) = blocks() else { return };
    let mut fixture = mainnet();
    fixture.extend(&blocks);
    let at = |height| fixture.reader().hash_at(Height(height));
    let first = hash("00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048");
    let payment = hash("00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee");
    assert_eq!(at(1), Some(first));
    assert_eq!(at(170), Some(payment));
    assert_eq!(fixture.reader().tip().height, Height(255));
    let undo = fixture
        .reader()
        .undo(&payment)
        .expect("reads")
        .expect("was connected");
    assert_eq!(undo.len(), 1);
    assert_eq!(undo[0].1.height, Height(9));
    let coins = fixture.close_and_dump();
    assert!(coins.len() >= 255);
}

#[test]
fn a_block_with_a_bit_changed_is_refused_and_the_real_one_is_not() {
    let Some(blocks) = blocks() else { return };
    let fixture = mainnet();
    fixture.extend(&blocks[..169]);
    let bytes = serialize(&blocks[169]);
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << (position % 8);
        let Ok(block) = deserialize::<Block>(&changed) else {
            continue;
        };
        let result = fixture.chain().handle.submit_block(Arc::new(block));
        let error = result.expect_err("is refused");
        assert!(
            matches!(
                error,
                SubmitError::Header(_) | SubmitError::Block(_) | SubmitError::UnknownParent(_)
            ),
            "byte {position}: {error:?}"
        );
        assert!(error.reject_reason().is_some());
    }
    assert_eq!(fixture.submit(&blocks[169]), Submitted::NewTip);
}
