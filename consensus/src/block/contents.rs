//! What the rules look at in a block, however its transactions are held.

use bitcoin::block::Header;
use bitcoin::{Transaction, Txid, Wtxid};

/// A block with the ids of its transactions, one of each kind for every transaction.
pub trait BlockContents {
    /// Its header.
    fn header(&self) -> &Header;

    /// Its transactions, in their order.
    fn body(&self) -> impl Iterator<Item = &Transaction>;

    /// Their ids.
    fn txids(&self) -> &[Txid];

    /// Their ids with their witnesses.
    fn wtxids(&self) -> &[Wtxid];
}
