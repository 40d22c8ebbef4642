//! Reads a ledger from its beginning, also while a node adds to it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{FILE_NAME, LedgerEntry, MAX_LINE_BYTES};
use crate::LedgerError;

/// The entries of a ledger, in the order in which they were added.
#[derive(Debug)]
pub struct LedgerReader {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
}

impl LedgerReader {
    /// Opens the ledger in `directory`; `None` when there is none.
    ///
    /// # Errors
    /// The file is there and can't be opened.
    pub fn open(directory: &Path) -> Result<Option<Self>, LedgerError> {
        let path = directory.join(FILE_NAME);
        match File::open(&path) {
            Ok(file) => Ok(Some(Self {
                path,
                reader: BufReader::new(file),
                line: 0,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LedgerError::File { path, source }),
        }
    }

    fn damaged(&self, detail: impl ToString) -> LedgerError {
        LedgerError::Line {
            path: self.path.clone(),
            line: self.line,
            detail: detail.to_string(),
        }
    }
}

impl Iterator for LedgerReader {
    type Item = Result<LedgerEntry, LedgerError>;

    /// The next entry. A last line without its end is still being written, or torn, and is left out.
    fn next(&mut self) -> Option<Self::Item> {
        let mut text = Vec::new();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        let read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut text);
        self.line += 1;
        if let Err(source) = read {
            let path = self.path.clone();
            return Some(Err(LedgerError::File { path, source }));
        }
        if text.last() != Some(&b'\n') {
            let is_too_long = text.len() == MAX_LINE_BYTES;
            return is_too_long.then(|| Err(self.damaged("too long")));
        }
        Some(serde_json::from_slice(&text).map_err(|error| self.damaged(error)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::{BlockHash, CompactTarget};

    use super::super::{FoundBlock, MiningSpan};
    use super::*;

    pub(crate) fn block(number: u8) -> LedgerEntry {
        LedgerEntry::Block(FoundBlock {
            time: 1_000 + u64::from(number),
            height: u32::from(number),
            hash: BlockHash::from_byte_array([number; 32]),
            subsidy_sat: 5_000_000_000,
            fees_sat: 12,
            device: "cpu0".to_owned(),
            bits: CompactTarget::from_consensus(0x207f_ffff),
            energy_mj: None,
        })
    }

    pub(crate) fn span(from: u64, to: u64) -> LedgerEntry {
        LedgerEntry::Span(MiningSpan {
            from,
            to,
            hashes: 10,
            energy_mj: Some(3),
        })
    }

    fn lines(directory: &Path, text: &[u8]) -> Vec<Result<LedgerEntry, String>> {
        fs::write(directory.join(FILE_NAME), text).unwrap();
        let reader = LedgerReader::open(directory).unwrap().unwrap();
        // An error may repeat where the file can't be gone on in.
        let entries = reader.map(|entry| entry.map_err(|error| error.to_string()));
        entries.take(10).collect()
    }

    #[test]
    fn no_ledger_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(LedgerReader::open(directory.path()).unwrap().is_none());
    }

    #[test]
    fn a_line_that_is_being_written_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let mut text = serde_json::to_vec(&block(1)).unwrap();
        assert_eq!(lines(directory.path(), &text), []);
        text.push(b'\n');
        assert_eq!(lines(directory.path(), &text), [Ok(block(1))]);
        text.extend(b"{\"block\":");
        assert_eq!(lines(directory.path(), &text), [Ok(block(1))]);
    }

    #[test]
    fn a_damaged_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let first = serde_json::to_string(&block(1)).unwrap();
        let text = format!("{first}\n{{\"block\":{{}}}}\n");
        let found = lines(directory.path(), text.as_bytes());
        assert_eq!(found[0], Ok(block(1)));
        let error = found[1].as_ref().unwrap_err();
        assert!(error.contains("ledger.jsonl: line 2: "), "{error}");
        let long = "x".repeat(2 * MAX_LINE_BYTES);
        let found = lines(directory.path(), long.as_bytes());
        let error = found[0].as_ref().unwrap_err();
        assert!(error.contains("line 1: too long"), "{error}");
    }
}
