//! Builds the coins anew from the blocks that are stored.

use std::ops::ControlFlow;

use pyrite_consensus::Height;
use pyrite_consensus::connect::genesis_coins;
use pyrite_storage::schema::{Coins, Headers, Heights, Meta, SecondCoins};
use pyrite_storage::{CHAIN_SCHEMA, Database, Durability, FaultPoints, MetaKey, MetaValue};

use crate::chain::Activation;
use crate::{Chain, ChainConfig, ChainError, SubmitError};

/// Blocks that are connected between two looks at whether to go on.
const STEP_BLOCKS: u32 = 64;

/// Forgets the coins and that any block was connected, and connects all blocks again, with their scripts.
/// `progress` is told the height of the tip and that of the best chain whose blocks are stored, and says whether
/// to go on. What is left when it does not, or at a kill, is done when the chain is opened the next time.
///
/// # Errors
/// Blocks were pruned, a block can't be read, or the machine failed.
pub fn rebuild_coins(
    config: ChainConfig,
    progress: &mut dyn FnMut(Height, Height) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ChainError> {
    forget_coins(&config)?;
    let chain = Chain::open_activating(config, FaultPoints::none(), Activation::OnDemand)?;
    let mut flow = ControlFlow::Continue(());
    let result = loop {
        match chain.handle.advance(STEP_BLOCKS) {
            Ok(target) => {
                let tip = chain.reader.tip().height;
                flow = progress(tip, target.max(tip));
                if flow.is_break() || target == tip {
                    break Ok(());
                }
            }
            Err(SubmitError::Machine(error)) => break Err(error),
            Err(_) => break Err(ChainError::Closed),
        }
    };
    // A failure of the writer is told by both.
    let closed = chain.shutdown();
    result.and(closed).map(|()| flow)
}

/// Goes back to the genesis block, all in one batch.
fn forget_coins(config: &ChainConfig) -> Result<(), ChainError> {
    let spec = &config.spec;
    let genesis = spec.genesis_hash();
    let database = Database::open(&config.path, &CHAIN_SCHEMA, &spec.name, genesis)?;
    let mut batch = database.batch();
    for record in database.scan::<Headers>() {
        let (hash, mut record) = record?;
        if record.flags.pruned {
            return Err(ChainError::Pruned);
        }
        if hash != genesis && record.flags.connected {
            record.flags.connected = false;
            batch.put::<Headers>(&hash, &record);
        }
    }
    // A snapshot that the chain began with goes with the coins.
    batch.clear::<SecondCoins>();
    for key in [
        MetaKey::CoinsTable,
        MetaKey::SnapshotBase,
        MetaKey::BackgroundTip,
    ] {
        batch.delete::<Meta>(&key);
    }
    batch.clear::<Coins>();
    for (outpoint, coin) in genesis_coins(spec) {
        batch.put::<Coins>(&outpoint, &coin);
    }
    batch.clear::<Heights>();
    batch.put::<Heights>(&Height::GENESIS, &genesis);
    batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(genesis));
    Ok(database.commit(batch, Durability::Synced)?)
}
