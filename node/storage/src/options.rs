//! How RocksDB is set up: bounded memory and files, checksums verified, damage reported.

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};

use crate::schema::{Access, Memory};

/// What one table gathers in memory before it is written out.
const WRITE_BUFFER_BYTES: usize = 8 << 20;
/// The write-ahead log is kept below this, which also bounds the time to open after a crash.
const MAX_WAL_BYTES: u64 = 128 << 20;
/// Open files, far below the usual limit of a process.
const MAX_OPEN_FILES: i32 = 256;
/// Size and number of RocksDB's own logs.
const LOG_FILE_BYTES: usize = 1 << 20;
const LOG_FILES: usize = 2;
/// Values from this size on go to blob files in a table of large records.
const MIN_BLOB_BYTES: u64 = 4 << 10;
/// Size of a blob file.
const BLOB_FILE_BYTES: u64 = 64 << 20;
/// Size of a block in a table file.
const TABLE_BLOCK_BYTES: usize = 16 << 10;
/// Ten bits a key: about one look-up in a hundred of an absent coin touches the disk.
const BLOOM_BITS_PER_KEY: f64 = 10.0;

/// Options of the database as a whole.
pub(crate) fn database_options(memory: Memory) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // A record torn by a kill ends the log and is dropped; damage before the end is an error.
    // Point-in-time recovery would take damage anywhere for the end, and forget blocks that were
    // acknowledged.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_max_total_wal_size(MAX_WAL_BYTES);
    options.set_db_write_buffer_size(memory.write_buffers_bytes);
    options.set_max_open_files(MAX_OPEN_FILES);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    // The disk begins with a block while the rest of it is checked: the sync that follows finds less to do.
    options.set_wal_bytes_per_sync(512 << 10);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(LOG_FILE_BYTES);
    options.set_keep_log_file_num(LOG_FILES);
    options
}

/// The cache that all tables share.
pub(crate) fn block_cache(memory: Memory) -> Cache {
    Cache::new_lru_cache(memory.block_cache_bytes)
}

/// Options of one table.
pub(crate) fn table_options(access: Access, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_block_size(TABLE_BLOCK_BYTES);
    // Index and filters count against the cache too, so that it bounds them.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // The first version whose footers have a checksum, too.
    blocks.set_format_version(6);
    if access == Access::Point {
        blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
        blocks.set_whole_key_filtering(true);
    }

    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(3);
    options.set_paranoid_checks(true);
    if access == Access::Large {
        options.set_enable_blob_files(true);
        options.set_min_blob_size(MIN_BLOB_BYTES);
        options.set_blob_file_size(BLOB_FILE_BYTES);
        options.set_blob_compression_type(DBCompressionType::Lz4);
    }
    options
}
