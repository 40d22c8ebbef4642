//! The ledger's file, for the one node that writes it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pyrite_consensus::bitcoin::BlockHash;
use serde_json::{Map, Value};

use super::{FILE_NAME, LedgerEntry, MAX_LINE_BYTES};
use crate::LedgerError;

/// Blocks that are remembered, so that one that is submitted again is not written down again.
const REMEMBERED: usize = 64;

/// A ledger that is open for writing.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Where the last whole line ends. What is behind it is of an addition that failed.
    length: u64,
    recent: VecDeque<BlockHash>,
}

impl Ledger {
    /// Opens the ledger in `directory`, which is made if it is not there. A last line that a kill or the end of the
    /// power tore is dropped: what it was about had not been acknowledged.
    ///
    /// Only one process may have it open.
    ///
    /// # Errors
    /// The directory or the file can't be made, read or cut off.
    pub fn open(directory: &Path) -> Result<Self, LedgerError> {
        let path = directory.join(FILE_NAME);
        let open = || -> io::Result<State> {
            fs::create_dir_all(directory)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            let found = file.metadata()?.len();
            let length = end_of_whole_lines(&file, found)?;
            if length < found {
                tracing::warn!(
                    file = %path.display(),
                    bytes = found - length,
                    "the last line of the accounts of mining was torn, and is dropped"
                );
                file.set_len(length)?;
            }
            file.sync_all()?;
            // The name of a new file is in its directory, and that one's in the directory above.
            for directory in [Some(directory), directory.parent()].into_iter().flatten() {
                sync_directory(directory)?;
            }
            Ok(State {
                file,
                length,
                recent: VecDeque::new(),
            })
        };
        match open() {
            Ok(state) => Ok(Self {
                path,
                state: Mutex::new(state),
            }),
            Err(source) => Err(LedgerError::File { path, source }),
        }
    }

    /// Adds an entry; it would survive the end of the power when this returns. A block that was added a moment ago is not
    /// added again. Blocks for the time of a sync.
    ///
    /// # Errors
    /// The file can't be written. It is as it was then, and the next addition is tried anew.
    pub fn add(&self, entry: &LedgerEntry) -> Result<(), LedgerError> {
        let mut line = serde_json::to_string(entry).expect("names and numbers are JSON");
        line.push('\n');
        debug_assert!(line.len() <= MAX_LINE_BYTES, "lines have a bound");
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let LedgerEntry::Block(block) = entry
            && state.recent.contains(&block.hash)
        {
            return Ok(());
        }
        state.add(&line).map_err(|source| LedgerError::File {
            path: self.path.clone(),
            source,
        })?;
        if let LedgerEntry::Block(block) = entry {
            if state.recent.len() == REMEMBERED {
                state.recent.pop_front();
            }
            state.recent.push_back(block.hash);
        }
        Ok(())
    }
}

impl State {
    fn add(&mut self, line: &str) -> io::Result<()> {
        let written = self
            .file
            .write_all_at(line.as_bytes(), self.length)
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
                Ok(())
            }
            Err(error) => {
                // Part of the line may be there. The next one is written over it, or it is dropped at the next opening.
                let _ = self.file.set_len(self.length);
                Err(error)
            }
        }
    }
}

/// Where the last line ends that is whole. Every line is synced before the next, so the last one alone may be torn; after the
/// end of the power, it may even have its end and miss what comes before. Then it is no object of JSON; one of a kind that this
/// version does not know is another's, and stays.
fn end_of_whole_lines(file: &File, length: u64) -> io::Result<u64> {
    let window = u64::try_from(2 * MAX_LINE_BYTES).unwrap_or(u64::MAX);
    let start = length.saturating_sub(window);
    let mut tail = vec![0; usize::try_from(length - start).map_err(io::Error::other)?];
    file.read_exact_at(&mut tail, start)?;
    let end_before = |end: usize| {
        let newline = tail[..end].iter().rposition(|byte| *byte == b'\n');
        match newline {
            Some(position) => Ok(position + 1),
            None if start == 0 => Ok(0),
            None => Err(io::Error::other("its end is no ledger's")),
        }
    };
    let mut end = end_before(tail.len())?;
    if end > 0 {
        let begin = end_before(end - 1)?;
        let object = serde_json::from_slice::<Map<String, Value>>(&tail[begin..end]);
        if object.is_err() {
            end = begin;
        }
    }
    Ok(start + u64::try_from(end).map_err(io::Error::other)?)
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::LedgerReader;
    use super::super::read::tests::{block, span};
    use super::*;

    fn entries(directory: &Path) -> Vec<LedgerEntry> {
        let reader = LedgerReader::open(directory).unwrap().unwrap();
        reader.map(Result::unwrap).collect()
    }

    #[test]
    fn what_was_added_is_there_at_the_next_opening() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mining");
        let ledger = Ledger::open(&path).unwrap();
        ledger.add(&block(1)).unwrap();
        ledger.add(&span(5, 9)).unwrap();
        drop(ledger);
        let ledger = Ledger::open(&path).unwrap();
        ledger.add(&block(2)).unwrap();
        assert_eq!(entries(&path), [block(1), span(5, 9), block(2)]);
    }

    #[test]
    fn a_block_that_is_submitted_again_is_not_added_again() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(directory.path()).unwrap();
        for number in [1, 2, 1, 2, 3] {
            ledger.add(&block(number)).unwrap();
        }
        assert_eq!(entries(directory.path()), [block(1), block(2), block(3)]);
    }

    #[test]
    fn a_last_line_that_is_torn_anywhere_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(directory.path()).unwrap();
        ledger.add(&block(1)).unwrap();
        let path = directory.path().join(FILE_NAME);
        let first = fs::read(&path).unwrap().len();
        ledger.add(&block(2)).unwrap();
        drop(ledger);
        let whole = fs::read(&path).unwrap();
        for cut in first..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let ledger = Ledger::open(directory.path()).unwrap();
            assert_eq!(entries(directory.path()), [block(1)]);
            ledger.add(&block(3)).unwrap();
            assert_eq!(entries(directory.path()), [block(1), block(3)]);
        }
        // The end of the power: the file has its length, and not all of its contents.
        for hole in first..whole.len() - 1 {
            let mut damaged = whole.clone();
            damaged[first..=hole].fill(0);
            fs::write(&path, &damaged).unwrap();
            Ledger::open(directory.path()).unwrap();
            assert_eq!(entries(directory.path()), [block(1)], "{hole}");
        }
    }

    #[test]
    fn a_last_line_of_a_kind_that_is_not_known_stays() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(directory.path()).unwrap();
        ledger.add(&block(1)).unwrap();
        drop(ledger);
        let path = directory.path().join(FILE_NAME);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"payout\":{\"sat\":7}}\n");
        fs::write(&path, &text).unwrap();
        let ledger = Ledger::open(directory.path()).unwrap();
        ledger.add(&block(2)).unwrap();
        let now = fs::read_to_string(&path).unwrap();
        assert!(now.starts_with(&text), "{now}");
        let read: Vec<_> = LedgerReader::open(directory.path())
            .unwrap()
            .unwrap()
            .collect();
        assert_eq!(read.len(), 3);
        let error = read[1].as_ref().unwrap_err().to_string();
        assert!(
            error.contains("line 2: ") && error.contains("payout"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_no_ledger_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        fs::write(&path, vec![b'x'; 3 * MAX_LINE_BYTES]).unwrap();
        let error = Ledger::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains(FILE_NAME), "{error}");
        assert_eq!(fs::read(&path).unwrap().len(), 3 * MAX_LINE_BYTES);
    }
}
