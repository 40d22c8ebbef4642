//! Writing a mempool file.

use std::io::{self, Write};

use pyrite_consensus::bitcoin::consensus::Encodable;
use pyrite_consensus::bitcoin::consensus::encode::VarInt;
use pyrite_consensus::bitcoin::io as bitcoin_io;

use super::read::{Lists, SavedTransaction};
use super::{KEY_BYTES, VERSION_OBFUSCATED, obfuscate};

/// Writes a mempool: its `count` transactions, parents first, and the lists.
pub(super) fn write_file(
    output: impl Write,
    key: [u8; KEY_BYTES],
    transactions: impl ExactSizeIterator<Item = SavedTransaction>,
    lists: &Lists,
) -> io::Result<()> {
    let mut output = Obfuscating {
        output,
        position: 0,
        key: None,
    };
    VERSION_OBFUSCATED.consensus_encode(&mut output)?;
    VarInt::from(KEY_BYTES).consensus_encode(&mut output)?;
    key.consensus_encode(&mut output)?;
    output.key = Some(key);
    (transactions.len() as u64).consensus_encode(&mut output)?;
    for saved in transactions {
        saved.tx.consensus_encode(&mut output)?;
        saved.time.consensus_encode(&mut output)?;
        saved.delta.consensus_encode(&mut output)?;
    }
    VarInt::from(lists.deltas.len()).consensus_encode(&mut output)?;
    for (txid, delta) in &lists.deltas {
        txid.consensus_encode(&mut output)?;
        delta.consensus_encode(&mut output)?;
    }
    VarInt::from(lists.unbroadcast.len()).consensus_encode(&mut output)?;
    for txid in &lists.unbroadcast {
        txid.consensus_encode(&mut output)?;
    }
    output.output.flush()
}

/// Obfuscates what is written.
struct Obfuscating<W> {
    output: W,
    /// How many bytes were written.
    position: u64,
    key: Option<[u8; KEY_BYTES]>,
}

/// Bytes that are obfuscated together.
const PIECE_BYTES: usize = 512;

impl<W: Write> bitcoin_io::Write for Obfuscating<W> {
    fn write(&mut self, bytes: &[u8]) -> bitcoin_io::Result<usize> {
        let count = bytes.len().min(PIECE_BYTES);
        let mut piece = [0; PIECE_BYTES];
        let piece = &mut piece[..count];
        piece.copy_from_slice(&bytes[..count]);
        if let Some(key) = self.key {
            obfuscate(piece, key, self.position);
        }
        // All of it: what is written must be what the position says.
        self.output.write_all(piece)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> bitcoin_io::Result<()> {
        Ok(self.output.flush()?)
    }
}
