//! The walk down from the tip, and, on the highest level, up again (Bitcoin Core's `CVerifyDB`).

use pyrite_consensus::bitcoin::consensus::encode::deserialize;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint};
use pyrite_consensus::connect::outpoints_to_read;
use pyrite_consensus::{
    BlockContext, Coin, HashedBlock, Height, check_block, check_block_in_chain, connect_block,
};
use pyrite_storage::schema::{Blocks, UndoData};
use pyrite_storage::{RawBlock, Snapshot, StorageError, Undo};

use super::coins::UnwoundCoins;
use crate::ChainError;
use crate::coins::CoinsTable;
use crate::shared::Shared;
use crate::tree::{Node, NodeId};

/// The most coins that may differ in memory from the stored ones: some hundreds of megabytes.
const MAX_CHANGED_COINS: usize = 1 << 20;

/// How thorough a verification is. Each level does what those before it do, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerifyLevel {
    /// Reads the blocks.
    Read,
    /// Checks them by the rules that need no coins.
    Check,
    /// Reads their undo data.
    Undo,
    /// Disconnects them, in memory.
    Disconnect,
    /// Connects them again, in memory, by all rules.
    Reconnect,
}

impl VerifyLevel {
    /// The level of that number, from 0 to 4; numbers outside mean the nearest.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        match number {
            ..=0 => Self::Read,
            1 => Self::Check,
            2 => Self::Undo,
            3 => Self::Disconnect,
            4.. => Self::Reconnect,
        }
    }
}

/// What is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyOptions {
    /// How thoroughly.
    pub level: VerifyLevel,
    /// How many blocks, from the tip down; `None` for all that are stored. The genesis block is never among
    /// them.
    pub blocks: Option<u32>,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// All is well.
    Passed,
    /// A block, its undo data or its coins are not what they should be.
    Failed {
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
        /// What is wrong.
        detail: String,
    },
    /// All is well as far as it went: the blocks change too many coins to be disconnected in memory.
    TooManyCoins,
    /// All is well as far as it went: the blocks below were pruned.
    Pruned,
    /// It was broken off.
    Interrupted,
}

/// Why the walk ends before its end.
enum Stop {
    Verdict(Verification),
    Machine(ChainError),
}

impl From<ChainError> for Stop {
    fn from(error: ChainError) -> Self {
        Self::Machine(error)
    }
}

/// Verifies the last blocks of the best chain, as they are stored at this instant.
pub(crate) fn verify_chain(
    shared: &Shared,
    options: VerifyOptions,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<Verification, ChainError> {
    let database = shared.database()?;
    let (snapshot, tip) = shared.snapshot(&database)?;
    let walk = Walk {
        shared,
        snapshot: &snapshot,
        level: options.level,
        is_interrupted,
    };
    match walk.run(tip, options.blocks) {
        Ok(verdict) | Err(Stop::Verdict(verdict)) => Ok(verdict),
        Err(Stop::Machine(error)) => Err(error),
    }
}

struct Walk<'a> {
    shared: &'a Shared,
    snapshot: &'a Snapshot<'a>,
    level: VerifyLevel,
    is_interrupted: &'a dyn Fn() -> bool,
}

impl Walk<'_> {
    fn run(&self, tip: NodeId, blocks: Option<u32>) -> Result<Verification, Stop> {
        let ids: Vec<NodeId> = {
            let tree = self.shared.tree();
            let height = tree.node(tip).height.0;
            let count = blocks.map_or(height, |blocks| blocks.min(height));
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            // What lies at or below an unvalidated base has nothing to be verified yet.
            let base = tree.assumed().map(|assumed| assumed.base);
            tree.ancestors(tip)
                .take_while(|id| Some(*id) != base)
                .take(count)
                .collect()
        };
        let asked = ids.len();
        let ids: Vec<NodeId> = {
            let tree = self.shared.tree();
            let is_stored = |id: &NodeId| !tree.node(*id).flags.pruned;
            ids.into_iter().take_while(is_stored).collect()
        };
        let mut coins = UnwoundCoins::new(self.snapshot, CoinsTable::of_tip(self.snapshot)?);
        let mut is_unwound = true;
        for id in &ids {
            self.go_on()?;
            let node = self.node(*id);
            let block = self.check(&node)?;
            let spent = self.undo(&node, &block)?;
            is_unwound &= coins.changes() <= MAX_CHANGED_COINS;
            if self.level >= VerifyLevel::Disconnect && is_unwound {
                coins
                    .disconnect(&block, node.height, &spent)
                    .map_err(|error| of_storage(&node, error))?
                    .map_err(|detail| failed(&node, detail))?;
            }
        }
        if self.level >= VerifyLevel::Disconnect && !is_unwound {
            return Ok(Verification::TooManyCoins);
        }
        if self.level >= VerifyLevel::Reconnect {
            for id in ids.iter().rev() {
                self.go_on()?;
                self.reconnect(&self.node(*id), &mut coins)?;
            }
        }
        Ok(if ids.len() < asked {
            Verification::Pruned
        } else {
            Verification::Passed
        })
    }

    fn go_on(&self) -> Result<(), Stop> {
        if (self.is_interrupted)() {
            return Err(Stop::Verdict(Verification::Interrupted));
        }
        Ok(())
    }

    fn node(&self, id: NodeId) -> Node {
        self.shared.tree().node(id).clone()
    }

    /// Reads a block, and checks it if the level says so.
    fn check(&self, node: &Node) -> Result<HashedBlock, Stop> {
        let block = self.read(node)?;
        if self.level >= VerifyLevel::Check {
            let spec = &self.shared.spec;
            let branch = self.shared.branch(node.parent);
            check_block(spec, &block)
                .and_then(|()| check_block_in_chain(spec, &block, &BlockContext::new(&branch)))
                .map_err(|error| failed(node, error.to_string()))?;
        }
        Ok(block)
    }

    /// Reads a block from the database, whatever is in memory.
    fn read(&self, node: &Node) -> Result<HashedBlock, Stop> {
        let RawBlock(bytes) = self
            .snapshot
            .get::<Blocks>(&node.hash)
            .map_err(|error| of_storage(node, error))?
            .ok_or_else(|| failed(node, "the body is missing"))?;
        let block: Block = deserialize(&bytes)
            .map_err(|error| failed(node, format!("the body can't be read: {error}")))?;
        if block.block_hash() != node.hash {
            return Err(failed(node, "another block is stored in its place"));
        }
        Ok(HashedBlock::from(block))
    }

    /// Reads the coins that a block spent, if the level says so: they must be those of its inputs.
    fn undo(&self, node: &Node, block: &HashedBlock) -> Result<Vec<(OutPoint, Coin)>, Stop> {
        if self.level < VerifyLevel::Undo {
            return Ok(Vec::new());
        }
        let Undo(spent) = self
            .snapshot
            .get::<UndoData>(&node.hash)
            .map_err(|error| of_storage(node, error))?
            .ok_or_else(|| failed(node, "the undo data is missing"))?;
        let inputs = block
            .txdata
            .iter()
            .filter(|transaction| !transaction.is_coinbase())
            .flat_map(|transaction| &transaction.input)
            .map(|input| input.previous_output);
        if !inputs.eq(spent.iter().map(|(outpoint, _)| *outpoint)) {
            return Err(failed(node, "the undo data is not that of its inputs"));
        }
        Ok(spent)
    }

    /// Connects a block by all rules, scripts included.
    fn reconnect(&self, node: &Node, coins: &mut UnwoundCoins<'_>) -> Result<(), Stop> {
        let block = self.read(node)?;
        let spec = &self.shared.spec;
        let branch = self.shared.branch(node.parent);
        let context = BlockContext::new(&branch);
        let view = coins
            .read(&outpoints_to_read(spec, &block, context.height))
            .map_err(|error| of_storage(node, error))?;
        let effects = connect_block(spec, &block, &context, &view)
            .map_err(|error| failed(node, error.to_string()))?;
        self.shared
            .scripts
            .verify_block(effects.scripts(&block).collect())
            .map_err(|error| failed(node, error.to_string()))?;
        coins.connect(&block, &effects);
        Ok(())
    }
}

fn failed(node: &Node, detail: impl Into<String>) -> Stop {
    Stop::Verdict(Verification::Failed {
        hash: node.hash,
        height: node.height,
        detail: detail.into(),
    })
}

/// Damage is what is looked for; any other failure is the machine's.
fn of_storage(node: &Node, error: StorageError) -> Stop {
    match error {
        StorageError::Corrupt { detail } => failed(node, detail),
        error => Stop::Machine(error.into()),
    }
}
