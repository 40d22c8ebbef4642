//! The checksum of RocksDB's logs and blob files.

/// CRC-32C as RocksDB stores it: shifted, because a checksum of bytes that contain checksums is a bad one.
pub(crate) fn masked_crc32c(bytes: &[u8]) -> u32 {
    masked(crc32c::crc32c(bytes))
}

/// A CRC-32C as RocksDB stores it.
pub(crate) fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}
