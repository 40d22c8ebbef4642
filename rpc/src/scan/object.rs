//! What the caller names: a descriptor, or an object of a descriptor and a range of indexes.

use std::ops::RangeInclusive;

use pyrite_consensus::spec::AddressKind;
use serde_json::Value;

use super::Needle;
use super::expand::{Expansion, expand};
use crate::call::{CallError, CallResult};
use crate::params;
use crate::stop::Stop;

/// The indexes of a descriptor with a wildcard where the caller names none.
const DEFAULT_RANGE: RangeInclusive<u32> = 0..=1_000;

/// The most indexes.
const MAX_RANGE: i64 = 1_000_000;

/// The most scripts that the objects of one call stand for: those of the widest range of `combo`.
const MAX_SCRIPTS: usize = 4_000_000;

/// The scripts of a scan object.
///
/// # Errors
/// It is none, its descriptor is none or has no keys for the range, or the server stops.
pub(crate) fn read_scan_object(
    value: &Value,
    addresses: AddressKind,
    stop: &Stop,
) -> CallResult<Vec<Needle>> {
    let (descriptor, range) = read_descriptor(value)?;
    expand(
        descriptor,
        &Expansion {
            range,
            addresses,
            stop,
        },
    )
}

/// Refuses to look for more scripts than one call may name, however many objects they come from.
///
/// # Errors
/// Code −8 when they are too many.
pub(crate) fn check_total(scripts: usize) -> CallResult<()> {
    if scripts > MAX_SCRIPTS {
        return Err(CallError::invalid_parameter(format!(
            "The scan objects stand for more than {MAX_SCRIPTS} scripts"
        )));
    }
    Ok(())
}

/// Reads a descriptor, or an object of a descriptor and a range.
///
/// # Errors
/// It is neither, or the range is none.
pub(super) fn read_descriptor(value: &Value) -> CallResult<(&str, RangeInclusive<u32>)> {
    match value {
        Value::String(text) => Ok((text.as_str(), DEFAULT_RANGE)),
        Value::Object(fields) => {
            let descriptor = match fields.get("desc") {
                None | Some(Value::Null) => {
                    return Err(CallError::invalid_parameter(
                        "Descriptor needs to be provided in scan object",
                    ));
                }
                Some(text) => params::text(text)?,
            };
            let range = match fields.get("range") {
                None | Some(Value::Null) => DEFAULT_RANGE,
                Some(range) => read_range(range)?,
            };
            Ok((descriptor, range))
        }
        _ => Err(CallError::invalid_parameter(
            "Scan object needs to be either a string or an object",
        )),
    }
}

/// Reads a range: its end, or its begin and its end.
///
/// # Errors
/// It is none, or too large.
pub(crate) fn read_range(value: &Value) -> CallResult<RangeInclusive<u32>> {
    let (begin, end) = match value {
        Value::Number(_) => (0, int64(value)?),
        Value::Array(ends) => match ends.as_slice() {
            [begin @ Value::Number(_), end @ Value::Number(_)] => (int64(begin)?, int64(end)?),
            _ => return Err(no_range()),
        },
        _ => return Err(no_range()),
    };
    if begin > end && value.is_array() {
        return Err(CallError::invalid_parameter(
            "Range specified as [begin,end] must not have begin after end",
        ));
    }
    let Ok(first) = u32::try_from(begin) else {
        // A begin above 2^32 has its end there, too.
        return Err(CallError::invalid_parameter(if begin < 0 {
            "Range should be greater or equal than 0"
        } else {
            "End of range is too high"
        }));
    };
    let Some(last) = u32::try_from(end).ok().filter(|last| last >> 31 == 0) else {
        return Err(CallError::invalid_parameter("End of range is too high"));
    };
    if end >= begin + MAX_RANGE {
        return Err(CallError::invalid_parameter("Range is too large"));
    }
    Ok(first..=last)
}

fn int64(value: &Value) -> CallResult<i64> {
    value.as_i64().ok_or_else(params::integer_out_of_range)
}

fn no_range() -> CallError {
    CallError::invalid_parameter("Range must be specified as end or as [begin,end]")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_range_is_an_end_or_both_ends() {
        assert_eq!(read_range(&json!(5)), Ok(0..=5));
        assert_eq!(read_range(&json!([3, 5])), Ok(3..=5));
        assert_eq!(
            read_range(&json!([2_147_483_647_u32, 2_147_483_647_u32])),
            Ok(2_147_483_647..=2_147_483_647)
        );
    }

    #[test]
    fn wrong_ranges_have_bitcoin_cores_messages() {
        for (range, message) in [
            (json!(-1), "End of range is too high"),
            (json!([-1, 10]), "Range should be greater or equal than 0"),
            (json!(1_i64 << 31), "End of range is too high"),
            (
                json!([1_i64 << 33, 1_i64 << 33]),
                "End of range is too high",
            ),
            (
                json!([2, 1]),
                "Range specified as [begin,end] must not have begin after end",
            ),
            (json!([0, 1_000_001]), "Range is too large"),
            (json!([0, 1_000_000]), "Range is too large"),
            (
                json!("1"),
                "Range must be specified as end or as [begin,end]",
            ),
            (
                json!([1]),
                "Range must be specified as end or as [begin,end]",
            ),
        ] {
            assert_eq!(
                read_range(&range),
                Err(CallError::invalid_parameter(message)),
                "{range}"
            );
        }
    }
}
