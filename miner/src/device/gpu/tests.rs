//! The device on PoCL.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyrite_consensus::bitcoin::Network;
use pyrite_consensus::bitcoin::constants::genesis_block;

use super::*;
use crate::{Cancel, GpuError, PreparedHeader, SearchOutcome};

const GENESIS_NONCE: u32 = 2_083_236_893;

/// The first OpenCL device, open, one test at a time. Where there is none the tests say that they were skipped, but not under CI.
fn device() -> Option<MutexGuard<'static, OpenClDevice>> {
    static DEVICE: OnceLock<Option<Mutex<OpenClDevice>>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        let listed = match list() {
            Ok(listed) => listed,
            Err(GpuError::NoLibrary) => Vec::new(),
            Err(error) => panic!("{error}"),
        };
        let Some(info) = listed.first() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "there is no OpenCL device: `make setup` installs PoCL"
            );
            return None;
        };
        Some(Mutex::new(OpenClDevice::open(info, 0).unwrap()))
    });
    if device.is_none() {
        eprintln!("skipped: there is no OpenCL device (`make setup` installs PoCL)");
    }
    device
        .as_ref()
        .map(|device| device.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn finds_the_genesis_nonce() {
    let Some(mut device) = device() else { return };
    let header = PreparedHeader::new(&genesis_block(Network::Bitcoin).header);
    let first = GENESIS_NONCE - 1_000_000;
    let SearchOutcome { found, hashes } = device
        .search_header(&header, first..=u32::MAX, &Cancel::never())
        .unwrap();
    assert_eq!(found.map(|found| found.nonce), Some(GENESIS_NONCE));
    assert!(hashes > 1_000_000);
}
