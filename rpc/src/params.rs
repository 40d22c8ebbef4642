//! Parameters: from what a client sends, by position or by name, to the positions that a method
//! declares, checked for number and type; and the reading of single values.

use std::str::FromStr;

use pyrite_consensus::bitcoin::Amount;
use serde_json::{Map, Value};

use crate::call::{CallError, CallResult, code};
use crate::catalogue::{Kind, MethodSpec, Need, ParamSpec};
use crate::help;
use crate::repeated_keys::repeated_key;

/// Satoshi per coin.
const SAT_PER_COIN: i64 = 100_000_000;

/// The parameter under which named calls pass positional ones too.
const POSITIONAL: &str = "args";

/// Brings parameters into the order of `method` and checks their number and types.
///
/// # Errors
/// An unknown name, a name given twice, too few or too many, a wrong type.
pub(crate) fn arrange(method: &MethodSpec, params: Value) -> CallResult<Vec<Value>> {
    let values = match params {
        Value::Null => Vec::new(),
        Value::Array(values) => values,
        Value::Object(named) => by_position(method, named)?,
        _ => {
            return Err(CallError::new(
                code::INVALID_REQUEST,
                "Params must be an array or object",
            ));
        }
    };
    if values.len() < method.required_count() || values.len() > method.params.len() {
        return Err(CallError::misc(help::detail(method)));
    }
    check_types(method, &values)?;
    Ok(values)
}

/// Named parameters in their positions, with nulls in the gaps.
fn by_position(method: &MethodSpec, mut named: Map<String, Value>) -> CallResult<Vec<Value>> {
    if let Some(name) = repeated_key(&named) {
        return Err(CallError::invalid_parameter(format!(
            "Parameter {name} specified multiple times"
        )));
    }
    let mut values = match named.shift_remove(POSITIONAL) {
        Some(Value::Array(values)) => values,
        // Bitcoin Core, too, takes no notice of anything else under that name.
        Some(_) | None => Vec::new(),
    };
    let positional_count = values.len();
    let mut filled = vec![false; method.params.len()];
    for (name, value) in fold_options(method, named)? {
        let position = method
            .params
            .iter()
            .position(|param| param.is_called(&name))
            .ok_or_else(|| {
                CallError::invalid_parameter(format!("Unknown named parameter {name}"))
            })?;
        if position < positional_count {
            return Err(CallError::invalid_parameter(format!(
                "Parameter {name} specified twice both as positional and named argument"
            )));
        }
        if filled[position] {
            return Err(CallError::invalid_parameter(format!(
                "Parameter {name} specified multiple times"
            )));
        }
        filled[position] = true;
        if values.len() <= position {
            values.resize(position + 1, Value::Null);
        }
        values[position] = value;
    }
    Ok(values)
}

/// Puts options that are named as parameters of their own into the object that they belong to.
fn fold_options(method: &MethodSpec, named: Map<String, Value>) -> CallResult<Map<String, Value>> {
    let mut folded = Map::new();
    let mut options: Map<String, Value> = Map::new();
    let mut object = None;
    for (name, value) in named {
        let owner = method
            .params
            .iter()
            .find(|param| matches!(param.kind, Kind::Options(known) if known.contains(&&*name)));
        match owner {
            Some(param) => {
                object = Some(param.name());
                options.insert(name, value);
            }
            None => {
                folded.insert(name, value);
            }
        }
    }
    if let (Some(object), Some(first)) = (object, options.keys().next()) {
        if folded.contains_key(object) {
            return Err(CallError::invalid_parameter(format!(
                "Parameter {object} conflicts with parameter {first}"
            )));
        }
        folded.insert(object.to_owned(), Value::Object(options));
    }
    Ok(folded)
}

/// A member of an object that a caller gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: &'static str,
    /// What Bitcoin Core calls its type.
    pub(crate) type_name: &'static str,
    /// Whether it must be there.
    pub(crate) need: Presence,
}

/// Whether a member of an object must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It must.
    Required,
    /// It may be missing, or null.
    Optional,
}

/// Checks that a value is an object of these members, in the order of their names, and of no others
/// (Bitcoin Core's `RPCTypeCheckObj`, strictly).
pub(crate) fn strict_object<'a>(
    value: &'a Value,
    members: &[Member],
) -> CallResult<&'a Map<String, Value>> {
    let wrong = |message: String| CallError::new(code::TYPE_ERROR, message);
    let object = value.as_object().ok_or_else(|| {
        wrong(format!(
            "JSON value of type {} is not of expected type object",
            type_name(value)
        ))
    })?;
    for member in members {
        let found = object.get(member.name).unwrap_or(&Value::Null);
        match member.need {
            Presence::Required if found.is_null() => {
                return Err(wrong(format!("Missing {}", member.name)));
            }
            Presence::Optional if found.is_null() => {}
            _ if type_name(found) != member.type_name => {
                return Err(wrong(format!(
                    "JSON value of type {} for field {} is not of expected type {}",
                    type_name(found),
                    member.name,
                    member.type_name
                )));
            }
            _ => {}
        }
    }
    let is_known = |name: &str| members.iter().any(|member| member.name == name);
    match object.keys().find(|name| !is_known(name)) {
        Some(name) => Err(wrong(format!("Unexpected key {name}"))),
        None => Ok(object),
    }
}

/// Checks that each value has its parameter's type, and names all that don't.
fn check_types(method: &MethodSpec, values: &[Value]) -> CallResult<()> {
    let mut mismatches = Vec::new();
    for (index, (param, value)) in method.params.iter().zip(values).enumerate() {
        if value.is_null() && matches!(param.need, Need::Optional(_)) {
            continue;
        }
        if let Some(expected) = mismatch(param, value) {
            mismatches.push(misfit(param.name(), index + 1, value, expected));
        }
    }
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(type_error(&mismatches))
    }
}

/// The type that `value` should have and does not.
fn mismatch(param: &ParamSpec, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match param.kind {
        Kind::Text | Kind::Hex => (value.is_string(), "string"),
        Kind::Number => (value.is_number(), "number"),
        Kind::Boolean => (value.is_boolean(), "bool"),
        // Its reader knows what an amount may be.
        Kind::Amount => (true, ""),
        Kind::Array => (value.is_array(), "array"),
        Kind::Object | Kind::Options(_) => (value.is_object(), "object"),
        Kind::ObjectOrText => (value.is_object() || value.is_string(), "object"),
        Kind::HashOrHeight | Kind::Any | Kind::Described(_) => (true, ""),
    };
    (!fits).then_some(expected)
}

/// What is said of a parameter of the wrong type.
fn misfit(name: &str, position: usize, value: &Value, expected: &str) -> String {
    format!(
        "    \"Position {position} ({name})\": \"JSON value of type {} is not of expected type \
         {expected}\"",
        type_name(value)
    )
}

/// Bitcoin Core's message about parameters of the wrong type.
fn type_error(mismatches: &[String]) -> CallError {
    CallError::new(
        code::TYPE_ERROR,
        format!("Wrong type passed:\n{{\n{}\n}}", mismatches.join(",\n")),
    )
}

/// What Bitcoin Core calls a JSON type.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A value inside an array or object that should be a string.
pub(crate) fn text(value: &Value) -> CallResult<&str> {
    value.as_str().ok_or_else(|| {
        CallError::new(
            code::TYPE_ERROR,
            format!(
                "JSON value of type {} is not of expected type string",
                type_name(value)
            ),
        )
    })
}

/// A value inside an object that should be true or false.
pub(crate) fn boolean(value: &Value) -> CallResult<bool> {
    value.as_bool().ok_or_else(|| {
        CallError::new(
            code::TYPE_ERROR,
            format!(
                "JSON value of type {} is not of expected type bool",
                type_name(value)
            ),
        )
    })
}

/// Bytes from their hexadecimal digits; `name` is the parameter's (Bitcoin Core's `ParseHexV`).
pub(crate) fn hex_bytes(name: &str, text: &str) -> CallResult<Vec<u8>> {
    hex_digits(text).ok_or_else(|| {
        CallError::invalid_parameter(format!("{name} must be hexadecimal string (not '{text}')"))
    })
}

/// Bytes from their hexadecimal digits, of which there must be some (Bitcoin Core's `IsHex`).
pub(crate) fn hex_digits(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// A value inside an array that should be an object.
pub(crate) fn object(value: &Value) -> CallResult<&Map<String, Value>> {
    value.as_object().ok_or_else(|| wrong_type(value, "object"))
}

/// A value inside an array or object that should be a whole number.
pub(crate) fn int64(value: &Value) -> CallResult<i64> {
    match value {
        Value::Number(number) => number.as_i64().ok_or_else(integer_out_of_range),
        _ => Err(wrong_type(value, "number")),
    }
}

/// Bitcoin Core's message about a value of the wrong type inside an array or object.
pub(crate) fn wrong_type(value: &Value, expected: &str) -> CallError {
    CallError::new(
        code::TYPE_ERROR,
        format!(
            "JSON value of type {} is not of expected type {expected}",
            type_name(value)
        ),
    )
}

/// A hash from its 64 hexadecimal digits; `name` is the parameter's.
pub(crate) fn hash<T: FromStr>(name: &str, text: &str) -> CallResult<T> {
    if text.len() != 64 {
        return Err(CallError::invalid_parameter(format!(
            "{name} must be of length 64 (not {}, for '{text}')",
            text.len()
        )));
    }
    text.parse().map_err(|_| {
        CallError::invalid_parameter(format!("{name} must be hexadecimal string (not '{text}')"))
    })
}

/// Verbosity: a number, or a boolean as older clients send it (false 0, true 1).
pub(crate) fn verbosity(value: Option<&Value>, default: u8) -> CallResult<u8> {
    match value {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Bool(verbose)) => Ok(u8::from(*verbose)),
        Some(Value::Number(number)) => {
            let level = number.as_i64().ok_or_else(integer_out_of_range)?;
            // Levels beyond the highest mean the highest, below zero the lowest.
            Ok(u8::try_from(level.clamp(0, 3)).expect("0 to 3 fits"))
        }
        Some(other) => Err(CallError::new(
            code::TYPE_ERROR,
            format!(
                "JSON value of type {} is not of expected type number",
                type_name(other)
            ),
        )),
    }
}

/// A number that Bitcoin Core reads as a C++ `int`.
pub(crate) fn int(number: i64) -> CallResult<i32> {
    i32::try_from(number).map_err(|_| integer_out_of_range())
}

/// Bitcoin Core's message about an integer that doesn't fit.
pub(crate) fn integer_out_of_range() -> CallError {
    CallError::misc("JSON integer out of range")
}

/// An amount of coins: a number or a string with at most eight decimals.
pub(crate) fn amount(value: &Value) -> CallResult<Amount> {
    let sat = fixed_point(value, 8)?;
    let sat = u64::try_from(sat)
        .ok()
        .filter(|sat| *sat <= Amount::MAX_MONEY.to_sat());
    sat.map(Amount::from_sat)
        .ok_or_else(|| CallError::new(code::TYPE_ERROR, "Amount out of range"))
}

/// A fee rate in coins per 1,000 virtual bytes, as satoshi per 1,000 virtual bytes.
pub(crate) fn fee_rate_sat_per_kvb(value: &Value) -> CallResult<u64> {
    let rate = amount(value)?.to_sat();
    if rate >= SAT_PER_COIN.unsigned_abs() {
        return Err(CallError::invalid_parameter(
            "Fee rates larger than or equal to 1BTC/kvB are not accepted",
        ));
    }
    Ok(rate)
}

/// A fee rate in satoshi per virtual byte with at most three decimals, as satoshi per 1,000 virtual
/// bytes.
pub(crate) fn fee_rate_from_sat_per_vb(value: &Value) -> CallResult<u64> {
    let rate = fixed_point(value, 3)?;
    u64::try_from(rate)
        .ok()
        .filter(|rate| *rate <= Amount::MAX_MONEY.to_sat())
        .ok_or_else(|| CallError::new(code::TYPE_ERROR, "Amount out of range"))
}

/// A decimal number times 10^`decimals`, exactly.
fn fixed_point(value: &Value, decimals: u32) -> CallResult<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => {
            return Err(CallError::new(
                code::TYPE_ERROR,
                "Amount is not a number or string",
            ));
        }
    };
    parse_fixed_point(&text, decimals)
        .ok_or_else(|| CallError::new(code::TYPE_ERROR, "Invalid amount"))
}

/// Reads JSON's notation of a number, exponent included, without rounding. `None` when it is no
/// number, has more decimals than fit, or is out of range.
fn parse_fixed_point(text: &str, decimals: u32) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // The value is `significant` times ten to this power.
    let power = i64::from(decimals) + i64::from(exponent) - i64::try_from(fraction.len()).ok()?
        + i64::try_from(digits.len() - significant.len()).ok()?;
    let power = u32::try_from(power).ok()?;
    let magnitude = significant
        .parse::<i64>()
        .ok()?
        .checked_mul(10_i64.checked_pow(power)?)?;
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
#[path = "params_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
