//! Tests of the program as its users run it: its command line, and networks of several processes.

// Here a failure ends the test, which is what it is for.
#![allow(clippy::unwrap_used)]

mod bench;
mod bitcoind;
mod block_files;
mod chain_command;
mod command_line;
mod db_command;
mod devices;
mod full_disk;
mod kills;
mod mempool_restart;
mod mine;
mod mining_report;
mod network;
mod notifications;
mod orphans;
mod support;
