//! For tests: a regtest chain in a directory, and blocks for it.

use std::path::Path;
use std::sync::Arc;

use pyrite_chain::{Chain, ChainConfig, Clock};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::{Block, BlockHash, ScriptBuf};
use pyrite_miner::{TemplateTip, build_template};

/// The settings of a regtest chain whose present is an hour after its genesis block.
pub(crate) fn config(path: &Path) -> ChainConfig {
    let spec = Arc::new(ChainSpec::regtest());
    let now = u64::from(spec.genesis.time) + 3600;
    ChainConfig {
        spec,
        path: path.to_owned(),
        script_threads: 1,
        coins_cache_bytes: 1 << 20,
        assume_valid: None,
        clock: Clock::new(move || now),
    }
}

/// A regtest chain.
pub(crate) fn open(path: &Path) -> Chain {
    Chain::open(config(path)).unwrap()
}

/// A valid block on `parent`; the tag tells it from others there.
pub(crate) fn block_on(chain: &Chain, parent: &BlockHash, tag: u64) -> Block {
    let reader = &chain.reader;
    let view = reader.header_chain(parent).unwrap();
    let tip = TemplateTip {
        parent: &view,
        hash: *parent,
    };
    let payout = ScriptBuf::new_op_return([]);
    let now = u64::from(reader.spec().genesis.time) + 3600;
    let template = build_template(reader.spec(), &tip, &[], &payout, now);
    solved(template.block(tag, template.time, 0))
}

/// Submits so many blocks on the tip; returns them.
pub(crate) fn extend(chain: &Chain, count: u32, tag: u64) -> Vec<Block> {
    (0..count)
        .map(|_| {
            let block = block_on(chain, &chain.reader.tip().hash, tag);
            chain.handle.submit_block(Arc::new(block.clone())).unwrap();
            block
        })
        .collect()
}

/// The block with a nonce that solves it.
pub(crate) fn solved(mut block: Block) -> Block {
    let target = block.header.target();
    while !target.is_met_by(block.header.block_hash()) {
        block.header.nonce += 1;
    }
    block
}
