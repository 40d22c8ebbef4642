//! A block's transactions in full. Thousands of them are written by several threads, a piece of the text each.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use axum::body::Bytes;
use pyrite_consensus::bitcoin::{Network, Transaction, Txid, Wtxid};
use pyrite_consensus::{Coin, HashedBlock};

use super::text::separate;
use super::transaction::{TransactionView, expected_bytes, push_transaction_fields};

/// Transactions of a piece: enough that a thread is worth its start.
const PIECE: usize = 128;

/// The most threads for one block.
const MAX_THREADS: usize = 8;

/// A part of the block, and its text when it is written.
struct Piece<'a> {
    /// The number of its first transaction in the block.
    first: usize,
    transactions: &'a [Transaction],
    ids: (&'a [Txid], &'a [Wtxid]),
    /// The coins of all inputs but the coinbase's, in order.
    spent: Option<&'a [Coin]>,
    text: OnceLock<Vec<u8>>,
}

/// The transactions' forms as an array, in pieces.
pub(super) fn details(
    block: &HashedBlock,
    network: Network,
    spent: Option<&[Coin]>,
    with_prevouts: bool,
) -> Vec<Bytes> {
    let pieces = pieces(block, spent);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = piece.write(network, with_prevouts);
            piece.text.set(text).expect("a piece has one writer");
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let helpers = threads.min(MAX_THREADS).min(pieces.len()).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..helpers {
            let helper = thread::Builder::new().name("rpc-block".to_owned());
            // Without a helper it only takes longer.
            let _ = helper.spawn_scoped(scope, work);
        }
        work();
    });
    let texts = pieces.into_iter().map(|piece| piece.text.into_inner());
    let mut texts: Vec<_> = texts.flatten().collect();
    if let Some(last) = texts.last_mut() {
        last.push(b']');
    }
    texts.into_iter().map(Bytes::from).collect()
}

fn pieces<'a>(block: &'a HashedBlock, spent: Option<&'a [Coin]>) -> Vec<Piece<'a>> {
    let inputs: usize = block.txdata.iter().skip(1).map(|tx| tx.input.len()).sum();
    // Coins that don't match the inputs one to one say nothing of this block.
    let mut remaining = spent.filter(|coins| coins.len() == inputs);
    let ids = block
        .txids()
        .chunks(PIECE)
        .zip(block.wtxids().chunks(PIECE));
    let mut pieces = Vec::with_capacity(block.txdata.len().div_ceil(PIECE));
    for (transactions, ids) in block.txdata.chunks(PIECE).zip(ids) {
        let first = pieces.len() * PIECE;
        let own = transactions.iter().skip(usize::from(first == 0));
        let inputs = own.map(|tx| tx.input.len()).sum();
        let spent = remaining.map(|coins| {
            let (own, rest) = coins.split_at(inputs);
            remaining = Some(rest);
            own
        });
        pieces.push(Piece {
            first,
            transactions,
            ids,
            spent,
            text: OnceLock::new(),
        });
    }
    pieces
}

impl Piece<'_> {
    fn write(&self, network: Network, with_prevouts: bool) -> Vec<u8> {
        let expected: usize = self.transactions.iter().map(expected_bytes).sum();
        let mut text = Vec::with_capacity(expected);
        let mut remaining = self.spent;
        for (index, transaction) in self.transactions.iter().enumerate() {
            let is_coinbase = self.first + index == 0;
            let spent = remaining.filter(|_| !is_coinbase).map(|coins| {
                let (own, rest) = coins.split_at(transaction.input.len());
                remaining = Some(rest);
                own
            });
            let view = TransactionView {
                spent,
                with_prevouts,
                with_hex: true,
                ids: Some((self.ids.0[index], self.ids.1[index])),
            };
            if is_coinbase {
                text.push(b'[');
            }
            separate(&mut text, self.first + index);
            text.push(b'{');
            push_transaction_fields(&mut text, transaction, network, view);
            text.push(b'}');
        }
        text
    }
}

#[cfg(test)]
#[path = "details_tests.rs"]
mod tests;
