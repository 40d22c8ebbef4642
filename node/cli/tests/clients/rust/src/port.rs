//! Ports for the nodes of the tests.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that systems give to outgoing connections, so that none of those is in the way.
const FIRST: u16 = 21_000;
const COUNT: u16 = 9_000;
/// So many ports lie between the first ones of processes whose ids follow each other.
const STRIDE: u32 = 37;

/// A port that nobody listens on and that this process gets only once.
///
/// # Errors
/// All of the range are taken.
pub fn unshared_port() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = std::process::id().wrapping_mul(STRIDE) % u32::from(COUNT);
    for _ in 0..COUNT {
        let place = start + u32::from(NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
        let offset = u16::try_from(place % u32::from(COUNT)).map_err(io::Error::other)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)).is_ok() {
            return Ok(FIRST + offset);
        }
    }
    Err(io::Error::other("no free port"))
}
