//! The mempool's file, `mempool.dat`, in the format that Bitcoin Core writes and reads.

mod read;
mod restore;
mod store;
mod write;

#[cfg(test)]
mod tests;

pub use restore::{ImportOptions, Restored};
pub use store::{MempoolFile, Persistence, SaveOutcome};

/// The version without an obfuscation key. It is read, and no longer written.
const VERSION_PLAIN: u64 = 1;

/// The version whose bytes, after the key, are combined with it.
const VERSION_OBFUSCATED: u64 = 2;

/// Bytes of an obfuscation key.
const KEY_BYTES: usize = 8;

/// Combines bytes that lie at `position` in the file with the key, which repeats from the file's begin. Doing it twice
/// undoes it.
fn obfuscate(bytes: &mut [u8], key: [u8; KEY_BYTES], position: u64) {
    let period = u64::try_from(KEY_BYTES).unwrap_or(1);
    let first = usize::try_from(position % period).unwrap_or(0);
    for (byte, mask) in bytes.iter_mut().zip(key.iter().cycle().skip(first)) {
        *byte ^= mask;
    }
}
