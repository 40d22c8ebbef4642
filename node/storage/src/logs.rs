//! Looks through RocksDB's logs (the write-ahead log and the manifest) before RocksDB does.
//!
//! Both are sequences of records in blocks of 32 KiB, each record with its checksum, length and type
//! in front. A kill can leave the last record incomplete, which is no damage: it was never acknowledged.
//! RocksDB takes a last record that is complete and wrong for the same, and forgets it: here it is damage.
//!
//! RocksDB can reuse old log files, and then marks records with types of their own. We never let it, so
//! such a type is damage; but RocksDB's reader loops for ever on one behind other records, and takes one
//! at the beginning for the end of the log.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::StorageError;
use crate::checksum::{masked, masked_crc32c};

/// Records never cross the boundary of a block.
const BLOCK_BYTES: usize = 32 << 10;
/// Checksum (4), length (2), type (1).
const RECORD_HEADER_BYTES: usize = 7;
/// The checksum is that of the type and what is behind it.
const CHECKED_OFFSET: usize = 6;

/// Refuses logs in the directory that RocksDB could not get through.
///
/// # Errors
/// A log is damaged, or can't be read.
pub(crate) fn check_logs(directory: &Path) -> Result<(), StorageError> {
    for file in log_files(directory)? {
        let io_error = |error| StorageError::from_io(&file, &error);
        let mut reader = BufReader::new(File::open(&file).map_err(io_error)?);
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        for number in 0_u64.. {
            block.clear();
            let limit = u64::try_from(BLOCK_BYTES).expect("32 KiB fit in 64 bits");
            reader
                .by_ref()
                .take(limit)
                .read_to_end(&mut block)
                .map_err(io_error)?;
            if block.is_empty() {
                break;
            }
            if let Some(Flaw { offset, what }) = find_flaw(&block) {
                return Err(StorageError::Corrupt {
                    detail: format!(
                        "{}: {what} in block {number} at byte {offset}",
                        file.display()
                    ),
                });
            }
        }
    }
    Ok(())
}

fn log_files(directory: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let io_error = |error| StorageError::from_io(directory, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let entry = entry.map_err(io_error)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("MANIFEST-") || name.ends_with(".log") {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// What is wrong with a record, and its offset in the block.
#[derive(Debug, PartialEq, Eq)]
struct Flaw {
    offset: usize,
    what: &'static str,
}

/// The first record of a block that is damaged.
fn find_flaw(block: &[u8]) -> Option<Flaw> {
    let mut offset = 0;
    while let Some(header) = block.get(offset..offset + RECORD_HEADER_BYTES) {
        let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
        let kind = header[6];
        if is_reused_type(kind) {
            let what = "impossible record type";
            return Some(Flaw { offset, what });
        }
        if kind == 0 && length == 0 {
            // Space that was reserved and never written.
            return None;
        }
        let checksum = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let end = offset + RECORD_HEADER_BYTES + length;
        let Some(checked) = block.get(offset + CHECKED_OFFSET..end) else {
            // Torn, unless the record is there and it is the length that is damaged.
            let what = "impossible record length";
            let is_there = has_prefix_with(&block[offset + CHECKED_OFFSET..], checksum);
            return is_there.then_some(Flaw { offset, what });
        };
        if checksum != masked_crc32c(checked) {
            let what = "checksum mismatch";
            return Some(Flaw { offset, what });
        }
        offset = end;
    }
    None
}

/// Whether the first bytes have that checksum, however many.
fn has_prefix_with(bytes: &[u8], checksum: u32) -> bool {
    let mut crc = 0;
    bytes.chunks(1).any(|byte| {
        crc = crc32c::crc32c_append(crc, byte);
        masked(crc) == checksum
    })
}

/// The types of RocksDB's `log_format.h` that have `Recycl` in their names.
fn is_reused_type(kind: u8) -> bool {
    matches!(kind, 5..=8 | 11 | 131)
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: u16) -> Vec<u8> {
        let mut checked = vec![kind];
        checked.extend(vec![0x05; usize::from(length)]);
        let mut bytes = masked_crc32c(&checked).to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend(checked);
        bytes
    }

    #[test]
    fn records_of_our_own_types_pass() {
        let block: Vec<u8> = [record(1, 10), record(2, 300), record(10, 0), record(4, 7)].concat();
        assert_eq!(find_flaw(&block), None);
        for end in 0..block.len() {
            assert_eq!(find_flaw(&block[..end]), None, "torn at {end}");
        }
        assert_eq!(find_flaw(&[0; 100]), None);
    }

    #[test]
    fn a_type_of_reused_logs_is_found_wherever_it_is() {
        let found = |offset| {
            let what = "impossible record type";
            Some(Flaw { offset, what })
        };
        for kind in [5, 6, 7, 8, 11, 131] {
            assert_eq!(find_flaw(&record(kind, 3)), found(0));
            let block: Vec<u8> = [record(1, 10), record(kind, 3), record(1, 1)].concat();
            assert_eq!(find_flaw(&block), found(17));
        }
    }

    #[test]
    fn a_flipped_bit_in_any_record_is_found_though_it_is_the_last() {
        let block: Vec<u8> = [record(1, 10), record(1, 20)].concat();
        for position in 0..block.len() {
            let mut damaged = block.clone();
            damaged[position] ^= 0x10;
            assert!(find_flaw(&damaged).is_some(), "at {position}");
        }
    }
}
