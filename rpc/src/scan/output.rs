//! The one script that a descriptor pays, for those who make outputs.

use pyrite_consensus::bitcoin::ScriptBuf;
use pyrite_consensus::spec::AddressKind;

use super::checksum::without_checksum;
use super::expand::{Expansion, expand};
use crate::call::{CallError, CallResult};
use crate::stop::Stop;

/// The script of a descriptor that stands for one. Of `combo` it is the P2WPKH one, or the P2PKH one of a key that is not
/// compressed, as in Bitcoin Core.
///
/// # Errors
/// Code −5 when it is none, code −8 when it stands for many.
pub(crate) fn read_output(
    text: &str,
    addresses: AddressKind,
    stop: &Stop,
) -> CallResult<ScriptBuf> {
    let expansion = Expansion {
        range: 0..=0,
        addresses,
        stop,
    };
    let mut needles = expand(text, &expansion)?;
    let inner = without_checksum(text)?;
    let is_address = inner.starts_with("addr(");
    if !is_address && inner.contains('*') {
        return Err(CallError::invalid_parameter(
            "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?",
        ));
    }
    if !is_address && inner.contains('<') {
        return Err(CallError::invalid_parameter(
            "Multipath descriptor not accepted",
        ));
    }
    let position = match needles.len() {
        1 => 0,
        4 => 2,
        _ => 1,
    };
    if position >= needles.len() {
        return Err(CallError::not_found(
            "Cannot derive script without private keys",
        ));
    }
    Ok(needles.swap_remove(position).script)
}
