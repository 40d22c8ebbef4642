//! RocksDB's blob files, which hold the large values: a head, records of a key and a value, a foot, each
//! with its checksums (RocksDB's `blob_log_format.h`).

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::StorageError;
use crate::checksum::{masked, masked_crc32c};

const MAGIC: u32 = 0x0024_8f37;
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 30;
const FOOT_BYTES: usize = 32;
const RECORD_HEAD_BYTES: usize = 32;
/// Where the column family's number is. RocksDB compares it when it opens; a larger one than there are
/// column families is wrong in any case.
const HEAD_NUMBER: std::ops::Range<usize> = 8..12;
const MAX_NUMBER: u32 = 15;
/// No compression, and LZ4.
const COMPRESSIONS: [u8; 2] = [0, 4];
/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// What a blob file is, if it is not damaged.
pub(crate) enum BlobFile {
    /// Every byte is as it was written.
    Whole,
    /// It has no foot: it was never finished, or that is damaged. The error says so.
    Unfinished(StorageError),
}

/// Verifies every byte of a blob file.
///
/// # Errors
/// It is damaged, or can't be read.
pub(crate) fn check_blob_file(path: &Path) -> Result<BlobFile, StorageError> {
    let io_error = |error: std::io::Error| StorageError::from_io(path, &error);
    let file = File::open(path).map_err(io_error)?;
    let bytes = file.metadata().map_err(io_error)?.len();
    if !has_foot(&file, bytes).map_err(io_error)? {
        return Ok(BlobFile::Unfinished(StorageError::Corrupt {
            detail: format!("{}: the foot is missing or damaged", path.display()),
        }));
    }
    let mut reader = Reader {
        input: BufReader::with_capacity(CHUNK_BYTES, file),
        left: bytes,
    };
    let checked = reader.check().map(|()| BlobFile::Whole);
    checked.map_err(|flaw| match flaw {
        Flaw::Io(error) => io_error(error),
        Flaw::Damage(what) => StorageError::Corrupt {
            detail: format!(
                "{}: {what} before byte {}",
                path.display(),
                bytes - reader.left
            ),
        },
    })
}

/// Why a file is refused.
enum Flaw {
    Io(std::io::Error),
    Damage(&'static str),
}

struct Reader<R> {
    input: R,
    /// Bytes of the file that are not read yet.
    left: u64,
}

impl<R: Read> Reader<R> {
    fn check(&mut self) -> Result<(), Flaw> {
        let head: [u8; HEAD_BYTES] = self.take()?;
        if !is_head(&head) {
            return Err(Flaw::Damage("not the head of a blob file"));
        }
        let mut records = 0_u64;
        while self.left > FOOT_BYTES as u64 {
            self.check_record()?;
            records += 1;
        }
        let foot: [u8; FOOT_BYTES] = self.take()?;
        if number64(&foot, 4) != records {
            return Err(Flaw::Damage("the foot does not fit the records"));
        }
        Ok(())
    }

    fn check_record(&mut self) -> Result<(), Flaw> {
        let head: [u8; RECORD_HEAD_BYTES] = self.take()?;
        if number32(&head, 24) != masked_crc32c(&head[..24]) {
            return Err(Flaw::Damage("checksum mismatch in the head of a record"));
        }
        let key_and_value = number64(&head, 0).checked_add(number64(&head, 8));
        let mut left = key_and_value
            .filter(|bytes| *bytes <= self.left)
            .ok_or(Flaw::Damage("a record is longer than the file"))?;
        let mut checksum = 0;
        let mut chunk = [0; CHUNK_BYTES];
        while left > 0 {
            let length = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
            self.fill(&mut chunk[..length])?;
            checksum = crc32c::crc32c_append(checksum, &chunk[..length]);
            left -= length as u64;
        }
        if number32(&head, 28) != masked(checksum) {
            return Err(Flaw::Damage("checksum mismatch in a record"));
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Flaw> {
        let length = bytes.len() as u64;
        if length > self.left {
            return Err(Flaw::Damage("the file ends too early"));
        }
        self.input.read_exact(bytes).map_err(Flaw::Io)?;
        self.left -= length;
        Ok(())
    }
}

/// Whether the last bytes of a file are the foot of a blob file.
fn has_foot(file: &File, bytes: u64) -> std::io::Result<bool> {
    let Some(start) = bytes.checked_sub(FOOT_BYTES as u64) else {
        return Ok(false);
    };
    let mut foot = [0; FOOT_BYTES];
    file.read_exact_at(&mut foot, start)?;
    Ok(number32(&foot, 0) == MAGIC && number32(&foot, 28) == masked_crc32c(&foot[..28]))
}

/// A head has no checksum, but nothing of it is free: values of ours never expire.
fn is_head(head: &[u8; HEAD_BYTES]) -> bool {
    if number32(head, HEAD_NUMBER.start) > MAX_NUMBER {
        return false;
    }
    let mut rest = *head;
    rest[HEAD_NUMBER].fill(0);
    COMPRESSIONS.iter().any(|compression| {
        let mut expected = [0; HEAD_BYTES];
        expected[..4].copy_from_slice(&MAGIC.to_le_bytes());
        expected[4..8].copy_from_slice(&VERSION.to_le_bytes());
        expected[13] = *compression;
        rest == expected
    })
}

fn number32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn number64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
