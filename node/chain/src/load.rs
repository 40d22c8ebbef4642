//! Reads the chain from the database at the start, and checks that its parts agree.

use pyrite_consensus::bitcoin::consensus::encode::deserialize;
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::connect::{disconnect_block, genesis_coins};
use pyrite_consensus::{ChainSpec, Height};
use pyrite_storage::schema::{Blocks, Coins, Headers, Heights, Meta, UndoData};
use pyrite_storage::{
    Database, Durability, HeaderFlags, HeaderRecord, MetaKey, MetaValue, RawBlock, Undo,
};

use crate::ChainError;
use crate::coins::CoinsTable;
use crate::snapshot::clear_changes;
use crate::tree::{Assumed, BlockTree, NodeId};

/// The tree of all stored headers with the best chain that the coins belong to, and the table that they are in.
/// Writes the genesis block into a new database first, and removes what a kill left of coins of a file.
///
/// # Errors
/// The database can't be read or written, or its parts contradict each other.
pub(crate) fn load(
    database: &Database,
    spec: &ChainSpec,
) -> Result<(BlockTree, CoinsTable), ChainError> {
    let tip = match database.get::<Meta>(&MetaKey::Tip)? {
        Some(value) => value
            .as_block()
            .ok_or_else(|| ChainError::corrupt("the tip is not a block's hash"))?,
        None => write_genesis(database, spec)?,
    };
    let table = CoinsTable::of_tip(&database.snapshot())?;
    let mut tree = load_headers(database, spec)?;
    load_assumed(database, spec, &mut tree)?;
    let id = tree
        .find(&tip)
        .ok_or_else(|| ChainError::corrupt(format!("the tip {tip} has no header")))?;
    if !tree.node(id).is_complete() {
        return Err(ChainError::corrupt(format!(
            "a block below the tip {tip} has no body"
        )));
    }
    tree.set_active(id);
    check_heights(database, &tree)?;
    match tree.assumed() {
        None => table.other().clear(database)?,
        Some(assumed) => check_coins_of(database, &tree, assumed.background, table.other())?,
    }
    // The base's own effects are not known before it is validated.
    if tree.assumed().is_none_or(|assumed| assumed.base != id) {
        check_coins_of(database, &tree, id, table)?;
    }
    clear_changes(database)?;
    Ok((tree, table))
}

/// Takes the base of a snapshot for complete, if the blocks up to it are still to be validated.
fn load_assumed(
    database: &Database,
    spec: &ChainSpec,
    tree: &mut BlockTree,
) -> Result<(), ChainError> {
    let block = |key| match database.get::<Meta>(&key)? {
        None => Ok(None),
        Some(value) => value
            .as_block()
            .map(Some)
            .ok_or_else(|| ChainError::corrupt(format!("{key:?} is not a block's hash"))),
    };
    let Some(base) = block(MetaKey::SnapshotBase)? else {
        return Ok(());
    };
    let background = block(MetaKey::BackgroundTip)?
        .ok_or_else(|| ChainError::corrupt("the tip of the background validation is missing"))?;
    let entry = spec
        .assume_utxo_of(&base)
        .ok_or(ChainError::UnknownSnapshot { base })?;
    let find = |hash: BlockHash| {
        tree.find(&hash)
            .ok_or_else(|| ChainError::corrupt(format!("the block {hash} has no header")))
    };
    let assumed = Assumed {
        base: find(base)?,
        background: find(background)?,
    };
    if !tree.node(assumed.background).is_complete() {
        return Err(ChainError::corrupt(format!(
            "a block below {background} has no body, and it is validated in the background"
        )));
    }
    tree.assume(assumed, entry.chain_tx_count);
    Ok(())
}

/// Writes the genesis block and its coins, all in one batch.
fn write_genesis(database: &Database, spec: &ChainSpec) -> Result<BlockHash, ChainError> {
    if let Some(header) = database.scan::<Headers>().next() {
        let (hash, _) = header?;
        return Err(ChainError::corrupt(format!(
            "there is a header {hash} but no tip"
        )));
    }
    let block = spec.genesis_block();
    let hash = block.block_hash();
    let tx_count = u32::try_from(block.txdata.len())
        .map_err(|_| ChainError::corrupt("the genesis block has too many transactions"))?;
    let record = HeaderRecord {
        header: block.header,
        height: Height::GENESIS,
        arrival: 0,
        sequence: 0,
        tx_count,
        flags: HeaderFlags {
            connected: true,
            ..HeaderFlags::default()
        },
    };
    let mut batch = database.batch();
    batch.put::<Headers>(&hash, &record);
    batch.put::<Blocks>(&hash, &RawBlock::new(&block));
    batch.put::<UndoData>(&hash, &Undo::default());
    for (outpoint, coin) in genesis_coins(spec) {
        batch.put::<Coins>(&outpoint, &coin);
    }
    batch.put::<Heights>(&Height::GENESIS, &hash);
    batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(hash));
    database.commit(batch, Durability::Synced)?;
    Ok(hash)
}

/// Builds the tree in the order in which the headers came, and checks every link.
fn load_headers(database: &Database, spec: &ChainSpec) -> Result<BlockTree, ChainError> {
    let mut records = Vec::new();
    for record in database.scan::<Headers>() {
        let (hash, record) = record?;
        let found = record.header.block_hash();
        if found != hash {
            return Err(ChainError::corrupt(format!(
                "header {found} is stored as {hash}"
            )));
        }
        records.push((hash, record));
    }
    records.sort_unstable_by_key(|(_, record)| record.arrival);

    let genesis = records.first().filter(|(hash, record)| {
        *hash == spec.genesis_hash() && record.arrival == 0 && record.height == Height::GENESIS
    });
    let (_, genesis) =
        genesis.ok_or_else(|| ChainError::corrupt("the genesis block's header is missing"))?;
    let mut tree = BlockTree::new(genesis.header);
    restore(&mut tree, NodeId::ROOT, genesis);
    for (hash, record) in &records[1..] {
        let id = insert(&mut tree, *hash, record)?;
        restore(&mut tree, id, record);
    }
    tree.propagate_failures();
    Ok(tree)
}

fn insert(
    tree: &mut BlockTree,
    hash: BlockHash,
    record: &HeaderRecord,
) -> Result<NodeId, ChainError> {
    let node = tree
        .link(hash, &record.header)
        .map_err(|error| ChainError::corrupt(format!("header {hash}: {error}")))?;
    if node.height != record.height {
        return Err(ChainError::corrupt(format!(
            "header {hash} is stored with height {} and has height {}",
            record.height, node.height
        )));
    }
    let id = tree.insert(node);
    // Headers are never deleted, so the numbers of their arrival have no gap.
    if usize::try_from(record.arrival).ok() != Some(id.index()) {
        return Err(ChainError::corrupt(format!(
            "header {hash} came as number {}, and {} headers before it are stored",
            record.arrival,
            id.index()
        )));
    }
    Ok(id)
}

fn restore(tree: &mut BlockTree, id: NodeId, record: &HeaderRecord) {
    tree.set_flags(id, record.flags);
    if record.tx_count > 0 {
        tree.set_body(id, record.tx_count, record.sequence);
    }
}

/// The height index must be the chain that the tip ends, and nothing more.
fn check_heights(database: &Database, tree: &BlockTree) -> Result<(), ChainError> {
    let tip = tree.node(tree.tip());
    let mut expected = Height::GENESIS;
    for entry in database.scan::<Heights>() {
        let (height, hash) = entry?;
        let active = tree.active_at(height).map(|id| tree.node(id).hash);
        if height != expected || active != Some(hash) {
            return Err(ChainError::corrupt(format!(
                "the height index has {hash} at height {height}, the chain of the tip {} does not",
                tip.hash
            )));
        }
        expected = height.next();
    }
    if expected != tip.height.next() {
        return Err(ChainError::corrupt(format!(
            "the height index ends before height {expected}, the tip {} is at height {}",
            tip.hash, tip.height
        )));
    }
    Ok(())
}

/// The coins that a table's last block created must be there, and those that it spent must not.
fn check_coins_of(
    database: &Database,
    tree: &BlockTree,
    id: NodeId,
    table: CoinsTable,
) -> Result<(), ChainError> {
    let tip = tree.node(id);
    if tip.height == Height::GENESIS {
        return Ok(());
    }
    let hash = tip.hash;
    let missing =
        |what: &str| ChainError::corrupt(format!("the {what} of the tip {hash} is missing"));
    let RawBlock(bytes) = database
        .get::<Blocks>(&hash)?
        .ok_or_else(|| missing("body"))?;
    let block: Block = deserialize(&bytes)
        .map_err(|error| ChainError::corrupt(format!("block {hash} can't be read: {error}")))?;
    let Undo(spent) = database
        .get::<UndoData>(&hash)?
        .ok_or_else(|| missing("undo data"))?;

    let effects = disconnect_block(&block.into(), &spent);
    let snapshot = database.snapshot();
    let created = table.multi_get(&snapshot, &effects.removed)?;
    if let Some((outpoint, _)) = effects
        .removed
        .iter()
        .zip(created)
        .find(|(_, coin)| coin.is_none())
    {
        return Err(ChainError::corrupt(format!(
            "the coin {outpoint} that the tip {hash} created is missing"
        )));
    }
    let spent: Vec<_> = effects
        .restored
        .iter()
        .map(|(outpoint, _)| *outpoint)
        .collect();
    let found = table.multi_get(&snapshot, &spent)?;
    if let Some((outpoint, _)) = spent.iter().zip(found).find(|(_, coin)| coin.is_some()) {
        return Err(ChainError::corrupt(format!(
            "the coin {outpoint} that the tip {hash} spent is still there"
        )));
    }
    Ok(())
}
