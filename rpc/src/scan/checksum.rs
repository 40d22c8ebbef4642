//! A descriptor's checksum, which a scan object may have.

use crate::call::{CallError, CallResult};
use crate::json::checksum;

/// Characters of a checksum.
const CHECKSUM_LEN: usize = 8;

/// A descriptor without its checksum.
///
/// # Errors
/// Code −5 when the checksum is wrong, or a character can't be in a descriptor.
pub(super) fn without_checksum(text: &str) -> CallResult<&str> {
    let mut parts = text.split('#');
    let descriptor = parts.next().unwrap_or_default();
    let given = parts.next();
    if parts.next().is_some() {
        return Err(CallError::not_found("Multiple '#' symbols"));
    }
    if let Some(given) = given.filter(|given| given.len() != CHECKSUM_LEN) {
        return Err(CallError::not_found(format!(
            "Expected {CHECKSUM_LEN} character checksum, not {} characters",
            given.len()
        )));
    }
    let computed = checksum(descriptor)
        .ok_or_else(|| CallError::not_found("Invalid characters in payload"))?;
    match given {
        Some(given) if given != computed => Err(CallError::not_found(format!(
            "Provided checksum '{given}' does not match computed checksum '{computed}'"
        ))),
        _ => Ok(descriptor),
    }
}

/// Refuses a descriptor without a checksum.
///
/// # Errors
/// Code −5 when it has none.
pub(crate) fn require_checksum(text: &str) -> CallResult<()> {
    match text.contains('#') {
        true => Ok(()),
        false => Err(CallError::not_found("Missing checksum")),
    }
}
